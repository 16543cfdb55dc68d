#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/fs.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <new>
#include <set>
#include <string>
#include <thread>

#include "group_walk_fixture.h"

// Ownership walks that are ended, fail, have much to do, or have an enemy in the volume. On the real kernel.

namespace mooring::kernel::contract {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class LinuxOnlyGroupWalkTrouble : public GroupWalkFixture {};

TEST_F(LinuxOnlyGroupWalkTrouble, MarksTheRootOnlyWhenAllIsDone) {
  put_files("many", 2000);
  int calls = 0;
  const auto stop_soon = [&](const GroupReport& report) {
    EXPECT_LE(report.changed, report.seen + 1);
    return ++calls < 3;
  };
  GroupWalkTuning at_once;
  at_once.progress_interval = std::chrono::milliseconds(0);
  const Result<GroupReport> stopped = walk(on_mismatch(to(group)), at_once, stop_soon);
  EXPECT_TRUE(fails(stopped, "Stopped", 0));
  EXPECT_EQ(calls, 3);
  expect("", 0755, 0);
  const GroupReport report = walked(on_mismatch(to(group)));
  EXPECT_FALSE(report.was_skipped);
  EXPECT_GT(report.changed, 0U);
  EXPECT_LT(report.changed, 2002U);  // What was done before the stop was done for good.
  EXPECT_EQ(walked(to(group)).changed, 0U);
}

TEST_F(LinuxOnlyGroupWalkTrouble, StopsThreadsTooAndTakesNoHarmFromAFunctionThatThrows) {
  put_files("many", 20000);
  GroupWalkTuning tuning;
  tuning.progress_interval = std::chrono::milliseconds(0);
  tuning.inline_entries_max = 0;
  // The first call comes before there are threads: after the root, which has one entry.
  int calls = 0;
  EXPECT_TRUE(fails(walk(to(group), tuning, [&](const GroupReport&) { return ++calls < 2; }), "Stopped", 0));
  calls = 0;
  const auto throw_soon = [&](const GroupReport&) -> bool {
    if (++calls < 2) return true;
    throw std::bad_alloc();
  };
  EXPECT_TRUE(fails(walk(to(other_group), tuning, throw_soon), "FileError", ENOMEM));
  expect("", 0755, 0);
}

TEST_F(LinuxOnlyGroupWalkTrouble, TellsOfEachEntryAlsoOfOneThatWasRight) {
  put_files("many", 100);
  node().put_symlink(volume("many/link"), "0");
  const GroupReport first = walked(to(group));
  EXPECT_EQ(first.seen, 103U);
  std::set<std::uint64_t> seen;
  GroupWalkTuning at_once;
  at_once.progress_interval = std::chrono::milliseconds(0);
  const auto look = [&](const GroupReport& report) {
    EXPECT_EQ(report.changed, 0U);
    seen.insert(report.seen);
    return true;
  };
  const Result<GroupReport> second = walk(to(group), at_once, look);
  ASSERT_TRUE(succeeds(second));
  EXPECT_EQ(second.value().seen, 103U);
  EXPECT_EQ(second.value().changed, 0U);
  // Where the link lies among the files is the file system's choice.
  EXPECT_GE(seen.size(), 100U);
}

TEST_F(LinuxOnlyGroupWalkTrouble, RefusesMoreEntriesThanItMayHave) {
  put_files("few", 100);
  GroupChange change = to(group);
  change.entries_max = 100;
  const Result<GroupReport> refused = walk(change);
  EXPECT_TRUE(fails(refused, "NeedsOwnWorker", 0));
  EXPECT_EQ(refused.error().path, volume());
  expect("", 0755, 0);
  expect("few/1", 0600, 0);
  change.entries_max = 101;
  EXPECT_EQ(walked(change).changed, 101U);  // The directory was changed before it was read.
}

TEST_F(LinuxOnlyGroupWalkTrouble, CountsWhatCannotBeChangedAndGoesOn) {
  put_file("a/immutable", 0600);
  put_file("a/beside", 0600);
  const Descriptor file(open(volume("a/immutable").c_str(), O_RDONLY | O_CLOEXEC));
  int flags = FS_IMMUTABLE_FL;
  if (ioctl(file.get(), FS_IOC_SETFLAGS, &flags) != 0) GTEST_SKIP() << "this tmpfs has no immutable files";
  const GroupReport report = walked(to(group));
  flags = 0;
  ioctl(file.get(), FS_IOC_SETFLAGS, &flags);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_THAT(report.first_failure, StartsWith("a/immutable: EPERM"));
  EXPECT_EQ(report.changed, 3U);
  expect("a/immutable", 0600, 0);
  expect("a/beside", 0660);
  expect("", 02775);
}

TEST_F(LinuxOnlyGroupWalkTrouble, EndsAtAReadOnlyFileSystem) {
  put_file("a/file", 0600);
  node().set_read_only(true);
  const Result<GroupReport> report = walk(to(group));
  node().set_read_only(false);
  EXPECT_TRUE(fails(report, "ReadOnlyFileSystem", EROFS));
  EXPECT_EQ(report.error().path, volume("a"));
  EXPECT_FALSE(report.error().remedy.empty());
  expect("", 0755, 0);
}

TEST_F(LinuxOnlyGroupWalkTrouble, SaysWhatIsWrongWithTheRootItself) {
  put_file("file", 0600);
  const Descriptor file(open(volume("file").c_str(), O_PATH | O_CLOEXEC));
  EXPECT_TRUE(fails(change_group(file.get(), "the-file", to(group), {}), "NotADirectory", ENOTDIR));
  EXPECT_TRUE(fails(change_group(-1, "nothing", to(group), {}), "FileError", EBADF));
}

/// A chain of directories, in each of which another one stands, so that each level must be kept open.
void put_chain(const std::string& top, int levels, bool has_others) {
  Descriptor at(open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int level = 0; level < levels; ++level) {
    ASSERT_EQ(mkdirat(at.get(), "d", 0700), 0);
    if (has_others) {
      ASSERT_EQ(mkdirat(at.get(), "other", 0700), 0);
    }
    at.reset(openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at);
  }
}

TEST_F(LinuxOnlyGroupWalkTrouble, DepthCostsNothing) {
  put_chain(volume(), 3000, false);
  EXPECT_EQ(walked(to(group)).changed, 3001U);
  EXPECT_EQ(walked(to(group)).changed, 0U);
  GroupWalkTuning in_threads;
  in_threads.inline_entries_max = 0;
  EXPECT_EQ(walked(to(other_group), in_threads).changed, 3001U);
}

TEST_F(LinuxOnlyGroupWalkTrouble, SaysWhenItMayNotOpenEnoughFiles) {
  walked(to(other_group));  // It raises the limit once in a process.
  put_chain(volume(), 200, true);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{100, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const Result<GroupReport> report = walk(to(group));
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(fails(report, "TooManyFiles", EMFILE));
  EXPECT_THAT(report.error().remedy, HasSubstr("LimitNOFILE"));
  expect("", 02775, other_group);
  EXPECT_EQ(walked(to(group)).failed, 0U);
}

TEST_F(LinuxOnlyGroupWalkTrouble, DoesALargeFlatDirectoryAndManySmallOnes) {
  constexpr int files = 50000;
  put_files("flat", files);
  for (int n = 0; n < 300; ++n)
    put_files("small/" + std::to_string(n), 5);
  constexpr std::uint64_t entries = 1 + files + 1 + 1 + 300 + 1500;
  GroupChange change = to(group);
  change.entries_max = files / 2;
  EXPECT_TRUE(fails(walk(change), "NeedsOwnWorker", 0));
  expect("", 0755, 0);
  walked(to(group));
  GroupReport report = walked(to(other_group));
  EXPECT_EQ(report.seen, entries);
  EXPECT_EQ(report.changed, entries);
  for (int n = 0; n < files; n += 997)
    expect("flat/" + std::to_string(n), 0660, other_group);
  report = walked(to(other_group));
  EXPECT_EQ(report.seen, entries);
  EXPECT_EQ(report.changed, 0U);
}

/// A writer in the volume who swaps what is his for what he would like to have changed, and takes things
/// away.
class Swapper {
 public:
  explicit Swapper(std::string directory) : directory_(std::move(directory)), thread_([this] { swap(); }) {}
  ~Swapper() {
    is_over_ = true;
    thread_.join();
  }
  std::uint64_t swaps() const { return swaps_; }

 private:
  void swap() {
    const Descriptor at(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    while (!is_over_) {
      for (const char* name : {"file", "directory", "plain", "kind"}) {
        const std::string other = std::string(name) + "-other";
        renameat2(at.get(), name, at.get(), other.c_str(), RENAME_EXCHANGE);
      }
      Descriptor(openat(at.get(), "gone", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
      mkdirat(at.get(), "gone-directory", 0700);
      unlinkat(at.get(), "gone", 0);
      unlinkat(at.get(), "gone-directory", AT_REMOVEDIR);
      ++swaps_;
    }
  }
  std::string directory_;
  std::atomic<bool> is_over_{false};
  std::atomic<std::uint64_t> swaps_{0};
  std::thread thread_;
};

TEST_F(LinuxOnlyGroupWalkTrouble, GivesNothingToAWriterWhoSwapsWhatItLooksAt) {
  node().put_file(node().host("secret/file"), "outside");
  node().put_directory(volume("race"));
  put_file("race/before", 0600);
  put_file("race/file", 0600);
  // Links within the mount: those that leave it would not be followed for that alone.
  node().put_symlink(volume("race/file-other"), "../../../host/secret/file");
  put_directory("race/directory", 0700);
  put_file("race/directory/file", 0600);
  node().put_symlink(volume("race/directory-other"), "../../../host/secret");
  put_file("race/plain", 0700);
  put_file("race/plain-other", 06755);
  put_file("race/kind", 0600);
  put_directory("race/kind-other", 0700);
  const Descriptor plain(open(volume("race/plain").c_str(), O_PATH | O_CLOEXEC));
  const Look outside_file = look_at(node().host("secret/file"));
  const Look outside = look_at(node().host("secret"));
  for (const bool may_use_fchmodat2 : {true, false}) {
    Swapper swapper(volume("race"));
    for (int round = 0; round < 400 || (swapper.swaps() < 1000 && round < 100000); ++round) {
      const auto report =
          walk(to(round % 2 == 0 ? group : other_group), {.may_use_fchmodat2 = may_use_fchmodat2});
      ASSERT_TRUE(succeeds(report));
      ASSERT_EQ(look_at(node().host("secret/file")), outside_file);
      ASSERT_EQ(look_at(node().host("secret")), outside);
      struct stat status {};
      ASSERT_EQ(fstat(plain.get(), &status), 0);
      ASSERT_EQ(status.st_mode & 07007U, 0U);
    }
  }
  walked(to(group));
  const std::set<std::uint32_t> modes{look_at(volume("race/plain")).mode,
                                      look_at(volume("race/plain-other")).mode};
  EXPECT_EQ(modes, (std::set<std::uint32_t>{0760, 06775}));
}

/// Somebody who may write to a file and is not its owner. The kernel takes set-uid away when he does.
class OneWrite {
 public:
  OneWrite(const std::string& path, int spins) : path_(path), thread_([this, spins] { write_one(spins); }) {}
  ~OneWrite() { thread_.join(); }
  void may_start() { may_start_ = true; }

 private:
  void write_one(int spins) {
    setfsgid(owner + 1);
    setfsuid(owner + 1);  // Of this thread alone; CAP_FSETID goes with it.
    const Descriptor file(open(path_.c_str(), O_WRONLY | O_CLOEXEC));
    while (!may_start_) {
    }
    for (int n = 0; n < spins; ++n)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    is_written_ = write(file.get(), "evil", 4) == 4;
    EXPECT_TRUE(is_written_);
  }
  const std::string& path_;
  std::atomic<bool> may_start_{false};
  bool is_written_ = false;
  std::thread thread_;
};

TEST_F(LinuxOnlyGroupWalkTrouble, GivesNoSetUidBackToWhatWasWrittenMeanwhile) {
  put_file("program", 04777);
  const std::string program = volume("program");
  constexpr std::array<timespec, 2> long_ago{{{1'000'000'000, 0}, {1'000'000'000, 0}}};
  for (const bool may_use_fchmodat2 : {true, false}) {
    for (int round = 0; round < 4000; ++round) {
      ASSERT_EQ(chmod(program.c_str(), 04777), 0);
      ASSERT_EQ(utimensat(AT_FDCWD, program.c_str(), long_ago.data(), 0), 0);
      {
        OneWrite writer(program, round * 8);
        writer.may_start();
        walked(to(round % 2 == 0 ? group : other_group), {.may_use_fchmodat2 = may_use_fchmodat2});
      }
      ASSERT_EQ(look_at(program).mode, 0777U) << "in round " << round;
    }
  }
}

}  // namespace
}  // namespace mooring::kernel::contract
