// The ledger's thread: order, failures, and what is left when a process or a disk gives up.

#include "daemon/ledger_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "base/random.h"
#include "ledger_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// What a LedgerFile told, in order: "written 1", "failed 2 LedgerConflict", "read 1" (so many claims), "read
/// LedgerDamaged".
class Told {
 public:
  explicit Told(const std::string& state_dir)
      : file_(std::make_unique<LedgerFile>(
            loop_, state_dir,
            LedgerFile::Callbacks{
                [this](std::uint64_t sequence) { lines_.push_back("written " + std::to_string(sequence)); },
                [this](std::uint64_t sequence, const Error& error) {
                  lines_.push_back("failed " + std::to_string(sequence) + " " + error.reason);
                },
                [this](const Result<Ledger>& ledger) {
                  lines_.push_back("read " + (ledger ? std::to_string(ledger.value().claims.size())
                                                     : ledger.error().reason));
                }})) {}

  LedgerFile& file() { return *file_; }
  void end() { file_.reset(); }
  /// Runs the loop until so many things were told; those.
  std::vector<std::string> next(std::size_t count) {
    while (lines_.size() < count)
      loop_.run_one();
    return std::exchange(lines_, {});
  }
  /// What was told without waiting.
  std::vector<std::string> rest() {
    loop_.restart();
    loop_.poll();
    return std::exchange(lines_, {});
  }

 private:
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{loop_.get_executor()};
  std::vector<std::string> lines_;
  std::unique_ptr<LedgerFile> file_;
};

LedgerChanges conflict() {
  LedgerChanges changes = bound_pair("x", "pv-x");
  changes.claims[claim_key("y")] = ledger_claim("y", "pv-x");
  return changes;
}

TEST(LedgerFile, is_read_and_written_in_order_and_is_the_same_when_it_is_opened_again) {
  const StateDirectory directory;
  {
    Told told(directory.path());
    told.file().read();
    EXPECT_THAT(told.next(1), ElementsAre("read 0"));
    for (std::uint64_t i = 1; i <= 3; ++i) {
      const std::string name = std::to_string(i);
      told.file().write(i, bound_pair("c" + name, "pv-" + name));
    }
    told.file().read();
    EXPECT_THAT(told.next(4), ElementsAre("written 1", "written 2", "written 3", "read 3"));
  }
  Told again(directory.path());
  again.file().read();
  EXPECT_THAT(again.next(1), ElementsAre("read 3"));
}

TEST(LedgerFile, nothing_is_written_before_it_was_read) {
  const StateDirectory directory;
  Told told(directory.path());
  told.file().write(1, bound_pair("a", "pv"));
  told.file().read();
  told.file().write(2, bound_pair("a", "pv"));  // The answer to read() is not known yet.
  EXPECT_THAT(told.next(3), ElementsAre("failed 1 LedgerNotRead", "read 0", "failed 2 LedgerNotRead"));
  told.file().write(3, bound_pair("a", "pv"));
  EXPECT_THAT(told.next(1), ElementsAre("written 3"));
}

TEST(LedgerFile, after_a_write_that_failed_it_is_read_and_what_was_decided_before_is_not_written) {
  const StateDirectory directory;
  Told told(directory.path());
  told.file().read();
  told.next(1);
  told.file().write(1, bound_pair("a", "pv"));
  told.file().write(2, conflict());
  told.file().write(3, bound_pair("b", "pv-b"));
  EXPECT_THAT(told.next(4),
              ElementsAre("written 1", "failed 2 LedgerConflict", "read 1", "failed 3 LedgerNotRead"));
  told.file().write(4, bound_pair("b", "pv-b"));
  EXPECT_THAT(told.next(1), ElementsAre("written 4"));
}

