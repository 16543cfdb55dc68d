// A full or read-only file system, directories and daemons that go and come back: all is told with its cause,
// nothing is lost, and everything goes on by itself when the cause is gone.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// More than the next few tries need: the pause between them is doubled each time.
constexpr Millis recovery{15'000};

class Faults : public ::testing::Test {
 protected:
  /// A small file system of its own in the place of a directory, before mooringd is started.
  void mount_small(const std::string& directory, const std::string& options) {
    fs::create_directories(directory);
    mount_tmpfs(directory, options);
  }
  void write_pod(const std::string& name) {
    node_.write(name + ".yaml", pod_text(name, {{"disk", empty_dir}, {"memory", memory_dir}}));
  }
  /// A pod with content in its volumes, which must outlive what comes.
  void start_with_content() {
    node_.start();
    write_pod("old");
    ASSERT_TRUE(node_.becomes_ready("old"));
    disk_ = node_.ctl().path("old", "disk") + "/file";
    memory_ = node_.ctl().path("old", "memory") + "/file";
    write_in_place(disk_, "on disk");
    write_in_place(memory_, "in memory");
  }
  void expect_content() {
    EXPECT_TRUE(node_.ctl().pod("old").value("ready", false));
    EXPECT_EQ(read_file(disk_), "on disk");
    EXPECT_EQ(read_file(memory_), "in memory");
    EXPECT_EQ(mounts_at(fs::path(memory_).parent_path().string()).size(), 1U);
  }
  void expect_reason(const std::string& pod, const std::string& reason, const std::string& cause) {
    for (const char* volume : {"disk", "memory"}) {
      EXPECT_TRUE(node_.gets_reason(pod, volume, reason));
      EXPECT_NE(node_.ctl().message(pod, volume).find(cause), std::string::npos)
          << node_.ctl().message(pod, volume);
      // It is being tried now and then.
      EXPECT_TRUE(node_.eventually([&] { return node_.ctl().volume(pod, volume).contains("nextRetry"); }));
    }
    const Ran explained = node_.ctl()({"explain", "pod/" + pod});
    EXPECT_NE(explained.out.find(cause), std::string::npos) << explained.out;
  }
  void expect_all_ends_well() {
    for (const char* pod : {"old", "new"})
      node_.remove(std::string(pod) + ".yaml");
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
    EXPECT_TRUE(node_.eventually([&] { return node_.ctl().problems().empty(); })) << node_.ctl().problems();
    EXPECT_EQ(node_.stop(), 0);
  }

  Node node_{
      {.has_own_state = true}};  ///< A file system with a file that is being written turns not read-only.
  std::string disk_;
  std::string memory_;
};

TEST_F(Faults, AFullRootIsNamedAndHarmsNoVolumeThatIsThere) {
  mount_small(node_.root(), "size=256k");
  start_with_content();
  fill_up(node_.root() + "/filler");
  write_pod("new");
  expect_reason("new", "NoSpace", "ENOSPC");
  expect_content();
  EXPECT_TRUE(mounts_below(node_.root() + "/pods/" + node_.ctl().uid("new")).empty());
  fs::remove(node_.root() + "/filler");
  EXPECT_TRUE(node_.becomes_ready("new", recovery));
  expect_content();
  expect_all_ends_well();
}

TEST_F(Faults, ARootWithoutInodesIsNamedAndHarmsNoVolumeThatIsThere) {
  mount_small(node_.root(), "size=1m,nr_inodes=40");
  start_with_content();
  for (int i = 0; i < 40; ++i)
    close(open((node_.root() + "/filler" + std::to_string(i)).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_FALSE(is_there(node_.root() + "/filler39"));
  write_pod("new");
  expect_reason("new", "NoSpace", "ENOSPC");
  expect_content();
  for (int i = 0; i < 39; ++i)
    fs::remove(node_.root() + "/filler" + std::to_string(i));
  EXPECT_TRUE(node_.becomes_ready("new", recovery));
  expect_all_ends_well();
}

TEST_F(Faults, ARootThatIsFullDoesNotKeepPodsFromGoing) {
  mount_small(node_.root(), "size=256k");
  start_with_content();
  fill_up(node_.root() + "/filler");
  node_.remove("old.yaml");
  EXPECT_TRUE(node_.becomes_gone("old"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

TEST_F(Faults, ARootThatBecomesReadOnlyHoldsSetUpAndTeardownUntilItIsWritable) {
  mount_small(node_.root(), "size=1m");
  start_with_content();
  write_pod("going");
  ASSERT_TRUE(node_.becomes_ready("going"));
  remount(node_.root(), true);
  write_pod("new");
  expect_reason("new", "ReadOnlyFileSystem", "EROFS");
  node_.remove("going.yaml");
  EXPECT_TRUE(node_.gets_reason("going", "disk", "ReadOnlyFileSystem"));
  EXPECT_EQ(node_.ctl().phase("going", "disk"), "Unpublishing");
  expect_content();
  remount(node_.root(), false);
  EXPECT_TRUE(node_.becomes_ready("new", recovery));
  EXPECT_TRUE(node_.becomes_gone("going", recovery));
  expect_content();
  expect_all_ends_well();
}

TEST_F(Faults, NoChangeOfTheMountTableIsMissedHoweverCloseItFollowsAnother) {
  node_.start();
  const std::string first = node_.root() + "/plugins/first";
  const std::string second = node_.root() + "/plugins/second";
  fs::create_directories(first);
  fs::create_directories(second);
  for (int i = 0; i < 100;
       ++i) {  // The larger the table, the longer the moment in which one could be missed.
    const std::string other = node_.dir() + "/other" + std::to_string(i);
    fs::create_directory(other);
    mount_tmpfs(other, "size=4k");
  }
  constexpr int rounds = 40;
  for (int round = 0; round < rounds; ++round) {
    mount_tmpfs(first, "size=4k");
    mount_tmpfs(second, "size=4k");
    ASSERT_TRUE(node_.eventually([&] {
      const std::string problems = node_.ctl().problems();
      return problems.find(first) != std::string::npos && problems.find(second) != std::string::npos;
    })) << "round "
        << round << ": " << node_.ctl().problems();
    node_.let_pass(Millis(60));  // The table is read at once only if it was not read just before.
    unmount(first);
    const auto end = Clock::now() + std::chrono::microseconds(20) * round;
    while (Clock::now() < end) {  // Each round hits another moment of the first change's handling.
    }
    unmount(second);
    ASSERT_TRUE(node_.eventually([&] { return node_.ctl().problems().empty(); }, Millis(3'000)))
        << "round " << round << ": " << node_.ctl().problems();
  }
}

TEST_F(Faults, AMooringdThatStartsOnAFullRootTakesOverWhatIsThere) {
  mount_small(node_.root(), "size=256k");
  start_with_content();
  fill_up(node_.root() + "/filler");
  const std::vector<std::string> before = mount_lines(node_.root());
  node_.kill();
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("old"));
  EXPECT_EQ(mount_lines(node_.root()), before);
  expect_content();
}

TEST_F(Faults, NothingIsMadeWhileItsRecordCannotBeWritten) {
  mount_small(node_.run_dir(), "size=64k,mode=755");
  start_with_content();
  fill_up(node_.run_dir() + "/filler");
  write_pod("new");
  expect_reason("new", "RecordFailed", "ENOSPC");
  EXPECT_FALSE(is_there(node_.root() + "/pods/" + node_.ctl().uid("new")));
  expect_content();
  // A record that was written stays whole: after a crash it still proves what is there.
  node_.kill();
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("old"));
  expect_content();
  fs::remove(node_.run_dir() + "/filler");
  EXPECT_TRUE(node_.becomes_ready("new", recovery));
  expect_all_ends_well();
}

TEST_F(Faults, ARunDirectoryThatBecomesReadOnlyIsNamedUntilItIsWritable) {
  start_with_content();
  remount(node_.run_dir(), true);
  write_pod("new");
  expect_reason("new", "RecordFailed", "EROFS");
  expect_content();
  remount(node_.run_dir(), false);
  EXPECT_TRUE(node_.becomes_ready("new", recovery));
  expect_all_ends_well();
}

TEST_F(Faults, AManifestDirectoryThatIsGoneTakesNoVolumeWithIt) {
  start_with_content();
  const std::vector<std::string> before = mount_lines(node_.root());
  const std::string aside = node_.dir() + "/aside";
  fs::rename(node_.manifests(), aside);
  EXPECT_TRUE(node_.eventually(
      [&] { return node_.ctl().problems().find(node_.manifests() + ": ") != std::string::npos; }));
  EXPECT_NE(node_.ctl().problems().find("ENOENT"), std::string::npos) << node_.ctl().problems();
  EXPECT_EQ(node_.ctl()({"status"}).status, 3);
  EXPECT_TRUE(node_.stays([&] { return mount_lines(node_.root()) == before; }, Millis(300)));
  expect_content();
  // The same over a restart, which knows of no manifest at all.
  EXPECT_EQ(node_.stop(), 0);
  node_.start();
  EXPECT_TRUE(node_.eventually(
      [&] { return node_.ctl().problems().find(node_.manifests() + ": ") != std::string::npos; }));
  EXPECT_TRUE(node_.stays([&] { return mount_lines(node_.root()) == before; }, Millis(300)));
  fs::rename(aside, node_.manifests());
  EXPECT_TRUE(node_.becomes_ready("old"));
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().problems().empty(); })) << node_.ctl().problems();
  expect_content();
  write_pod("new");  // It is watched again.
  EXPECT_TRUE(node_.becomes_ready("new"));
  expect_all_ends_well();
}

TEST_F(Faults, APodWhoseManifestDidNotComeBackWithTheDirectoryGoes) {
  start_with_content();
  write_pod("new");
  ASSERT_TRUE(node_.becomes_ready("new"));
  const std::string aside = node_.dir() + "/aside";
  fs::rename(node_.manifests(), aside);
  ASSERT_TRUE(node_.eventually([&] { return !node_.ctl().problems().empty(); }));
  fs::remove(aside + "/new.yaml");
  EXPECT_TRUE(node_.stays([&] { return node_.ctl().pod("new").value("ready", false); }, Millis(300)));
  fs::rename(aside, node_.manifests());
  EXPECT_TRUE(node_.becomes_gone("new"));
  expect_content();
}

TEST_F(Faults, AManifestDirectoryThatIsRemovedAndMadeAgainIsWatchedAgain) {
  start_with_content();
  fs::remove_all(node_.manifests());
  EXPECT_TRUE(node_.eventually(
      [&] { return node_.ctl().problems().find(node_.manifests() + ": ") != std::string::npos; }));
  fs::create_directory(node_.manifests());
  write_pod("old");
  write_pod("new");
  EXPECT_TRUE(node_.becomes_ready("old"));
  EXPECT_TRUE(node_.becomes_ready("new"));
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().problems().empty(); })) << node_.ctl().problems();
  expect_all_ends_well();
}

TEST_F(Faults, VolumesAreServedWhileTheBusIsGoneAndToldWhenItIsBack) {
  start_with_content();
  const std::string gone_uid = node_.ctl().uid("old");
  node_.stop_bus();
  ASSERT_TRUE(
      node_.eventually([&] { return node_.log().find("connection to the bus broke") != std::string::npos; }));
  EXPECT_EQ(node_.ctl()({"status"}).status, 5);
  write_pod("new");
  EXPECT_TRUE(node_.eventually([&] { return mounts_below(node_.root()).size() == 2; }));
  node_.remove("old.yaml");
  EXPECT_TRUE(node_.eventually([&] { return !is_there(node_.root() + "/pods/" + gone_uid); }));
  node_.start_bus();
  EXPECT_TRUE(node_.eventually([&] { return node_.bus().owner() == node_.daemon().pid(); }));
  EXPECT_TRUE(node_.becomes_ready("new"));
  EXPECT_TRUE(node_.becomes_gone("old"));
  node_.remove("new.yaml");  // Signals come over the new connection.
  EXPECT_TRUE(node_.eventually([&] { return node_.bus().gone() == std::vector<std::string>{"new"}; }));
  EXPECT_EQ(node_.stop(), 0);
}

TEST_F(Faults, ABusThatGoesAgainAndAgainIsFoundAgain) {
  start_with_content();
  for (int i = 0; i < 3; ++i) {
    node_.stop_bus();
    node_.start_bus();
    EXPECT_TRUE(node_.eventually([&] { return node_.bus().owner() == node_.daemon().pid(); })) << i;
  }
  expect_content();
}

TEST_F(Faults, MooringdOutlivesWhoeverReadsItsLog) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  // As with `mooringd 2>&1 | logger`: what is written after the reader ended raises SIGPIPE.
  node_.daemon() = Process(node_.arguments(), {"/proc/self/fd/" + std::to_string(ends[1]), {}});
  close(ends[1]);
  ASSERT_TRUE(node_.eventually([&] { return node_.bus().owner() == node_.daemon().pid(); }));
  close(ends[0]);
  const pid_t pid = node_.daemon().pid();
  write_pod("new");
  EXPECT_TRUE(node_.becomes_ready("new"));
  write_pod("more");
  EXPECT_TRUE(node_.becomes_ready("more"));
  EXPECT_EQ(node_.bus().owner(), pid);
  EXPECT_EQ(node_.stop(), 0);
}

TEST_F(Faults, ALogThatIsFullStopsNothing) {
  fs::create_directory(node_.dir() + "/small");
  mount_tmpfs(node_.dir() + "/small", "size=64k");
  node_.daemon() = Process(node_.arguments(), {node_.dir() + "/small/log", {}});
  ASSERT_TRUE(node_.eventually([&] { return node_.bus().owner() == node_.daemon().pid(); }));
  fill_up(node_.dir() + "/small/filler");
  for (const char* pod : {"new", "more"}) {
    write_pod(pod);
    EXPECT_TRUE(node_.becomes_ready(pod));
  }
  EXPECT_EQ(node_.stop(), 0);
}

}  // namespace
}  // namespace mooring::integration
