// kubelet-behaviours 10.1, 11, 12 and 13, line by line: what the steps do on a node.

#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Volume : testing::Test {
  Volume() { node.run_well(up); }

  std::string path(const std::string& below = "") const {
    return below.empty() ? node.volume : node.volume + "/" + below;
  }
  std::uint32_t mode(const std::string& below = "") const { return node.fake.status(path(below))->mode; }
  std::uint32_t group(const std::string& below = "") const { return node.fake.status(path(below))->group; }
  bool has(const std::string& below) const { return node.fake.exists(path(below)); }
  std::string read(const std::string& below) const { return node.fake.read(path(below)); }
  std::string link(const std::string& below) {
    const auto target = node.fake.ports().files.read_link(volume_path + "/" + below);
    return target && target.value() ? *target.value() : "no link";
  }

  Node node;
  const std::vector<Step> up{make_pod, MakeDirectory{volume_path, 0777}};
};

ChangeGroup to_group(std::uint32_t group) {
  return {volume_path, group, false, false, 0};
}

struct Group : Volume {};

TEST_F(Group, kb_10_1_bits_are_added_and_none_is_taken) {
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> directories{
      {0700, 02770}, {0755, 02775}, {01777, 03777}, {0, 02770}};
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> files{
      {0600, 0660}, {0400, 0660}, {0755, 0775}, {04755, 04775}, {02600, 02660}, {01600, 01660}, {0, 0660}};
  for (std::size_t i = 0; i < directories.size(); ++i)
    node.fake.put_directory(path("d" + std::to_string(i)), directories[i].first);
  for (std::size_t i = 0; i < files.size(); ++i)
    node.fake.put_file(path("d0/f" + std::to_string(i)), "x", files[i].first);
  node.run_well({to_group(2000)});
  for (std::size_t i = 0; i < directories.size(); ++i)
    EXPECT_EQ(mode("d" + std::to_string(i)), directories[i].second) << std::oct << directories[i].first;
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(mode("d0/f" + std::to_string(i)), files[i].second) << std::oct << files[i].first;
    EXPECT_EQ(group("d0/f" + std::to_string(i)), 2000u);
  }
}

TEST_F(Group, kb_10_1_a_read_only_volume_gets_reading_only) {
  node.fake.put_directory(path("d"), 0700);
  node.fake.put_file(path("d/f"), "x", 0600);
  node.run_well({ChangeGroup{volume_path, 2000, true, false, 0}});
  EXPECT_EQ(mode("d"), 02750u);
  EXPECT_EQ(mode("d/f"), 0640u);
}

TEST_F(Group, kb_10_1_links_are_neither_followed_nor_changed) {
  node.fake.put_file("/etc/shadow", "secret", 0600);
  node.fake.put_directory("/srv/data", 0700);
  node.fake.put_symlink(path("file"), "/etc/shadow");
  node.fake.put_symlink(path("directory"), "/srv/data");
  node.fake.put_symlink(path("nowhere"), "/none");
  EXPECT_THAT(node.run_well({to_group(2000)}).warnings, IsEmpty());
  EXPECT_EQ(node.fake.status("/etc/shadow")->group, 0u);
  EXPECT_EQ(node.fake.status("/etc/shadow")->mode, 0600u);
  EXPECT_EQ(node.fake.status("/srv/data")->mode, 0700u);
}

TEST_F(Group, kb_10_1_bug_what_is_mounted_below_is_not_entered) {
  node.fake.put_directory(path("disk"));
  node.fake.mount_foreign(path("disk"), "ext4", "/dev/sdb");
  node.fake.put_file(path("disk/file"), "x", 0600);
  node.run_well({to_group(2000)});
  EXPECT_EQ(group("disk"), 0u);
  EXPECT_EQ(mode("disk/file"), 0600u);
  EXPECT_EQ(group(), 2000u);
}

TEST_F(Group, kb_10_1_always_is_a_full_walk_each_time) {
  node.run_well({to_group(2000)});
  node.fake.put_file(path("late"), "x", 0600);
  node.run_well({to_group(2000)});
  EXPECT_EQ(mode("late"), 0660u);
}

TEST_F(Group, kb_10_1_on_root_mismatch_asks_for_group_access_and_the_set_group_id_bit) {
  for (const bool read_only : {false, true}) {
    const ChangeGroup unless_done{volume_path, 2000, read_only, true, 0};
    for (const std::uint32_t missing : {02000u, 0400u, 0100u, 0040u, 0010u}) {
      node.run_well({to_group(2000)});
      ASSERT_EQ(node.fake.set_mode(path(), 02770u & ~missing), 0);
      node.fake.put_file(path("late"), "x", 0600);
      node.run_well({unless_done});
      EXPECT_EQ(mode("late"), read_only ? 0640u : 0660u) << std::oct << missing;
      node.fake.remove_all(path("late"));
    }
    node.fake.put_file(path("late"), "x", 0600);
    ASSERT_EQ(node.fake.set_mode(path(), read_only ? 02550 : 02770), 0);
    node.run_well({unless_done});
    EXPECT_EQ(mode("late"), 0600u) << "the root says that all is done";
    node.fake.remove_all(path("late"));
  }
}

