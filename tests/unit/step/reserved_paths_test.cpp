#include "step/reserved_paths.h"

#include <gtest/gtest.h>

#include <string>

namespace mooring {
namespace {

TEST(ReservedPaths, the_systems_directories_are_reserved_with_all_below) {
  for (const char* path : {"/", "/usr", "/usr/local", "/etc", "/etc/app/data", "/boot/efi", "/dev/shm",
                           "/proc/1/root", "/sys", "/run/user/0", "/lib", "/lib64/x", "/bin/x", "/sbin"})
    EXPECT_FALSE(why_reserved(path).empty()) << path;
}

TEST(ReservedPaths, what_many_share_is_reserved_itself_and_not_what_is_in_it) {
  for (const char* path : {"/home", "/root", "/opt", "/tmp", "/var", "/var/lib", "/var/tmp", "/var/log"}) {
    EXPECT_FALSE(why_reserved(path).empty()) << path;
    EXPECT_TRUE(why_reserved(std::string(path) + "/data-of-one").empty()) << path;
  }
}

TEST(ReservedPaths, a_name_that_only_begins_like_one_is_free) {
  for (const char* path : {"/etcetera", "/usr2/x", "/devices", "/srv", "/mnt", "/mnt/etc", "/library"})
    EXPECT_TRUE(why_reserved(path).empty()) << path;
}

TEST(CleanPath, is_written_in_one_way) {
  for (const char* path : {"/", "/a", "/a/b", "/...", "/a/.b"})
    EXPECT_TRUE(is_clean_absolute(path)) << path;
  for (const char* path : {"", "a", "//", "//a", "/a/", "/a//b", "/.", "/..", "/a/..", "/a/./b"})
    EXPECT_FALSE(is_clean_absolute(path)) << path;
  EXPECT_TRUE(is_clean_relative("a/b"));
  for (const char* path : {"", "/a", "a/", "a//b", ".", "a/..", "./a"})
    EXPECT_FALSE(is_clean_relative(path)) << path;
  EXPECT_FALSE(is_clean_absolute(std::string_view("/a\0b", 4)));
}

TEST(CleanPath, below_is_by_elements) {
  EXPECT_TRUE(is_at_or_below("/a", "/a"));
  EXPECT_TRUE(is_at_or_below("/a/b", "/a"));
  EXPECT_TRUE(is_at_or_below("/a", "/"));
  EXPECT_FALSE(is_at_or_below("/ab", "/a"));
  EXPECT_FALSE(is_at_or_below("/a", "/a/b"));
}

}  // namespace
}  // namespace mooring
