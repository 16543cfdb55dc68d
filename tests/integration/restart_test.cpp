// mooringd ends, in order or by kill -9, and comes back: what is mounted stays, byte by byte, and what
// changed while it was down is seen to.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr const char* unreadable_text =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [\n";

/// Two pods with all kinds of volumes, with content; the parameter is the signal that ends mooringd.
class Restart : public ::testing::TestWithParam<int> {
 protected:
  /// What must still be so if a pod was not touched.
  struct Kept {
    std::string uid;
    Strings mounts;
    ino_t inode = 0;
  };

  Restart() {
    fs::create_directory(node_.dir() + "/host");
    write_in_place(node_.dir() + "/host/file", "of the host");
    node_.start();
    for (const std::string& pod : Strings{"web", "db"}) {
      node_.write(pod + ".yaml", text(pod));
      EXPECT_TRUE(node_.becomes_ready(pod));
      Kept& kept = pods_[pod];
      kept.uid = node_.ctl().uid(pod);
      for (const char* volume : {"default", "memory"})
        write_in_place(path(pod, volume) + "/content", pod);
      kept.mounts = mount_lines(node_.root() + "/pods/" + kept.uid);
      kept.inode = inode_of(path(pod, "default"));
      EXPECT_EQ(kept.mounts.size(), 1U);
    }
  }

  std::string text(const std::string& pod) const {
    return pod_text(pod, {{"default", empty_dir},
                          {"memory", memory_dir},
                          {"directory", host_path(node_.dir() + "/host", "Directory")},
                          {"unchecked", host_path(node_.dir() + "/host/nothing")}});
  }
  std::string path(const std::string& pod, const std::string& volume) const {
    return node_.volume_path(pods_.at(pod).uid, "empty-dir", volume);
  }
  std::string directory(const std::string& pod) const { return node_.root() + "/pods/" + pods_.at(pod).uid; }

  void end() {
    if (GetParam() == SIGKILL) {
      node_.kill();
    } else {
      EXPECT_EQ(node_.stop(), 0);
    }
  }
  void start_again() {
    node_.bus().process();  // What the one before has told.
    node_.bus().forget_signals();
    node_.start();
  }
  void expect_ready(const std::string& pod) {
    EXPECT_TRUE(node_.becomes_ready(pod)) << node_.ctl().pod(pod).dump(2);
  }

  /// In what a pod's volumes differ from before; empty if they were not touched.
  std::string difference(const std::string& pod) const {
    const Kept& kept = pods_.at(pod);
    if (mount_lines(directory(pod)) != kept.mounts) return pod + " has other mounts";
    if (inode_of(path(pod, "default")) != kept.inode) return pod + " has another directory";
    for (const char* volume : {"default", "memory"}) {
      if (read_file(path(pod, volume) + "/content") != pod) return pod + "/" + volume + " lost its content";
    }
    return {};
  }
  bool stays_untouched(const Strings& pods) {
    return node_.stays(
        [&] {
          return std::all_of(pods.begin(), pods.end(),
                             [&](const std::string& pod) { return difference(pod).empty(); });
        },
        Millis(200));
  }

  Node node_;
  std::map<std::string, Kept> pods_;
};

INSTANTIATE_TEST_SUITE_P(By, Restart, ::testing::Values(SIGTERM, SIGKILL), [](const auto& test) {
  return std::string(test.param == SIGTERM ? "Term" : "Kill");
});

TEST_P(Restart, NotOneMountIsChangedAndReadyIsToldAgain) {
  const Strings before = mount_lines(node_.root());
  ASSERT_EQ(before.size(), 2U);
  end();
  EXPECT_EQ(mount_lines(node_.root()), before);
  start_again();
  const auto told = [&] {
    Strings ready = node_.bus().ready();
    std::sort(ready.begin(), ready.end());
    return ready == Strings{"db", "web"};
  };
  EXPECT_TRUE(node_.eventually(told));
  expect_ready("web");
  expect_ready("db");
  EXPECT_TRUE(stays_untouched({"web", "db"}));
  EXPECT_TRUE(told()) << "it was told more than once";
  EXPECT_EQ(mount_lines(node_.root()), before);
  EXPECT_FALSE(node_.bus().has_event("MountVanished", ""));
}

