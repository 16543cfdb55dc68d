#include "facts/mount_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* root_line = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n";

MountFact fact(std::uint64_t id, const std::string& mount_point, const std::string& root = "/",
               std::uint32_t device_minor = 1) {
  MountFact made;
  made.id = id;
  made.device_major = 8;
  made.device_minor = device_minor;
  made.root = root;
  made.mount_point = mount_point;
  made.options = "rw";
  made.type = "ext4";
  made.super_options = "rw";
  return made;
}

MountTable table_of(const std::vector<std::string>& mount_points) {
  std::vector<MountFact> facts;
  for (const std::string& mount_point : mount_points)
    facts.push_back(fact(facts.size() + 1, mount_point));
  return MountTable::from_facts(facts);
}

std::vector<std::string> points(const std::vector<const MountFact*>& facts) {
  std::vector<std::string> out;
  for (const MountFact* each : facts)
    out.push_back(each->mount_point);
  return out;
}

std::vector<std::uint64_t> ids(const std::vector<const MountFact*>& facts) {
  std::vector<std::uint64_t> out;
  for (const MountFact* each : facts)
    out.push_back(each->id);
  return out;
}

MountTable parsed(const std::string& text) {
  const Result<MountTable> table = MountTable::parse(text);
  EXPECT_TRUE(table.has_value());
  return table ? table.value() : MountTable();
}

TEST(MountTableParse, reads_every_field) {
  const MountTable table =
      parsed("36 35 98:7 /mnt1 /mnt2 rw,noatime shared:3 master:12 - ext3 /dev/root rw,errors=continue\n");
  ASSERT_EQ(table.mounts().size(), 1u);
  MountFact expected;
  expected.id = 36;
  expected.parent_id = 35;
  expected.device_major = 98;
  expected.device_minor = 7;
  expected.root = "/mnt1";
  expected.mount_point = "/mnt2";
  expected.options = "rw,noatime";
  expected.type = "ext3";
  expected.source = "/dev/root";
  expected.super_options = "rw,errors=continue";
  expected.peer_group = 3;
  expected.master_group = 12;
  EXPECT_EQ(table.mounts()[0], expected);
}

TEST(MountTableParse, optional_fields_may_be_none_many_or_unknown) {
  const MountTable table = parsed(
      "1 0 0:1 / / rw - tmpfs tmpfs rw\n"
      "2 1 0:2 / /a rw unbindable - tmpfs tmpfs rw\n"
      "3 1 0:3 / /b rw master:5 propagate_from:2 future:x - tmpfs tmpfs rw\n");
  EXPECT_EQ(table.mounts()[0].peer_group, 0u);
  EXPECT_EQ(table.mounts()[1].master_group, 0u);
  EXPECT_EQ(table.mounts()[2].master_group, 5u);
  EXPECT_EQ(table.mounts()[2].type, "tmpfs");
}

TEST(MountTableParse, decodes_octal_escapes) {
  const MountTable table =
      parsed(R"(2 1 0:2 /a\134b /mnt/with\040blank\011tab\012line\043hash rw - fuse.x\040y my\040source rw)"
             "\n");
  const MountFact& found = table.mounts()[0];
  EXPECT_EQ(found.root, "/a\\b");
  EXPECT_EQ(found.mount_point, "/mnt/with blank\ttab\nline#hash");
  EXPECT_EQ(found.type, "fuse.x y");
  EXPECT_EQ(found.source, "my source");
  EXPECT_NE(table.top_at("/mnt/with blank\ttab\nline#hash"), nullptr);
}

TEST(MountTableParse, keeps_blanks_in_the_super_options_and_an_empty_source) {
  const MountTable table = parsed(
      "2 1 0:2 / /a rw - fuse  rw,x=a b\n"
      "3 1 0:4 net:[4026531840] /run/n rw - nsfs nsfs rw\n");
  EXPECT_EQ(table.mounts()[0].source, "");
  EXPECT_EQ(table.mounts()[0].super_options, "rw,x=a b");
  EXPECT_EQ(table.mounts()[1].root, "net:[4026531840]");
}

TEST(MountTableParse, of_nothing_is_an_empty_table) {
  const MountTable table = parsed("");
  EXPECT_TRUE(table.mounts().empty());
  EXPECT_EQ(table.top_at("/"), nullptr);
  EXPECT_EQ(table.covering("/a/b"), nullptr);
  EXPECT_THAT(table.below("/"), IsEmpty());
}

