// BindSubPath and ReleaseSubPaths: what a container that mounts a part of a volume gets, and that nothing of
// it is left.

#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string target = layout::sub_path(uid, VolumeName("v"), ContainerName("main"), 0);
const ReleaseSubPaths release{uid, VolumeName("v")};

BindSubPath part(const std::string& path, bool may_create = true) {
  return {volume_path, "", std::nullopt, path, target, may_create, "subPath of container main"};
}

struct SubPaths : testing::Test {
  SubPaths() { node.run_well({make_pod, MakeDirectory{volume_path, 0777}}); }
  std::vector<std::string> mounted() const { return node.mounted_at(node.root(target)); }
  std::string read(const std::string& path = "") const { return node.fake.read(node.root(target) + path); }
  bool is_clean() const { return !node.fake.exists(node.root(layout::sub_paths(uid))); }

  Node node;
};

TEST_F(SubPaths, kb_11_3_a_directory_is_made_and_bound) {
  EXPECT_TRUE(node.run_well({part("a/b")}).changed);
  EXPECT_EQ(mounted().size(), 1u);
  node.fake.put_file(node.volume + "/a/b/file", "x");
  EXPECT_EQ(read("/file"), "x");
  EXPECT_FALSE(node.run_well({part("a/b")}).changed) << "it is there already";
  EXPECT_EQ(mounted().size(), 1u);
}

TEST_F(SubPaths, kb_11_3_a_file_is_bound_on_an_empty_file) {
  node.fake.put_file(node.volume + "/f", "x");
  node.run_well({part("f")});
  EXPECT_EQ(read(), "x");
  node.run_well({release});
  EXPECT_TRUE(is_clean());
  EXPECT_TRUE(node.fake.exists(node.volume + "/f"));
}

TEST_F(SubPaths, kb_11_3_what_was_replaced_is_bound_anew) {
  node.fake.put_file(node.volume + "/f", "old");
  node.run_well({part("f")});
  node.fake.remove_all(node.volume + "/f");
  node.fake.put_file(node.volume + "/f", "new");
  EXPECT_EQ(read(), "old");
  EXPECT_TRUE(node.run_well({part("f")}).changed);
  EXPECT_EQ(read(), "new");
  EXPECT_EQ(mounted().size(), 1u) << "and not stacked";
}

TEST_F(SubPaths, kb_11_3_a_file_that_became_a_directory_is_bound_as_one) {
  node.fake.put_file(node.volume + "/f", "old");
  node.run_well({part("f")});
  node.fake.remove_all(node.volume + "/f");
  node.fake.put_file(node.volume + "/f/below", "new");
  node.run_well({part("f")});
  EXPECT_EQ(read("/below"), "new");
  node.fake.remove_all(node.volume + "/f");
  node.fake.put_file(node.volume + "/f", "again");
  node.run_well({part("f")});
  EXPECT_EQ(read(), "again");
}