TEST_P(Restart, APodRemovedMeanwhileGoesAndTheOthersStay) {
  end();
  node_.remove("web.yaml");
  EXPECT_EQ(difference("web"), "");
  start_again();
  EXPECT_TRUE(node_.eventually([&] { return !is_there(directory("web")); }));
  EXPECT_TRUE(node_.eventually([&] { return node_.bus().gone() == Strings{"web"}; }));
  expect_ready("db");
  EXPECT_EQ(difference("db"), "");
  EXPECT_EQ(names_in(node_.root() + "/pods"), Strings{pods_["db"].uid});
  EXPECT_TRUE(node_.eventually([&] { return names_in(node_.root() + "/trash").empty(); }));
  EXPECT_EQ(names_in(node_.run_dir() + "/pods").size(), 1U);
  EXPECT_EQ(read_file(node_.dir() + "/host/file"), "of the host");
}

// kubelet-behaviours 2.5 and 2.6: what is mounted stays as it is until the pod goes, whatever the manifest
// says.
TEST_P(Restart, APodEditedMeanwhileKeepsWhatItHasAndGetsWhatIsNew) {
  end();
  node_.write("web.yaml", pod_text("web", {{"default", memory_dir},  // Was a directory.
                                           {"more", empty_dir}}));   // "memory" is not named any more.
  start_again();
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().phase("web", "more") == "Ready"; }));
  expect_ready("web");
  EXPECT_EQ(difference("web"), "");
  EXPECT_TRUE(is_there(path("web", "more")));
  EXPECT_EQ(node_.ctl().reason("web", "default"), "SpecChangeIgnored");
  EXPECT_TRUE(stays_untouched({"web", "db"}));
  node_.remove("web.yaml");
  node_.remove("db.yaml");
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

TEST_P(Restart, WhatWasTakenAwayMeanwhileIsMadeAgain) {
  end();
  unmount(path("web", "memory"));
  fs::remove_all(path("web", "default"));
  start_again();
  expect_ready("web");
  const auto mounts = mounts_at(path("web", "memory"));
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts.front().type, "tmpfs");
  EXPECT_TRUE(names_in(path("web", "memory")).empty());
  EXPECT_TRUE(fs::is_directory(path("web", "default")));
  EXPECT_EQ(mode_of(path("web", "default")), 0777U);
  EXPECT_EQ(difference("db"), "");
}

TEST_P(Restart, DataUnderAMissingMountIsNeitherHiddenNorLost) {
  end();
  unmount(path("web", "memory"));
  write_in_place(path("web", "memory") + "/precious", "data");
  start_again();
  EXPECT_TRUE(node_.gets_reason("web", "memory", "DirectoryNotEmpty"));
  EXPECT_NE(node_.ctl().message("web", "memory").find("precious"), std::string::npos);
  EXPECT_EQ(read_file(path("web", "memory") + "/precious"), "data");
  fs::rename(path("web", "memory") + "/precious", node_.dir() + "/precious");
  EXPECT_EQ(node_.ctl()({"retry"}).status, 0);
  expect_ready("web");
  EXPECT_EQ(mounts_at(path("web", "memory")).size(), 1U);
}

TEST_P(Restart, WhatSomebodyElseLeftIsReportedAndLeftAlone) {
  end();
  const std::string stranger = node_.root() + "/pods/0b5c7a52-0000-4000-8000-00000000000f";
  fs::create_directories(stranger + "/volumes/kubernetes.io~empty-dir/data");
  write_in_place(stranger + "/volumes/kubernetes.io~empty-dir/data/file", "not Mooring's");
  const std::string mounted = node_.root() + "/elsewhere";
  fs::create_directory(mounted);
  mount_tmpfs(mounted, "");
  write_in_place(mounted + "/file", "not Mooring's");
  start_again();
  expect_ready("web");
  EXPECT_TRUE(node_.gets_problem(fs::path(stranger).filename()));
  EXPECT_TRUE(node_.gets_problem(mounted));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_EQ(read_file(stranger + "/volumes/kubernetes.io~empty-dir/data/file"), "not Mooring's");
  EXPECT_EQ(read_file(mounted + "/file"), "not Mooring's");
  EXPECT_EQ(difference("db"), "");
}

