#include "kernel/linux/udev_database.h"

#include <gtest/gtest.h>

namespace mooring::kernel {
namespace {

TEST(UdevEntry, has_what_links_to_a_file_system_are_made_of) {
  const UdevEntry entry = parse_udev_entry(
      "S:disk/by-uuid/6c1f\nS:disk/by-diskseq/12\nI:4711\nE:ID_FS_UUID=6c1f\nE:ID_FS_UUID_ENC=6c1f\n"
      "E:ID_FS_LABEL=my_data\nE:ID_FS_LABEL_ENC=my\\x20data\\x2f1\nG:systemd");
  EXPECT_EQ(entry, (UdevEntry{"6c1f", "my data/1", "12"}));
}

TEST(UdevEntry, without_a_file_system_names_none) {
  EXPECT_EQ(parse_udev_entry("I:4711\nE:ID_PART_TABLE_UUID=6c1f\n"), UdevEntry());
  EXPECT_EQ(parse_udev_entry(""), UdevEntry());
}

TEST(UdevEntry, keeps_what_is_no_escape) {
  EXPECT_EQ(parse_udev_entry("E:ID_FS_LABEL_ENC=a\\x2").label, "a\\x2");
  EXPECT_EQ(parse_udev_entry("E:ID_FS_LABEL_ENC=\\xzz").label, "\\xzz");
}

}  // namespace
}  // namespace mooring::kernel