class MalformedLine : public testing::TestWithParam<const char*> {};

TEST_P(MalformedLine, is_an_error_that_names_its_number) {
  const std::string text = std::string(root_line) + root_line + GetParam() + "\n" + root_line;
  const Result<MountTable> table = MountTable::parse(text);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().kind, ErrorKind::Transient);
  EXPECT_EQ(table.error().reason, "MountTableUnreadable");
  EXPECT_THAT(table.error().message, HasSubstr("line 3 "));
}

INSTANTIATE_TEST_SUITE_P(
    Each, MalformedLine,
    testing::Values("", "garbage", "x 1 8:1 / /a rw - ext4 s rw", "22 x 8:1 / /a rw - ext4 s rw",
                    "22 1 8 / /a rw - ext4 s rw", "22 1 8: / /a rw - ext4 s rw",
                    "22 1 :1 / /a rw - ext4 s rw", "22 1 8:1x / /a rw - ext4 s rw",
                    "-22 1 8:1 / /a rw - ext4 s rw", "22 1 8:99999999999 / /a rw - ext4 s rw",
                    "99999999999999999999 1 8:1 / /a rw - ext4 s rw", "22 1 8:1 / a rw - ext4 s rw",
                    "22 1 8:1 /", "22 1 8:1 / /a", "22 1 8:1 / /a rw", "22 1 8:1 / /a rw shared:1",
                    "22 1 8:1 / /a rw shared:x - ext4 s rw", "22 1 8:1 / /a rw shared: - ext4 s rw",
                    "22 1 8:1 / /a rw master:1x - ext4 s rw", "22 1 8:1 / /a rw -", "22 1 8:1 / /a rw - ",
                    "22 1 8:1 / /a rw - ext4", "22 1 8:1 / /a rw - ext4 /dev/sda1"));

TEST(MountTableParse, a_last_line_without_its_newline_is_cut_and_not_believed) {
  const Result<MountTable> table =
      MountTable::parse(std::string(root_line) + "23 22 0:5 / /a rw - tmpfs t rw");
  ASSERT_FALSE(table);
  EXPECT_THAT(table.error().message, HasSubstr("line 2 "));
}