TEST_P(Restart, ATeardownUnderWayIsFinishedAndHeldByWhatHeldItBefore) {
  const std::string inside = path("web", "default") + "/inside";
  fs::create_directory(inside);
  mount_tmpfs(inside, "");
  write_in_place(inside + "/file", "not Mooring's");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.gets_reason("web", "default", "MountedBelow"));
  EXPECT_TRUE(node_.eventually([&] { return mounts_at(path("web", "memory")).empty(); }));
  end();
  start_again();
  EXPECT_TRUE(node_.gets_reason("web", "default", "MountedBelow"));
  EXPECT_EQ(read_file(inside + "/file"), "not Mooring's");
  EXPECT_EQ(read_file(path("web", "default") + "/content"), "web");
  unmount(inside);
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_FALSE(is_there(directory("web")));
  EXPECT_EQ(difference("db"), "");
}

TEST_P(Restart, APodThatReturnsMeanwhileKeepsWhatWasNotYetTornDown) {
  const std::string inside = path("web", "default") + "/inside";
  fs::create_directory(inside);
  mount_tmpfs(inside, "");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.gets_reason("web", "default", "MountedBelow"));
  EXPECT_TRUE(node_.eventually([&] { return !is_there(path("web", "memory")); }));
  end();
  node_.write("web.yaml", text("web"));
  start_again();
  expect_ready("web");
  EXPECT_EQ(read_file(path("web", "default") + "/content"), "web");
  EXPECT_EQ(mounts_at(path("web", "memory")).size(), 1U);
  EXPECT_TRUE(names_in(path("web", "memory")).empty());
  EXPECT_EQ(mounts_at(inside).size(), 1U);
  EXPECT_EQ(difference("db"), "");
}

// The directory of the manifests is not there, or is something else: nobody can know what is wanted.
TEST_P(Restart, WithoutItsManifestDirectoryNothingIsTornDown) {
  const std::string away = node_.dir() + "/away";
  for (const std::string& instead : Strings{"nothing", "a file", "a dangling link"}) {
    SCOPED_TRACE(instead);
    end();
    fs::rename(node_.manifests(), away);
    if (instead == "a file") write_in_place(node_.manifests(), text("web"));
    if (instead == "a dangling link") fs::create_symlink(node_.dir() + "/nowhere", node_.manifests());
    start_again();
    EXPECT_TRUE(node_.eventually([&] {
      return node_.ctl().problems().find("cannot read the manifest directory") != std::string::npos;
    }));
    EXPECT_TRUE(stays_untouched({"web", "db"}));
    EXPECT_EQ(node_.ctl().json({"status"}).value("manifestsComplete", true), false);
    EXPECT_TRUE(node_.eventually([&] {  // Once it was looked at what there is.
      return node_.ctl().message("web", "default").find("nothing is torn down") != std::string::npos;
    })) << node_.ctl().message("web", "default");
    fs::remove(node_.manifests());
    fs::rename(away, node_.manifests());
    expect_ready("web");
    expect_ready("db");
    EXPECT_TRUE(node_.eventually([&] { return node_.ctl().problems().empty(); })) << node_.ctl().problems();
    EXPECT_EQ(difference("web") + difference("db"), "");
  }
  end();
  fs::rename(node_.manifests(), away);
  fs::remove(away + "/web.yaml");
  start_again();
  EXPECT_TRUE(stays_untouched({"web", "db"}));
  fs::rename(away, node_.manifests());
  EXPECT_TRUE(node_.eventually([&] { return !is_there(directory("web")); })) << "it is read whole now";
  expect_ready("db");
  EXPECT_EQ(difference("db"), "");
}

TEST_P(Restart, AManifestThatBrokeMeanwhileKeepsItsPod) {
  end();
  node_.write("web.yaml", unreadable_text);
  start_again();
  expect_ready("db");
  EXPECT_TRUE(node_.gets_problem("web.yaml"));
  EXPECT_TRUE(stays_untouched({"web", "db"}));
  node_.write("web.yaml", text("web"));
  expect_ready("web");
  EXPECT_EQ(difference("web"), "");
}

