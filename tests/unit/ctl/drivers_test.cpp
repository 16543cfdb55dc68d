// How drivers outside look, to people and to programs.

#include "ctl/drivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctl/tables.h"

namespace mooring::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

DriverStatus registered() {
  DriverStatus driver;
  driver.kind = "CSI";
  driver.name = "d.example.com";
  driver.state = "Registered";
  driver.socket = "/r/d-reg.sock";
  driver.endpoint = "/run/d.sock";
  driver.version = "1.0.0";
  driver.vendor_version = "v3";
  driver.node_id = "n1";
  driver.topology = {{"zone", "a"}};
  driver.capabilities = {"Node/EXPAND_VOLUME", "Controller/CREATE_DELETE_VOLUME"};
  return driver;
}

DriverStatus waiting() {
  DriverStatus driver;
  driver.kind = "CSI";
  driver.state = "Waiting";
  driver.socket = "/r/\x1b[2J.sock";
  driver.reason = "DriverNotAnswering";
  driver.message = "no answer in time";
  driver.action = "see that it runs";
  driver.attempts = 2;
  return driver;
}

TEST(Drivers, are_a_kind) {
  EXPECT_EQ(kind_of("driver"), Kind::Drivers);
  EXPECT_EQ(kind_of("drivers"), Kind::Drivers);
  EXPECT_THAT(kinds_text(), HasSubstr("drivers"));
}

TEST(Drivers, in_a_table_are_called_by_their_socket_while_nobody_knows_their_name) {
  const std::string table = driver_table({registered(), waiting()}, false);
  EXPECT_THAT(table, HasSubstr("d.example.com"));
  EXPECT_THAT(table, HasSubstr("/run/d.sock"));
  EXPECT_THAT(table, Not(HasSubstr("/r/d-reg.sock")));
  EXPECT_THAT(table, HasSubstr("/r/\\x1b[2J.sock"));
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_THAT(table, Not(HasSubstr("no answer in time")));
  EXPECT_THAT(driver_table({waiting()}, true), HasSubstr("no answer in time"));
}

TEST(Drivers, described_say_what_they_are) {
  const std::string text = driver_details(registered());
  for (const char* part : {"d.example.com: Registered", "/r/d-reg.sock", "/run/d.sock", "1.0.0", "v3", "n1",
                           "zone=a", "no limit", "Node/EXPAND_VOLUME, Controller/CREATE_DELETE_VOLUME"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("cause")));
}

TEST(Drivers, described_say_why_they_are_not_there_and_what_to_do) {
  const std::string text = driver_details(waiting());
  EXPECT_THAT(text, HasSubstr("DriverNotAnswering: no answer in time"));
  EXPECT_THAT(text, HasSubstr("2 failed"));
  EXPECT_THAT(text, HasSubstr("see that it runs"));
  EXPECT_THAT(text, Not(HasSubstr("capabilities")));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Drivers, as_a_document_leave_out_what_nobody_knows) {
  const Json whole = driver_json(registered());
  EXPECT_EQ(whole["metadata"]["name"], "d.example.com");
  EXPECT_EQ(whole["topology"]["zone"], "a");
  EXPECT_EQ(whole["capabilities"].size(), 2u);
  EXPECT_FALSE(whole.contains("reason"));
  const Json bare = driver_json(waiting());
  EXPECT_EQ(bare["state"], "Waiting");
  EXPECT_EQ(bare["reason"], "DriverNotAnswering");
  EXPECT_FALSE(bare.contains("endpoint"));
}

}  // namespace
}  // namespace mooring::ctl