TEST_F(Group, kb_10_1_what_cannot_be_read_ends_it_with_an_error) {
  node.fake.put_file(path("f"), "x", 0600);
  node.fail_call("change_group.entry", EIO, true);
  const Error error = node.run_badly({to_group(2000)});
  EXPECT_EQ(error.errno_value, EIO);
  EXPECT_EQ(group(), 0u) << "the root is not marked";
}

TEST_F(Group, kb_13_1_bug_an_empty_dir_whose_group_cannot_be_given_is_not_made_in_silence) {
  std::vector<Step> all = up;
  all.emplace_back(to_group(2000));
  node.fail_call("change_group", EIO, true);
  EXPECT_EQ(node.run_badly(all).errno_value, EIO);
  node.heal();
  node.run_well(all);
  EXPECT_EQ(group(), 2000u);
}

const std::string place = layout::sub_path(uid, VolumeName("v"), ContainerName("main"), 0);
const ReleaseSubPaths release{uid, VolumeName("v")};

BindSubPath part(const std::string& path) {
  return {volume_path, "", std::nullopt, path, place, true, "subPath of volumeMount /v of container main"};
}

struct Part : Volume {
  std::vector<std::string> mounted() const { return node.mounted_at(node.root(place)); }
};

TEST_F(Part, kb_11_2_what_is_made_has_the_mode_of_the_root_and_what_leads_there_less) {
  ASSERT_EQ(node.fake.set_mode(path(), 03777), 0);
  node.run_well({part("a/b/c")});
  EXPECT_EQ(mode("a/b/c"), 03777u);
  EXPECT_EQ(mode("a/b") & 0777u, 0755u);
  EXPECT_EQ(mode("a") & 0777u, 0755u);
}

TEST_F(Part, kb_11_2_an_error_names_mount_and_container_and_no_path_of_the_node) {
  node.fake.put_symlink(path("out"), "/etc");
  node.fake.put_symlink(path("nowhere"), "none");
  node.fake.put_file(path("f"), "x");
  for (const char* asked : {"out/x", "nowhere", "f/below"}) {
    const Error error = node.run_badly({part(asked)});
    EXPECT_THAT(error.message, HasSubstr("volumeMount /v of container main")) << asked;
    EXPECT_THAT(error.message, Not(HasSubstr(node.fake.root_dir()))) << asked;
    EXPECT_THAT(error.message, Not(HasSubstr("/etc"))) << asked;
  }
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_FALSE(has("none"));
}

TEST_F(Part, kb_11_3_places_are_private_and_of_the_kind_of_the_source) {
  node.run_well({part("d")});
  for (const std::string& parent : {layout::sub_paths(uid), layout::sub_paths(uid, VolumeName("v")),
                                    layout::sub_paths(uid, VolumeName("v")) + "/main"})
    EXPECT_EQ(node.fake.status(node.root(parent))->mode, 0750u) << parent;
  node.fake.unmount_foreign(node.root(place));
  EXPECT_EQ(node.fake.status(node.root(place))->mode, 0750u);
  node.fake.put_file(path("f"), "x");
  node.run_well({part("f")});
  node.fake.unmount_foreign(node.root(place));
  EXPECT_EQ(node.fake.status(node.root(place))->mode, 0640u);
  EXPECT_EQ(node.fake.read(node.root(place)), "");
}

TEST_F(Part, kb_11_3_pipes_sockets_and_devices_are_bound_as_files) {
  node.fake.put_fifo(path("pipe"));
  node.fake.put_socket(path("socket"));
  node.fake.put_char_device(path("device"));
  for (const auto& [name, type] :
       {std::pair("pipe", kernel::FileType::Fifo), std::pair("socket", kernel::FileType::Socket),
        std::pair("device", kernel::FileType::CharDevice)}) {
    node.run_well({part(name)});
    EXPECT_EQ(node.fake.status(node.root(place))->type, type) << name;
    EXPECT_EQ(mounted().size(), 1u) << "the one before is not under it";
  }
  node.run_well({release});
  EXPECT_FALSE(node.fake.exists(node.root(layout::sub_paths(uid))));
  EXPECT_TRUE(has("pipe") && has("socket") && has("device"));
}