// Nobody can tell which pod the broken file asks for: it may be one whose own manifest is gone.
TEST_P(Restart, AFileThatNobodyCanIdentifyHoldsEveryTeardown) {
  end();
  node_.write("web.yaml", "{{{ not yaml");
  node_.remove("db.yaml");
  start_again();
  EXPECT_TRUE(node_.gets_problem("web.yaml"));
  EXPECT_TRUE(stays_untouched({"web", "db"}));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

TEST_P(Restart, WithoutRecordsTheStampsProveWhatIsMoorings) {
  end();
  fs::remove_all(node_.run_dir() + "/pods");
  node_.remove("web.yaml");
  start_again();
  expect_ready("db");
  EXPECT_EQ(difference("db"), "");
  EXPECT_TRUE(node_.eventually([&] { return !is_there(directory("web")); }));
}

// What a boot leaves: no mounts, an empty run directory, and the directories on disk.
TEST_P(Restart, AfterARebootDiskVolumesHaveTheirContentAndMemoryIsEmpty) {
  end();
  unmount_all(node_.root());
  fs::remove_all(node_.run_dir() + "/pods");
  start_again();
  expect_ready("web");
  EXPECT_EQ(read_file(path("web", "default") + "/content"), "web");
  EXPECT_EQ(mounts_at(path("web", "memory")).size(), 1U);
  EXPECT_TRUE(names_in(path("web", "memory")).empty());
}

// Nobody remembers what was made, the manifest says something else now, and the data is still there.
TEST_P(Restart, AfterARebootNoMountCoversTheDataOfAVolumeThatIsToBeInMemoryNow) {
  end();
  unmount_all(node_.root());
  fs::remove_all(node_.run_dir() + "/pods");
  node_.write("web.yaml", pod_text("web", {{"default", memory_dir}}));
  start_again();
  EXPECT_TRUE(node_.gets_reason("web", "default", "DirectoryNotEmpty"));
  EXPECT_EQ(read_file(path("web", "default") + "/content"), "web");
  expect_ready("db");
}

// A worker that does not come up for a while: mooringd answers on the bus long before it knows what is on the
// node.
TEST_P(Restart, GoneIsNotSaidBeforeTheNodeWasLookedAt) {
  end();
  node_.remove("web.yaml");
  Strings arguments = node_.arguments();
  std::string& worker = *std::next(std::find(arguments.begin(), arguments.end(), "--worker-program"));
  const std::string gate = node_.dir() + "/gate";
  const std::string late_worker = node_.dir() + "/worker";
  write_in_place(late_worker,
                 "#!/bin/sh\nuntil [ -e " + gate + " ]; do sleep 0.02; done\nexec " + worker + " \"$@\"\n");
  fs::permissions(late_worker, fs::perms::owner_all);
  worker = late_worker;
  const Process daemon(arguments, {node_.dir() + "/log", {}});
  ASSERT_TRUE(node_.eventually([&] { return node_.bus().owner() == daemon.pid(); }));
  EXPECT_EQ(node_.bus().wait_for_pod("web", "gone", 300), "TimedOut");
  EXPECT_EQ(difference("web"), "");
  write_in_place(gate, "");
  EXPECT_EQ(node_.bus().wait_for_pod("web", "gone", 20'000), "");
  EXPECT_FALSE(is_there(directory("web")));
}

// The kernel writes blanks, tabs, newlines and backslashes of a mount point as octal numbers.
TEST(RestartOddRoot, APathOfOddCharactersIsNoObstacle) {
  Node node(NodeOptions{.root_name = "a b\tc\\d\ne\\040f"});
  node.start();
  node.write("web.yaml", pod_text("web", {{"default", empty_dir}, {"memory", memory_dir}}));
  ASSERT_TRUE(node.becomes_ready("web"));
  const std::string uid = node.ctl().uid("web");
  const std::string memory = node.volume_path(uid, "empty-dir", "memory");
  EXPECT_EQ(node.ctl().path("web", "memory"), memory);
  ASSERT_EQ(mounts_at(memory).size(), 1U);
  write_in_place(memory + "/content", "x");
  write_in_place(node.volume_path(uid, "empty-dir", "default") + "/content", "x");
  const Strings before = mount_lines(node.root());
  for (const bool in_order : {true, false}) {
    if (in_order) {
      EXPECT_EQ(node.stop(), 0);
    } else {
      node.kill();
    }
    node.start();
    EXPECT_TRUE(node.becomes_ready("web"));
    EXPECT_EQ(mount_lines(node.root()), before);
    EXPECT_EQ(read_file(memory + "/content"), "x");
  }
  unmount(memory);
  EXPECT_TRUE(node.eventually([&] { return mounts_at(memory).size() == 1; }))
      << "it is not seen that it went";
  EXPECT_TRUE(node.becomes_ready("web"));
  node.remove("web.yaml");
  EXPECT_TRUE(node.eventually([&] { return node.is_empty(); }));
}

}  // namespace
}  // namespace mooring::integration
