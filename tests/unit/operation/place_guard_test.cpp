#include "operation/place_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring {
namespace {

using testing::Contains;
using testing::ElementsAre;

MountFact mount(std::uint64_t id, std::uint32_t device_minor, const std::string& root,
                const std::string& at) {
  MountFact fact;
  fact.id = id;
  fact.device_major = 8;
  fact.device_minor = device_minor;
  fact.root = root;
  fact.mount_point = at;
  fact.type = "ext4";
  return fact;
}

std::string reason(const Result<void>& result) {
  return result ? "" : result.error().reason;
}

/// "/" and a disk at /data, whose directory `volumes` is bound at /srv/v, and whose one volume at /pods/a.
MountTable sample() {
  return MountTable::from_facts({mount(1, 1, "/", "/"), mount(2, 2, "/", "/data"),
                                 mount(3, 2, "/volumes", "/srv/v"),
                                 mount(4, 2, "/volumes/one/part", "/pods/a")});
}

TEST(PlaceGuard, a_place_has_a_name_for_each_mount_of_what_holds_it) {
  EXPECT_THAT(names_of(sample(), "/data/volumes/two"), ElementsAre("/data/volumes/two", "/srv/v/two"));
  EXPECT_THAT(names_of(sample(), "/srv/v"), ElementsAre("/srv/v", "/data/volumes"));
  EXPECT_THAT(names_of(sample(), "/data"), ElementsAre("/data"));
  EXPECT_THAT(names_of(sample(), "/data/volumes/one/part/x"), Contains("/pods/a/x"));
}

TEST(PlaceGuard, what_is_bound_elsewhere_in_whole_or_in_part_is_still_mounted) {
  EXPECT_EQ(reason(check_not_bound(sample(), "/data/volumes/one")), "StillMounted");
  EXPECT_EQ(reason(check_not_bound(sample(), "/srv/v/one")), "StillMounted");
  EXPECT_EQ(reason(check_not_bound(sample(), "/data/volumes/one/part")), "StillMounted");
  EXPECT_EQ(reason(check_not_bound(sample(), "/data/volumes/two")), "");
  EXPECT_EQ(reason(check_not_bound(sample(), "/data/volumes/on")), "");
  EXPECT_EQ(reason(check_not_bound(sample(), "/data/volumes/one/part/x")), "");
}

TEST(PlaceGuard, another_file_system_with_a_directory_of_that_name_does_not_count) {
  EXPECT_EQ(reason(check_not_bound(sample(), "/volumes/one")), "");
}

TEST(PlaceGuard, mounts_in_it_and_on_it_are_told_apart) {
  EXPECT_EQ(reason(check_nothing_mounted(sample(), "/data")), "MountedBelow");
  EXPECT_EQ(reason(check_nothing_below(sample(), "/data")), "");
  EXPECT_EQ(reason(check_nothing_below(sample(), "/srv")), "MountedBelow");
  EXPECT_EQ(reason(check_nothing_mounted(sample(), "/srv/vv")), "");
}

TEST(PlaceGuard, two_places_have_to_do_with_each_other_by_whatever_name) {
  EXPECT_TRUE(have_to_do(sample(), "/srv/v/two", "/data/volumes"));
  EXPECT_TRUE(have_to_do(sample(), "/data/volumes", "/srv/v/two"));
  EXPECT_TRUE(have_to_do(sample(), "/srv", "/srv/v"));
  EXPECT_FALSE(have_to_do(sample(), "/srv/v/two", "/data/volumes/tw"));
  EXPECT_FALSE(have_to_do(sample(), "/volumes", "/data/volumes"));
}

}  // namespace
}  // namespace mooring
