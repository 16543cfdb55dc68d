// PublishFiles: what readers of a configuration volume see, whatever happens.

#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Pairs = std::vector<std::pair<std::string, std::string>>;

PublishFiles step_of(int version, const Pairs& files, std::vector<std::string> mount_points = {}) {
  PublishFiles step;
  step.path = volume_path;
  step.version = layout::content_version(WallTime{std::chrono::seconds(1'000'000'000 + version)});
  for (const auto& [path, content] : files)
    step.files.push_back({path, 0644, SecretBytes(content)});
  step.mount_points = std::move(mount_points);
  return step;
}

struct Publish : testing::Test {
  Publish() { node.run_well({make_pod, MakeDirectory{volume_path, 0777}}); }

  std::string read(const std::string& path) const { return node.fake.read(node.volume + "/" + path); }
  bool has(const std::string& path) const { return node.fake.exists(node.volume + "/" + path); }
  /// The names in the volume itself.
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const std::string& line : node.fake.tree_listing(node.volume)) {
      const std::string rest = line.substr(node.volume.size() + 1);
      if (rest.find('/') == std::string::npos) out.push_back(rest.substr(0, rest.find(' ')));
    }
    return out;
  }
  std::string data() const {
    const auto target = node_files().read_link(volume_path + "/..data");
    return target && target.value() ? *target.value() : std::string();
  }
  kernel::Files& node_files() const { return const_cast<Node&>(node).fake.ports().files; }

  Node node;
  const PublishFiles first = step_of(1, {{"a", "1"}, {"deep/b", "1"}, {"deep/er/c", "1"}});
  const PublishFiles second = step_of(2, {{"a", "2"}, {"d", "2"}});
};

TEST_F(Publish, kb_12_files_are_behind_links_and_one_version) {
  EXPECT_TRUE(node.run_well({first}).changed);
  EXPECT_EQ(read("a"), "1");
  EXPECT_EQ(read("deep/er/c"), "1");
  EXPECT_EQ(data(), first.version);
  EXPECT_THAT(names(), ElementsAre("..2001_09_09_01_46_41.000000000", "..data", "a", "deep"));
  EXPECT_EQ(node_files().read_link(volume_path + "/a").value(), "..data/a");
  EXPECT_THAT(node.fake.tree_listing(node.volume), Contains(HasSubstr(first.version + " directory 755")));
}

TEST_F(Publish, kb_12_a_new_version_replaces_the_old_one_and_its_names) {
  node.run_well({first});
  EXPECT_TRUE(node.run_well({second}).changed);
  EXPECT_EQ(read("a"), "2");
  EXPECT_EQ(read("d"), "2");
  EXPECT_FALSE(has("deep"));
  EXPECT_THAT(names(), ElementsAre(second.version, "..data", "a", "d"));
}

TEST_F(Publish, kb_12_what_is_there_already_is_not_touched) {
  node.run_well({first});
  const auto before = node.picture();
  PublishFiles again = step_of(9, {{"a", "1"}, {"deep/b", "1"}, {"deep/er/c", "1"}});
  EXPECT_FALSE(node.run_well({again}).changed);
  EXPECT_EQ(node.picture(), before);
  EXPECT_EQ(data(), first.version);
}

TEST_F(Publish, kb_12_bug_a_change_of_modes_alone_is_applied) {
  node.run_well({first});
  PublishFiles stricter = step_of(2, {{"a", "1"}, {"deep/b", "1"}, {"deep/er/c", "1"}});
  stricter.files[0].mode = 0400;
  EXPECT_TRUE(node.run_well({stricter}).changed);
  EXPECT_EQ(node_files().status(volume_path + "/" + stricter.version + "/a").value()->mode, 0400u);
}

TEST_F(Publish, kb_12_bug_a_link_that_somebody_removed_or_changed_is_repaired) {
  node.run_well({first});
  node.fake.remove_all(node.volume + "/a");
  EXPECT_TRUE(node.run_well({first}).changed);
  EXPECT_EQ(read("a"), "1");
  ASSERT_TRUE(node_files().remove_file(volume_path + "/a"));
  ASSERT_TRUE(node_files().make_link(volume_path + "/a", "/etc/passwd"));
  EXPECT_TRUE(node.run_well({first}).changed);
  EXPECT_EQ(read("a"), "1");
  EXPECT_EQ(data(), first.version) << "the version itself was right";
}

TEST_F(Publish, kb_12_bug_what_a_crash_left_is_removed) {
  node.run_well({first});
  ASSERT_TRUE(node_files().make_link(volume_path + "/..data_tmp", "..1999_01_01_00_00_00.1"));
  node.fake.put_file(node.volume + "/..1999_01_01_00_00_00.1/half", "h");
  EXPECT_TRUE(node.run_well({first}).changed);
  EXPECT_THAT(names(), ElementsAre(first.version, "..data", "a", "deep"));
  node.fake.put_file(node.volume + "/" + second.version + "/half", "h");
  node.run_well({second});
  EXPECT_FALSE(has("..data/half"));
}

TEST_F(Publish, kb_12_readers_see_one_whole_version_whatever_fails_or_ends_where) {
  node.run_well({first});
  const auto is_whole = [&] {
    const std::string a = read("..data/a");
    return a == "1" ? read("..data/deep/b") == "1" && !has("..data/d") : a == "2" && read("..data/d") == "2";
  };
  for (int stop = 0; stop < 200; ++stop) {
    const PublishFiles next = stop % 2 == 0 ? second : first;
    int calls = 0;
    bool was_stopped = false;
    node.fake.set_hook([&](std::string_view, const std::string&, bool) {
      EXPECT_TRUE(is_whole());
      if (calls++ != stop / 2) return Fault::none();
      was_stopped = true;
      return stop % 4 < 2 ? Fault::error(EIO) : Fault::crash();
    });
    try {
      node.run({next});
    } catch (const kernel::FakeCrash&) {
    }
    node.heal();
    ASSERT_TRUE(is_whole()) << stop;
    node.run_well({next});
    ASSERT_EQ(read("a"), next == second ? "2" : "1") << stop;
    ASSERT_EQ(names().size(), next == second ? 4u : 4u) << stop;
    if (!was_stopped) break;
  }
}

TEST_F(Publish, kb_13_5_mount_points_of_others_outlive_a_new_version) {
  const PublishFiles with = step_of(1, {{"a", "1"}}, {"cache", "x/y"});
  EXPECT_TRUE(node.run_well({with}).changed);
  EXPECT_FALSE(node.run_well({with}).changed);
  node.fake.put_file(node.volume + "/cache/of somebody", "precious");
  node.run_well({step_of(2, {{"a", "2"}}, {"cache", "x/y"})});
  EXPECT_EQ(read("cache/of somebody"), "precious");
  EXPECT_TRUE(has("x/y"));
}

TEST_F(Publish, what_mooring_did_not_make_is_in_the_way_and_stays) {
  node.fake.put_file(node.volume + "/a", "foreign");
  const Error error = node.run_badly({first});
  EXPECT_EQ(error.reason, "ForeignContent");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_EQ(read("a"), "foreign");
  node.fake.remove_all(node.volume + "/a");
  node.run_well({first});
  node.fake.put_directory(node.volume + "/of somebody");
  node.run_well({second});
  EXPECT_TRUE(has("of somebody"));
}

TEST_F(Publish, kb_13_6_no_content_is_in_what_is_said_of_it) {
  PublishFiles secret = step_of(1, {{"token", "HIDDEN-MARKER"}});
  EXPECT_THAT(describe(secret), Not(HasSubstr("HIDDEN-MARKER")));
  node.fail_call("write_file", ENOSPC, true);
  EXPECT_THAT(node.run_badly({secret}).text(), Not(HasSubstr("HIDDEN-MARKER")));
}

TEST_F(Publish, kb_10_1_a_group_reads_it_from_the_first_moment) {
  PublishFiles step = first;
  step.group = 2000;
  step.files[0].mode = 0400;
  std::vector<std::string> seen;
  node.fake.set_hook([&](std::string_view call, const std::string&, bool before) {
    if (call != "replace" || before) return Fault::none();
    for (const char* path : {"", "/..data/", "/a", "/deep/b", "/deep/er"}) {
      const auto status = node.fake.ports().files.host_status({node.volume + path, std::nullopt}).value();
      seen.push_back(std::to_string(status->group) + " " + std::to_string(status->mode));
    }
    return Fault::none();
  });
  node.run_well({step});
  node.heal();
  const auto line = [](std::uint32_t mode) { return "2000 " + std::to_string(mode); };
  ASSERT_THAT(seen, testing::SizeIs(5));
  EXPECT_EQ(seen[0], line(02777));
  EXPECT_EQ(seen[1], line(02755));
  EXPECT_FALSE(node.run_well({step}).changed);
  EXPECT_EQ(node_files().host_status({node.volume + "/a", std::nullopt}).value()->mode, 0440u);
  EXPECT_EQ(node_files().host_status({node.volume + "/deep/b", std::nullopt}).value()->mode, 0644u);
  step.group = 3000;
  EXPECT_TRUE(node.run_well({step}).changed);
  EXPECT_EQ(node_files().host_status({node.volume + "/a", std::nullopt}).value()->group, 3000u);
}

struct Live : Publish {
  PublishFiles with(PublishFiles step, std::vector<LivePart> parts) {
    step.live_parts = std::move(parts);
    return step;
  }
  std::uint64_t inode(const std::string& path) const {
    return node_files().status(volume_path + "/" + path).value()->inode;
  }
};

TEST_F(Live, kb_11_4_gap_50345_a_live_file_stays_the_same_file_and_has_the_new_content) {
  node.run_well({with(first, {{"a", "a"}})});
  EXPECT_EQ(read("..live/a"), "1");
  const auto before = inode("..live/a");
  node.run_well({with(second, {{"a", "a"}})});
  EXPECT_EQ(read("..live/a"), "2");
  EXPECT_EQ(inode("..live/a"), before);
  EXPECT_FALSE(node.run_well({with(second, {{"a", "a"}})}).changed);
}

TEST_F(Live, a_live_directory_stays_and_its_files_are_replaced_and_removed) {
  node.run_well({with(first, {{"deep", "deep"}})});
  EXPECT_EQ(read("..live/deep/er/c"), "1");
  const auto before = inode("..live/deep");
  node.run_well({with(step_of(2, {{"deep/b", "2"}, {"deep/new", "2"}}), {{"deep", "deep"}})});
  EXPECT_EQ(inode("..live/deep"), before);
  EXPECT_EQ(read("..live/deep/b"), "2");
  EXPECT_EQ(read("..live/deep/new"), "2");
  EXPECT_FALSE(has("..live/deep/er"));
}

TEST_F(Live, a_part_that_is_gone_stays_as_it_was_and_one_that_nobody_asks_for_is_removed) {
  node.run_well({with(first, {{"a", "a"}, {"deep~1b", "deep/b"}})});
  node.run_well({with(second, {{"a", "a"}, {"deep~1b", "deep/b"}})});
  EXPECT_EQ(read("..live/deep~1b"), "1");
  node.run_well({with(second, {{"a", "a"}})});
  EXPECT_FALSE(has("..live/deep~1b"));
  node.run_well({second});
  EXPECT_FALSE(has("..live"));
}

TEST_F(Live, a_directory_that_a_crash_left_without_the_group_is_given_to_it) {
  PublishFiles step = with(first, {{"deep", "deep"}});
  step.group = 2000;
  for (const char* path : {"..live", "..live/deep", "..live/deep/er"}) {
    node.run_well({step});
    ASSERT_TRUE(node_files().set_owner(volume_path + "/" + path, 0, 0755));
    EXPECT_TRUE(node.run_well({step}).changed);
    const auto status = node_files().status(volume_path + "/" + path).value();
    EXPECT_EQ(status->group, 2000u) << path;
    EXPECT_EQ(status->mode, 02755u) << path;
    EXPECT_FALSE(node.run_well({step}).changed);
  }
}

TEST_F(Live, wherever_it_is_stopped_it_goes_on) {
  const std::vector<LivePart> parts{{"a", "a"}, {"deep", "deep"}};
  for (int kind = 0; kind < 3; ++kind) {
    for (int stop = 0; stop < 120; ++stop) {
      node.run_well({with(first, parts)});
      int calls = 0;
      node.fake.set_hook([&](std::string_view, const std::string&, bool before) {
        if (before != (kind != 1) || calls++ != stop) return Fault::none();
        return kind == 2 ? Fault::crash() : Fault::error(EIO);
      });
      try {
        node.run({with(step_of(2, {{"a", "2"}, {"deep/b", "2"}}), parts)});
      } catch (const kernel::FakeCrash&) {
      }
      node.heal();
      EXPECT_THAT(read("..live/a"), testing::AnyOf("1", "2"));
      node.run_well({with(step_of(3, {{"a", "2"}, {"deep/b", "2"}}), parts)});
      EXPECT_EQ(read("..live/a"), "2");
      EXPECT_EQ(read("..live/deep/b"), "2");
      EXPECT_FALSE(has("..live/deep/er"));
      EXPECT_FALSE(has("..live/..data_tmp"));
    }
  }
}

}  // namespace
}  // namespace mooring