TEST_F(SubPaths, kb_11_2_an_escape_is_refused_with_its_container_and_without_paths_of_the_node) {
  node.fake.put_file("/etc/shadow", "secret");
  node.fake.put_symlink(node.volume + "/out", "/etc");
  for (const char* path : {"out", "out/shadow", "out/new"}) {
    const Error error = node.run_badly({part(path)});
    EXPECT_EQ(error.reason, "SubPathEscapes");
    EXPECT_THAT(error.message, HasSubstr("container main"));
    EXPECT_THAT(error.message, testing::Not(HasSubstr(node.root(""))));
  }
  EXPECT_FALSE(node.fake.exists("/etc/new"));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(SubPaths, kb_11_2_what_is_not_there_and_may_not_be_made_is_told) {
  EXPECT_EQ(node.run_badly({part("missing", false)}).reason, "SubPathNotFound");
  EXPECT_FALSE(node.fake.exists(node.volume + "/missing"));
}

TEST_F(SubPaths, a_path_of_the_node_is_a_volume_too) {
  node.fake.put_file("/srv/data/conf/file", "x");
  BindSubPath of_host = part("conf");
  of_host.volume.clear();
  of_host.host_path = "/srv/data";
  of_host.confined_to = "/";
  node.run_well({of_host});
  EXPECT_EQ(read("/file"), "x");
}

TEST_F(SubPaths, kb_11_4_release_needs_no_look_at_what_is_mounted) {
  node.fake.put_file(node.volume + "/f", "x");
  node.run_well({part("f"), part("d")});
  const std::string second = layout::sub_path(uid, VolumeName("v"), ContainerName("side"), 3);
  BindSubPath other = part("e");
  other.target = second;
  node.run_well({other});
  std::vector<std::string> looked_at;
  node.fake.set_hook([&](std::string_view call, const std::string& path, bool before) {
    const bool looks = call == "status" || call == "at";
    if (looks && before && path.find("volume-subpaths") != std::string::npos) looked_at.push_back(path);
    return Fault::none();
  });
  node.run_well({release});
  EXPECT_THAT(looked_at, IsEmpty());
  EXPECT_TRUE(is_clean());
  EXPECT_FALSE(node.run_well({release}).changed);
}

TEST_F(SubPaths, kb_11_4_what_is_no_subpath_mount_stays_and_is_named) {
  node.run_well({part("a")});
  node.fake.put_file(node.root(layout::sub_paths(uid, VolumeName("v"))) + "/odd", "x");
  const Error error = node.run_badly({release});
  EXPECT_EQ(error.reason, "NotEmpty");
  EXPECT_THAT(error.message, HasSubstr("odd"));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(SubPaths, kb_11_4_a_file_of_somebody_else_stays_and_keeps_no_part_mounted) {
  node.run_well({part("a")});
  const std::string container = target.substr(0, target.rfind('/'));
  for (const char* name : {"/7", "/notes"}) {
    node.fake.put_file(node.root(container) + name, "x");
    const Error error = node.run_badly({release});
    EXPECT_EQ(error.reason, "NotEmpty");
    EXPECT_THAT(error.message, HasSubstr(name + 1));
    EXPECT_EQ(node.fake.read(node.root(container) + name), "x");
    EXPECT_THAT(mounted(), IsEmpty());
    node.fake.remove_all(node.root(container) + name);
  }
  node.run_well({release});
  EXPECT_TRUE(is_clean());
}

TEST_F(SubPaths, kb_11_4_what_somebody_mounted_below_a_part_stays_and_holds_it_up) {
  node.run_well({part("a")});
  node.fake.put_directory(node.root(target) + "/disk");
  node.fake.mount_foreign(node.root(target) + "/disk", "ext4", "/dev/sdb");
  node.fake.put_file(node.root(target) + "/disk/file", "x");
  EXPECT_EQ(node.run_badly({release}).reason, "MountedBelow");
  EXPECT_EQ(node.fake.read(node.root(target) + "/disk/file"), "x");
  node.fake.unmount_foreign(node.root(target) + "/disk");
  node.run_well({release});
  EXPECT_TRUE(is_clean());
  EXPECT_TRUE(node.fake.exists(node.volume + "/a/disk"));
}

TEST_F(SubPaths, a_busy_one_is_told_and_released_later) {
  node.run_well({part("a")});
  node.fake.put_file(node.volume + "/a/file", "x");
  node.fake.mark_open(node.root(target) + "/file");
  EXPECT_EQ(node.run_badly({release}).reason, "Busy");
  node.fake.mark_closed(node.root(target) + "/file");
  node.run_well({release});
  EXPECT_TRUE(is_clean());
}

TEST_F(SubPaths, the_pods_directory_goes_only_after_them) {
  node.run_well({part("a")});
  node.run_well(
      {Unmount{volume_path, {"tmpfs"}}, DiscardDirectory{volume_path, "t"}, RemovePodDirectory{uid}});
  EXPECT_FALSE(node.fake.exists(node.root(layout::pod(uid))));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(SubPaths, a_directory_without_a_stamp_is_nobody_elses_to_release) {
  node.run_well({part("a")});
  node.fake.remove_all(node.root(layout::stamp(uid)));
  EXPECT_EQ(node.run_badly({release}).reason, "ForeignDirectory");
  EXPECT_EQ(mounted().size(), 1u);
}

/// Stopped at each of its calls, by an error before, an error after, or the end of the worker, it can be done
/// again and be released.
TEST_F(SubPaths, wherever_it_is_stopped_it_goes_on_and_nothing_is_left) {
  node.fake.put_file(node.volume + "/f", "x");
  for (int kind = 0; kind < 3; ++kind) {
    for (const bool is_release : {false, true}) {
      for (int stop = 0; stop < 60; ++stop) {
        node.heal();
        if (is_release) node.run_well({part("f")});
        int calls = 0;
        node.fake.set_hook([&](std::string_view, const std::string&, bool before) {
          if (before != (kind != 1) || calls++ != stop) return Fault::none();
          return kind == 2 ? Fault::crash() : Fault::error(EIO);
        });
        try {
          node.run({is_release ? Step(release) : Step(part("f"))});
        } catch (const kernel::FakeCrash&) {
        }
        node.heal();
        if (!is_release) {
          node.run_well({part("f")});
          EXPECT_EQ(read(), "x");
          EXPECT_EQ(mounted().size(), 1u);
        }
        node.run_well({release});
        EXPECT_FALSE(node.fake.exists(node.root(layout::sub_paths(uid, VolumeName("v")))));
        EXPECT_THAT(mounted(), IsEmpty());
      }
    }
  }
}

struct Leftovers : SubPaths {};

TEST_F(Leftovers, kb_13_1_what_a_bidirectional_container_left_is_unmounted_and_its_data_kept) {
  node.fake.put_directory(node.volume + "/disk");
  node.fake.mount_foreign(node.volume + "/disk", "ext4", "/dev/sdb");
  node.fake.put_file(node.volume + "/disk/precious", "x");
  node.run_well({UnmountLeftovers{volume_path, 0}, DiscardDirectory{volume_path, "t"}, EmptyTrash{"t"}});
  EXPECT_FALSE(node.fake.exists(node.volume));
  node.fake.put_directory("/mnt");
  node.fake.mount_foreign("/mnt", "ext4", "/dev/sdb");
  EXPECT_EQ(node.fake.read("/mnt/precious"), "x");
}

TEST_F(Leftovers, a_volume_that_is_gone_has_none) {
  node.run_well({DiscardDirectory{volume_path, "t"}, UnmountLeftovers{volume_path, 0}});
}

}  // namespace
}  // namespace mooring
