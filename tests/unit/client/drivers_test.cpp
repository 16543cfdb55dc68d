// What the daemon writes on the bus of drivers is what the client reads.

#include <gtest/gtest.h>

#include "client/decode.h"
#include "daemon/bus_values.h"
#include "letter.h"

namespace mooring {
namespace {

DriverStatus whole_driver() {
  DriverStatus driver;
  driver.kind = "CSI";
  driver.name = "d.example.com";
  driver.state = "NotAnswering";
  driver.socket = "/r/d-reg.sock";
  driver.endpoint = "/run/d.sock";
  driver.version = "1.9.0";
  driver.vendor_version = "v3";
  driver.node_id = "n1";
  driver.topology = {{"rack", ""}, {"zone", "a=b"}};
  driver.volumes_max = 12;
  driver.capabilities = {"Node/EXPAND_VOLUME"};
  driver.reason = "DriverNotAnswering";
  driver.message = "no answer";
  driver.action = "start it";
  driver.attempts = 3;
  driver.next_retry = WallTime{std::chrono::seconds(1'700'000'000)};
  return driver;
}

std::vector<DriverStatus> carried(const DriverStatus& driver) {
  Letter letter;
  const auto read = bus::decode_drivers(
      letter.list_of([&](sd_bus_message* message) { return append_driver_status(message, driver); }));
  EXPECT_TRUE(read);
  return read ? read.value() : std::vector<DriverStatus>();
}

TEST(DriversOnTheBus, carry_every_field) {
  const std::vector<DriverStatus> read = carried(whole_driver());
  ASSERT_EQ(read.size(), 1u);
  EXPECT_TRUE(read[0] == whole_driver());
}

TEST(DriversOnTheBus, of_whom_nothing_is_known_carry_just_that) {
  DriverStatus driver;
  driver.kind = "CSI";
  driver.state = "Waiting";
  driver.socket = "/r/d-reg.sock";
  const std::vector<DriverStatus> read = carried(driver);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_TRUE(read[0] == driver);
}

}  // namespace
}  // namespace mooring