TEST(LedgerFile, one_that_cannot_be_opened_is_told_each_time_it_is_read_until_it_can) {
  const StateDirectory directory;
  std::ofstream(directory.file()) << "no database, and longer than nothing";
  Told told(directory.path());
  told.file().read();
  told.file().write(1, bound_pair("a", "pv"));
  EXPECT_THAT(told.next(2), ElementsAre("read LedgerDamaged", "failed 1 LedgerNotRead"));
  std::filesystem::remove(directory.file());
  told.file().read();
  EXPECT_THAT(told.next(1), ElementsAre("read 0"));
}

TEST(LedgerFile, nobody_is_told_after_its_end) {
  const StateDirectory directory;
  Told told(directory.path());
  told.file().read();
  told.next(1);
  for (std::uint64_t i = 1; i <= 20; ++i)
    told.file().write(i, bound_pair("c" + std::to_string(i), "pv-" + std::to_string(i)));
  told.end();
  EXPECT_THAT(told.rest(), IsEmpty());
  const auto database = LedgerDatabase::open(directory.path());
  EXPECT_TRUE(database) << "it is closed";
}

TEST(LedgerFile, its_end_does_not_wait_for_what_was_never_begun) {
  const StateDirectory directory;
  const Told told(directory.path());
}

/// Another process that has the ledger open for writing, as a person with sqlite3(1) may.
class Holder {
 public:
  explicit Holder(const std::string& file) {
    EXPECT_EQ(sqlite3_open(file.c_str(), &database_), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~Holder() { sqlite3_close(database_); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

 private:
  sqlite3* database_ = nullptr;
};

TEST(LedgerFile, its_end_does_not_wait_for_a_write_that_cannot_be_done) {
  const StateDirectory directory;
  auto told = std::make_unique<Told>(directory.path());
  told->file().read();
  told->next(1);
  const Holder holder(directory.file());
  told->file().write(1, bound_pair("a", "pv"));
  told->file().write(2, bound_pair("b", "pv-b"));
  // Long enough for the thread to begin with it, and far too short for it to give up.
  auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(300))
    ASSERT_THAT(told->rest(), IsEmpty());
  start = std::chrono::steady_clock::now();
  told->end();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1900));
  EXPECT_THAT(told->rest(), IsEmpty());
  told.reset();  // The loop too: what is left of the thread tells nobody.
}

TEST(LedgerFile, its_end_waits_for_a_write_that_is_done_soon) {
  const StateDirectory directory;
  for (int i = 1; i <= 20; ++i) {
    const std::string name = std::to_string(i);
    Told told(directory.path());
    told.file().read();
    told.next(1);
    told.file().write(1, bound_pair("c" + name, "pv-" + name));
    told.end();
    EXPECT_TRUE(LedgerDatabase::open(directory.path())) << "it is closed";
  }
}