TEST_F(Part, kb_11_3_a_bind_that_fails_leaves_no_place) {
  node.fail_call("bind_open", ENOMEM, true);
  EXPECT_EQ(node.run_badly({part("d")}).errno_value, ENOMEM);
  EXPECT_FALSE(node.fake.exists(node.root(place)));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST(PartOfMountedRoot, kb_11_3_bug_103836_what_is_bound_stays_where_the_root_is_a_mount_itself) {
  Node node;
  node.fake.mount_foreign(node.fake.root_dir(), "ext4", "/dev/sdb");
  node.fake.reopen_root();
  node.run_well({make_pod, MakeDirectory{volume_path, 0777}, part("d")});
  const auto before = node.fake.mounts_made();
  EXPECT_FALSE(node.run_well({part("d")}).changed);
  EXPECT_EQ(node.fake.mounts_made(), before);
}

TEST_F(Part, kb_11_4_bug_139535_a_part_whose_file_was_removed_is_released_all_the_same) {
  node.fake.put_file(path("f"), "x");
  node.run_well({part("f")});
  node.fake.remove_all(path("f"));
  ASSERT_EQ(mounted().size(), 1u);
  node.run_well({release});
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_FALSE(node.fake.exists(node.root(layout::sub_paths(uid))));
}

TEST_F(Part, kb_11_4_without_parts_there_is_nothing_to_do) {
  EXPECT_FALSE(node.run_well({release}).changed);
}

TEST_F(Part, kb_11_4_the_parts_of_other_volumes_stay) {
  BindSubPath other = part("d");
  other.target = layout::sub_path(uid, VolumeName("w"), ContainerName("main"), 0);
  node.run_well({part("d"), other, release});
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_EQ(node.mounted_at(node.root(other.target)).size(), 1u);
  EXPECT_FALSE(node.fake.exists(node.root(layout::sub_paths(uid, VolumeName("v")))));
  node.run_well({ReleaseSubPaths{uid, VolumeName("w")}});
  EXPECT_FALSE(node.fake.exists(node.root(layout::sub_paths(uid))));
}

TEST_F(Part, kb_11_4_directories_of_a_mounted_part_are_not_entered) {
  node.fake.put_file(path("d/deep/file"), "kept");
  node.run_well({part("d"), release});
  EXPECT_EQ(read("d/deep/file"), "kept");
}

PublishFiles version(int number, const std::vector<std::pair<std::string, std::string>>& files) {
  PublishFiles step;
  step.path = volume_path;
  step.version = layout::content_version(WallTime{std::chrono::seconds(1'600'000'000 + number)});
  for (const auto& [path, content] : files)
    step.files.push_back({path, 0644, SecretBytes(content)});
  return step;
}

struct Writer : Volume {};

TEST_F(Writer, kb_12_one_link_for_each_first_element) {
  node.run_well({version(1, {{"a", "1"}, {"d/e/f", "2"}, {"d/g", "3"}})});
  EXPECT_EQ(link("..data"), "..2020_09_13_12_26_41.000000000");
  EXPECT_EQ(link("a"), "..data/a");
  EXPECT_EQ(link("d"), "..data/d");
  EXPECT_EQ(read("d/e/f"), "2");
  EXPECT_EQ(mode("..data"), 0755u);
  EXPECT_EQ(mode("d/e"), 0755u);
}

TEST_F(Writer, kb_12_modes_are_exact) {
  PublishFiles step = version(1, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  step.files[0].mode = 0;
  step.files[1].mode = 0777;
  step.files[2].mode = 0421;
  node.run_well({step});
  EXPECT_EQ(mode("a"), 0u);
  EXPECT_EQ(mode("b"), 0777u);
  EXPECT_EQ(mode("c"), 0421u);
}

TEST_F(Writer, kb_12_names_come_after_the_switch_and_go_after_it) {
  node.run_well({version(1, {{"old", "1"}})});
  std::vector<std::string> seen;
  node.fake.set_hook([&](std::string_view call, const std::string&, bool before) {
    if (call == "replace")
      seen.push_back(std::string(before ? "before" : "after") + (link("old") == "no link" ? "" : " old") +
                     (link("new") == "no link" ? "" : " new"));
    return Fault::none();
  });
  node.run_well({version(2, {{"new", "2"}})});
  node.heal();
  EXPECT_THAT(seen, ElementsAre("before old", "after old"));
  EXPECT_EQ(link("old"), "no link");
  EXPECT_EQ(link("new"), "..data/new");
}

TEST_F(Writer, kb_12_a_file_may_become_a_directory_and_back) {
  node.run_well({version(1, {{"a", "1"}})});
  node.run_well({version(2, {{"a/b", "2"}})});
  EXPECT_EQ(read("a/b"), "2");
  node.run_well({version(3, {{"a", "3"}})});
  EXPECT_EQ(read("a"), "3");
}

TEST_F(Writer, kb_12_the_old_version_is_removed_whole) {
  const PublishFiles first = version(1, {{"a/b/c", "1"}});
  node.run_well({first, version(2, {{"a/b/c", "2"}})});
  EXPECT_FALSE(has(first.version));
}

TEST_F(Writer, kb_12_a_clock_that_stands_still_gives_a_new_version_all_the_same) {
  const PublishFiles first = version(1, {{"a", "1"}});
  node.run_well({first, version(1, {{"a", "2"}})});
  EXPECT_EQ(read("a"), "2");
  EXPECT_NE(link("..data"), first.version);
  EXPECT_FALSE(has(first.version));
}

TEST_F(Writer, kb_12_what_fails_changes_nothing_and_leaves_nothing) {
  const PublishFiles first = version(1, {{"a", "1"}, {"b", "1"}});
  node.run_well({first});
  const auto before = node.picture();
  for (const char* call : {"write_file", "make_link", "replace"}) {
    node.fail_call(call, ENOSPC, true);
    EXPECT_EQ(node.run_badly({version(2, {{"a", "2"}, {"b", "1"}})}).errno_value, ENOSPC) << call;
    node.heal();
    EXPECT_EQ(read("a"), "1");
    node.run_well({first});
    EXPECT_EQ(node.picture(), before) << call;
  }
}

TEST_F(Writer, kb_13_5_an_empty_volume_has_its_version_too) {
  node.run_well({version(1, {})});
  EXPECT_EQ(link("..data"), "..2020_09_13_12_26_41.000000000");
  EXPECT_THAT(node.fake.tree_listing(path("..data")), IsEmpty());
  node.run_well({version(2, {{"a", "1"}})});
  EXPECT_EQ(read("a"), "1");
  node.run_well({version(3, {})});
  EXPECT_EQ(link("a"), "no link");
}

TEST_F(Writer, kb_13_5_mount_points_are_directories_that_all_may_enter) {
  PublishFiles step = version(1, {{"a", "1"}});
  step.mount_points = {"cache", "x/y"};
  node.run_well({step});
  for (const char* name : {"cache", "x", "x/y"})
    EXPECT_EQ(mode(name), 0755u) << name;
  EXPECT_EQ(mode(), 0777u);
}

TEST_F(Writer, kb_13_5_a_mount_point_with_the_name_of_a_file_is_refused) {
  PublishFiles step = version(1, {{"a", "1"}});
  step.mount_points = {"a"};
  const Error error = node.run_badly({step});
  EXPECT_EQ(error.reason, "ForeignContent");
  EXPECT_THAT(error.message, HasSubstr("mounts something at a"));
}

struct EmptyDir : Volume {};

TEST_F(EmptyDir, kb_13_1_made_again_it_keeps_what_it_holds) {
  node.fake.put_file(path("file"), "kept");
  EXPECT_FALSE(node.run_well(up).changed);
  EXPECT_EQ(read("file"), "kept");
  EXPECT_EQ(mode(), 0777u);
}

TEST_F(EmptyDir, kb_13_1_one_that_vanished_is_made_afresh) {
  node.fake.remove_all(path());
  EXPECT_TRUE(node.run_well(up).changed);
  EXPECT_EQ(mode(), 0777u);
}

TEST_F(EmptyDir, kb_13_1_in_memory_it_is_mounted_once_and_keeps_what_it_holds) {
  std::vector<Step> memory = up;
  memory.emplace_back(MountTmpfs{volume_path, 1 << 20, 01777});
  node.run_well(memory);
  EXPECT_EQ(mode(), 01777u);
  node.fake.put_file(path("file"), "kept");
  EXPECT_FALSE(node.run_well(memory).changed);
  EXPECT_THAT(node.mounted_at(path()), ElementsAre("tmpfs"));
  EXPECT_EQ(read("file"), "kept");
}

TEST_F(EmptyDir, kb_13_1_what_is_mounted_tells_how_it_goes_and_not_what_was_asked_for) {
  const std::vector<Step> down{Unmount{volume_path, {"tmpfs", "hugetlbfs", "bind"}},
                               DiscardDirectory{volume_path, "t"}};
  const std::vector<std::vector<Step>> mounts{
      {}, {MountTmpfs{volume_path, {}, 01777}}, {MountHugetlbfs{volume_path, 2U << 20U}}};
  for (const std::vector<Step>& mount : mounts) {
    node.run_well(up);
    node.run_well(mount);
    node.run_well(down);
    EXPECT_FALSE(node.fake.exists(path()));
    EXPECT_THAT(node.mounted_at(path()), IsEmpty());
    node.run_well(down);  // What is gone may be removed.
  }
}

}  // namespace
}  // namespace mooring
