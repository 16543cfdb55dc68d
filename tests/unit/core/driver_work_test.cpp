// What the steps of drivers get when they are started.

#include "core/driver_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manifest/parse.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::Not;

struct DriverWork : testing::Test {
  DriverWork() {
    CsiVolume volume;
    volume.driver = DriverName("d");
    work = {{DeleteCsiVolume{volume, {}, {}}},
            Lane::Own,
            DriverName("d"),
            ObjectKey{Namespace("system"), ObjectName("make")}};
    CsiDriver driver;
    driver.name = DriverName("d");
    driver.socket = "/run/d.sock";
    drivers[driver.name] = driver;
  }
  void read_secret() {
    store.apply(
        manifest::parse_file("apiVersion: v1\nkind: Secret\nmetadata: {name: make, namespace: system}\n"
                             "stringData: {key: swordfish}\n",
                             "f.yaml"));
  }

  ProvisionWork work;
  std::map<DriverName, CsiDriver> drivers;
  ObjectStore store;
};

TEST_F(DriverWork, goes_to_where_the_driver_listens_now_with_what_its_secret_says_now) {
  read_secret();
  ASSERT_TRUE(equip_for_driver(work, drivers, store));
  const auto& step = std::get<DeleteCsiVolume>(work.steps.at(0));
  EXPECT_EQ(step.volume.socket, "/run/d.sock");
  EXPECT_EQ(step.secrets.at("key").expose_secret(), "swordfish");
}

TEST_F(DriverWork, waits_for_the_driver_and_for_the_secret) {
  const auto missing = equip_for_driver(work, drivers, store);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().reason, "SecretMissing");
  EXPECT_EQ(missing.error().kind, ErrorKind::Transient);
  EXPECT_THAT(missing.error().message, HasSubstr("system/make"));
  read_secret();
  const auto gone = equip_for_driver(work, {}, store);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().reason, "DriverNotRegistered");
  EXPECT_EQ(gone.error().kind, ErrorKind::Transient);
  EXPECT_THAT(gone.error().text(), Not(HasSubstr("swordfish")));
}

TEST_F(DriverWork, a_secret_that_is_no_text_is_refused_before_anybody_is_asked) {
  store.apply(
      manifest::parse_file("apiVersion: v1\nkind: Secret\nmetadata: {name: make, namespace: system}\n"
                           "data: {key: /w==}\n",
                           "f.yaml"));
  const auto refused = equip_for_driver(work, drivers, store);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "SecretNotText");
}

TEST_F(DriverWork, of_no_driver_stays_as_it_is) {
  ProvisionWork other{{RemoveDirectory{"a"}}};
  EXPECT_TRUE(equip_for_driver(other, {}, store));
  EXPECT_EQ(other.steps, (std::vector<Step>{RemoveDirectory{"a"}}));
}

}  // namespace
}  // namespace mooring
