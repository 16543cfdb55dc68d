#include "flex/names.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace mooring::flex {
namespace {

TEST(FlexNames, kb_16_a_directory_is_called_after_vendor_and_driver) {
  const std::vector<std::pair<std::string, std::string>> names{
      {"example.com~nfs", "example.com/nfs"}, {"nfs", "nfs"}, {"k8s~lvm.1", "k8s/lvm.1"}};
  for (const auto& [directory, driver] : names) {
    ASSERT_EQ(driver_of_directory(directory), DriverName(driver));
    EXPECT_EQ(directory_of_driver(DriverName(driver)), directory);
  }
}

TEST(FlexNames, kb_16_a_name_with_a_dot_in_front_is_being_installed) {
  EXPECT_FALSE(driver_of_directory(".example.com~nfs"));
  EXPECT_FALSE(driver_of_directory("example.com~.nfs"));
}

TEST(FlexNames, what_cannot_be_a_driver_is_none) {
  for (const std::string name :
       {"", "~", "a~", "~a", "a~b~c", "a/b~c", "a~b/c", "..", "a b", "a\nb", "a~..", "\xc3\xa4"}) {
    EXPECT_FALSE(driver_of_directory(name)) << name;
  }
  for (const std::string name : {"", "/", "a/", "/a", "a/b/c", "a~b", "../a", "a/..", "a/.b", "a\tb"})
    EXPECT_FALSE(is_driver_name(name)) << name;
  EXPECT_TRUE(is_driver_name(std::string(120, 'a') + "/" + std::string(120, 'b')));
  EXPECT_FALSE(is_driver_name(std::string(121, 'a')));
}

TEST(FlexNames, kb_16_the_program_has_the_name_of_the_driver_without_its_vendor) {
  EXPECT_EQ(program_of("/flex", DriverName("example.com/nfs")), "/flex/example.com~nfs/nfs");
  EXPECT_EQ(program_of("/flex", DriverName("nfs")), "/flex/nfs/nfs");
}

TEST(FlexNames, kb_16_an_entry_is_a_drivers_program_if_it_can_be_run_and_has_its_name) {
  struct Case {
    Entry entry;
    bool is_program;
  };
  const std::vector<Case> cases{{{"example.com~nfs", "nfs", true, 0755}, true},
                                {{"example.com~nfs", "nfs", true, 0700}, true},
                                {{"nfs", "nfs", true, 0555}, true},
                                {{"example.com~nfs", "nfs", true, 0644}, false},
                                {{"example.com~nfs", "nfs", false, 0755}, false},
                                {{"example.com~nfs", ".nfs", true, 0755}, false},
                                {{"example.com~nfs", "helper", true, 0755}, false},
                                {{".example.com~nfs", "nfs", true, 0755}, false}};
  for (const Case& one : cases) {
    EXPECT_EQ(driver_of_entry(one.entry).has_value(), one.is_program)
        << one.entry.directory << " " << one.entry.name;
  }
  EXPECT_EQ(driver_of_entry(cases[0].entry), DriverName("example.com/nfs"));
}

}  // namespace
}  // namespace mooring::flex