TEST(MountTableParse, an_endless_line_is_not_repeated_whole) {
  const Result<MountTable> table = MountTable::parse(std::string(100'000, 'x'));
  ASSERT_FALSE(table);
  EXPECT_LT(table.error().message.size(), 400u);
}

TEST(MountFact, is_read_only_by_the_mount_or_by_its_file_system) {
  MountFact both = fact(1, "/a");
  EXPECT_FALSE(both.is_read_only());
  both.options = "nosuid,ro,noexec";
  EXPECT_TRUE(both.is_read_only());
  both.options = "rw";
  both.super_options = "ro,x=1";
  EXPECT_TRUE(both.is_read_only());
  both.super_options = "rw,errors=remount-ro,root=ro2,proto";
  EXPECT_FALSE(both.is_read_only());
}

TEST(MountTable, top_at_is_the_last_mount_of_a_stack) {
  std::vector<MountFact> facts{fact(5, "/"), fact(9, "/a"), fact(7, "/b"), fact(3, "/a"), fact(8, "/a/c")};
  const MountTable table = MountTable::from_facts(facts);
  EXPECT_EQ(table.top_at("/a")->id, 3u);
  EXPECT_EQ(table.count_at("/a"), 2u);
  EXPECT_EQ(table.count_at("/b"), 1u);
  EXPECT_EQ(table.count_at("/x"), 0u);
  EXPECT_EQ(table.covering("/a/x")->id, 3u);
  EXPECT_EQ(table.mounts(), facts);
}

TEST(MountTable, top_at_wants_the_exact_path) {
  const MountTable table = table_of({"/", "/a", "/ab"});
  EXPECT_EQ(table.top_at("/a/"), nullptr);
  EXPECT_EQ(table.top_at("/a/b"), nullptr);
  EXPECT_EQ(table.top_at(""), nullptr);
  EXPECT_EQ(table.top_at("/abc"), nullptr);
  EXPECT_EQ(table.top_at("/ab")->mount_point, "/ab");
  EXPECT_EQ(table.top_at("/")->mount_point, "/");
}

TEST(MountTable, covering_is_the_longest_prefix_of_whole_elements) {
  const MountTable table = table_of({"/", "/a", "/a/b/c"});
  EXPECT_EQ(table.covering("/a")->mount_point, "/a");
  EXPECT_EQ(table.covering("/a/b")->mount_point, "/a");
  EXPECT_EQ(table.covering("/a/b/c")->mount_point, "/a/b/c");
  EXPECT_EQ(table.covering("/a/b/c/d/e")->mount_point, "/a/b/c");
  EXPECT_EQ(table.covering("/a/b/cd")->mount_point, "/a");
  EXPECT_EQ(table.covering("/ab")->mount_point, "/");
  EXPECT_EQ(table.covering("/ab/c")->mount_point, "/");
  EXPECT_EQ(table.covering("/")->mount_point, "/");
  EXPECT_EQ(table.covering("/x/y/z")->mount_point, "/");
  EXPECT_EQ(table.covering("/a/b/c/")->mount_point, "/a/b/c");
}

TEST(MountTable, covering_without_a_root_mount_may_be_nothing) {
  const MountTable table = table_of({"/a"});
  EXPECT_EQ(table.covering("/b"), nullptr);
  EXPECT_EQ(table.covering("/"), nullptr);
  EXPECT_EQ(table.covering("/a/b")->mount_point, "/a");
}

TEST(MountTable, below_is_sorted_and_strictly_below) {
  const MountTable table =
      table_of({"/", "/a/z", "/a", "/a-b", "/a.b/x", "/a/c/d", "/ab", "/a/c", "/b", "/a/c"});
  EXPECT_THAT(points(table.below("/a")), ElementsAre("/a/c", "/a/c", "/a/c/d", "/a/z"));
  EXPECT_THAT(ids(table.below("/a")), ElementsAre(8, 10, 6, 2));
  EXPECT_THAT(points(table.below("/a/c")), ElementsAre("/a/c/d"));
  EXPECT_THAT(points(table.below("/ab")), IsEmpty());
  EXPECT_THAT(points(table.below("/nothing")), IsEmpty());
}

TEST(MountTable, below_the_root_is_everything_but_the_root) {
  const MountTable table = table_of({"/b", "/", "/a", "/"});
  EXPECT_THAT(points(table.below("/")), ElementsAre("/a", "/b"));
}

TEST(MountTable, references_are_the_other_mounts_of_the_same_file_system) {
  const MountTable table = MountTable::from_facts({fact(1, "/", "/", 1), fact(2, "/a", "/data", 2),
                                                   fact(3, "/b", "/data", 2), fact(4, "/c", "/data", 3),
                                                   fact(5, "/d", "/database", 2), fact(6, "/e", "/", 2)});
  EXPECT_THAT(ids(table.references(*table.top_at("/a"))), ElementsAre(3));
  EXPECT_THAT(ids(table.references(*table.top_at("/c"))), IsEmpty());
  EXPECT_THAT(ids(table.references(*table.top_at("/"))), IsEmpty());
}

TEST(MountTable, references_include_binds_of_a_directory_below) {
  const MountTable table = MountTable::from_facts(
      {fact(2, "/staged", "/", 2), fact(3, "/pod", "/", 2), fact(4, "/sub", "/sub/path", 2)});
  EXPECT_THAT(ids(table.references(*table.top_at("/staged"))), ElementsAre(3, 4));
}

TEST(LocalFileSystem, is_one_that_waits_for_nobody) {
  for (const char* type :
       {"bcachefs", "binfmt_misc", "btrfs",    "cgroup", "cgroup2", "devpts",    "devtmpfs", "erofs",
        "exfat",    "ext2",        "ext3",     "ext4",   "f2fs",    "hugetlbfs", "iso9660",  "overlay",
        "proc",     "ramfs",       "squashfs", "sysfs",  "tmpfs",   "vfat",      "xfs",      "zfs"}) {
    EXPECT_TRUE(is_local_file_system(type)) << type;
  }
}

TEST(LocalFileSystem, everything_else_may_wait) {
  for (const char* type :
       {"nfs", "nfs4", "cifs", "smb3", "ceph", "fuse", "fuse.sshfs", "fuseblk", "9p", "autofs", "glusterfs",
        "virtiofs", "lustre", "", "ext", "ext44", "TMPFS", "unknown"}) {
    EXPECT_FALSE(is_local_file_system(type)) << type;
  }
}

}  // namespace
}  // namespace mooring