/// Runs in a process of its own; 0: it went well.
int status_of(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

/// Writes claim after claim, each with its volume and a count in a third row, and says so on the pipe after
/// each; until it is killed.
[[noreturn]] void write_until_killed(const std::string& state_dir, int pipe) {
  auto database = LedgerDatabase::open(state_dir);
  if (!database) _exit(1);
  const Result<Ledger> ledger = database.value().read();
  if (!ledger) _exit(2);
  for (std::uint32_t i = static_cast<std::uint32_t>(ledger.value().volumes.size());; ++i) {
    LedgerChanges changes = bound_pair("c" + std::to_string(i), "pv-" + std::to_string(i));
    changes.claims[claim_key("count")] = ledger_claim("count");
    changes.claims[claim_key("count")]->claim.labels["n"] = std::to_string(i + 1);
    if (!database.value().write(changes)) _exit(3);
    if (::write(pipe, &i, sizeof i) != sizeof i) _exit(4);
  }
}

TEST(LedgerFile, a_process_that_is_killed_loses_nothing_that_it_was_told_is_written_and_leaves_nothing_half) {
  const StateDirectory directory;
  Random random(11);
  std::uint32_t told = 0;
  for (int round = 0; round < 25; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) write_until_killed(directory.path(), ends[1]);
    close(ends[1]);
    std::uint32_t last = 0;
    for (std::uint64_t left = random.below(8); left > 0 && read(ends[0], &last, sizeof last) == sizeof last;
         --left)
      told = last + 1;
    for (std::uint64_t spin = random.below(200'000); spin > 0; --spin)
      last = static_cast<std::uint32_t>(random.next());  // Any moment of the next write.
    kill(child, SIGKILL);
    while (read(ends[0], &last, sizeof last) == sizeof last)
      told = last + 1;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);
    auto database = LedgerDatabase::open(directory.path());
    ASSERT_TRUE(database) << database.error().text();
    const Result<Ledger> ledger = database.value().read();
    ASSERT_TRUE(ledger) << ledger.error().text();
    const std::size_t count = ledger.value().volumes.size();
    EXPECT_GE(count, told);
    EXPECT_LE(count, told + 1) << "more than the one that was not told yet";
    if (count == 0) continue;
    EXPECT_EQ(ledger.value().claims.size(), count + 1);
    EXPECT_EQ(ledger.value().claims.at(claim_key("count")).claim.labels.at("n"), std::to_string(count));
    told = static_cast<std::uint32_t>(count);
  }
  EXPECT_GT(told, 10u);
}

/// A small file system of its own on the directory, in a mount namespace that ends with this process.
bool mount_small(const std::string& directory) {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("small", directory.c_str(), "tmpfs", 0, "size=256k") == 0;
}

TEST(LedgerFile, a_full_disk_is_told_and_what_was_written_stays_and_goes_on_when_there_is_room) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const StateDirectory directory;
  const auto body = [&] {
    if (!mount_small(directory.path())) return false;
    const std::string ballast = directory.path() + "/ballast";
    Told told(directory.path());
    told.file().read();
    if (told.next(1) != std::vector<std::string>{"read 0"}) return false;
    std::ofstream(ballast) << std::string(64 * 1024, 'x');
    for (std::uint64_t i = 1; i < 1000; ++i) {
      const std::string name = std::to_string(i);
      told.file().write(i, bound_pair("c" + name, "pv-" + name));
      const std::string answer = told.next(1).front();
      if (answer == "written " + name) continue;
      // Full: the reading may fail as well, until there is room.
      const std::string reading = told.next(1).front();
      const std::string written = "read " + std::to_string(i - 1);
      const bool is_told = answer == "failed " + name + " LedgerFailed" &&
                           (reading == written || reading == "read LedgerFailed");
      std::filesystem::remove(ballast);
      told.file().read();
      const bool is_there = told.next(1).front() == written;
      told.file().write(i, bound_pair("c" + name, "pv-" + name));
      return is_told && is_there && told.next(1).front() == "written " + name;
    }
    return false;
  };
  EXPECT_EQ(status_of(body), 0);
}

TEST(LedgerFile, a_directory_that_nobody_can_write_is_told_and_may_be_mended) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const StateDirectory directory;
  const auto body = [&] {
    const auto set = [&](unsigned long flags) {
      return mount(nullptr, directory.path().c_str(), nullptr, MS_REMOUNT | flags, nullptr) == 0;
    };
    if (!mount_small(directory.path())) return false;
    for (const bool is_there : {false, true}) {  // The ledger.
      if (!set(MS_RDONLY)) return false;
      Told told(directory.path());
      told.file().read();
      if (told.next(1).front() != "read LedgerFailed" || !set(0)) return false;
      told.file().read();
      if (told.next(1).front() != (is_there ? "read 1" : "read 0")) return false;
      told.file().write(1, bound_pair("a", "pv"));
      if (told.next(1).front() != "written 1") return false;
    }
    return true;
  };
  EXPECT_EQ(status_of(body), 0);
}

}  // namespace
}  // namespace mooring
