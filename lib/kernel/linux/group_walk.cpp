#include "kernel/linux/group_walk.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "kernel/errors.h"
#include "kernel/linux/group_queue.h"
#include "kernel/linux/group_setter.h"
#include "kernel/linux/group_tally.h"
#include "kernel/linux/group_worker.h"
#include "kernel/linux/lookup.h"

namespace mooring::kernel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned threads_max = 4;

void raise_descriptor_limit() {
  static std::once_flag once;
  std::call_once(once, [] {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE,
              &limit);  // Without it the walk may end with "TooManyFiles", which says what to do.
  });
}

/// A small tree is done by the thread that asks. Of a large one it only waits for the others, so that it can
/// report in time even while each of them waits for a disk.
class Walk {
 public:
  Walk(int root, const std::string& path, const GroupChange& change, const GroupProgress& progress,
       const GroupWalkTuning& tuning)
      : root_(root),
        path_(path),
        progress_(progress),
        tuning_(tuning),
        setter_(change, tuning.may_use_fchmodat2),
        tally_(root, path, change.entries_max),
        next_report_(Clock::now() + tuning.progress_interval) {}

  Result<GroupReport> run(bool only_on_root_mismatch);

 private:
  /// Does tasks until none is left or the walk has ended, or the tree turns out to be large.
  void work(const std::function<void()>& checkpoint, bool only_if_small) noexcept;
  void work_in_threads();
  void start_threads();
  void report_if_due();
  void set_root();

  const int root_;
  const std::string& path_;
  const GroupProgress& progress_;
  const GroupWalkTuning& tuning_;
  const GroupSetter setter_;
  GroupTally tally_;
  GroupQueue queue_;
  Clock::time_point next_report_;  ///< Of the thread that asked.
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable left_;
  unsigned running_ = 0;
};

Result<GroupReport> Walk::run(bool only_on_root_mismatch) {
  if (only_on_root_mismatch && setter_.is_directory_right(root_)) {
    GroupReport skipped;
    skipped.was_skipped = true;
    return skipped;
  }
  raise_descriptor_limit();
  auto top = std::make_shared<const Descriptor>(open_beneath(root_, "", O_RDONLY | O_DIRECTORY));
  if (!*top) return file_error("cannot open the directory", path_, errno);
  queue_.push({{std::move(top), ""}});
  work([this] { report_if_due(); }, true);
  if (!queue_.is_done()) work_in_threads();
  if (!tally_.is_ended()) set_root();
  if (tally_.is_ended()) return tally_.error();
  return tally_.report();
}

void Walk::work(const std::function<void()>& checkpoint, bool only_if_small) noexcept {
  try {
    GroupWorker worker(setter_, tally_, queue_, checkpoint);
    while (!only_if_small || tally_.listed() <= tuning_.inline_entries_max) {
      const std::optional<GroupTask> task = queue_.take();
      if (!task) return;
      worker.run(*task);
      if (tally_.is_ended()) queue_.close();
      queue_.finished();
    }
  } catch (const std::exception&) {
    tally_.give_up();
    queue_.close();
  }
}

void Walk::work_in_threads() {
  start_threads();
  if (threads_.empty()) return work([this] { report_if_due(); }, false);
  std::unique_lock lock(mutex_);
  while (running_ != 0) {
    left_.wait_until(lock, next_report_);
    lock.unlock();
    try {
      report_if_due();
    } catch (const std::exception&) {
      tally_.give_up();
    }
    if (tally_.is_ended()) queue_.close();
    lock.lock();
  }
  lock.unlock();
  for (std::thread& thread : threads_)
    thread.join();
}

void Walk::start_threads() {
  const unsigned wanted = std::clamp(std::thread::hardware_concurrency(), 1U, threads_max);
  threads_.reserve(wanted);
  // Signals are the business of the threads that were there before.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const std::lock_guard lock(mutex_);
  try {
    while (threads_.size() < wanted) {
      threads_.emplace_back([this] {
        work({}, false);
        const std::lock_guard leaving(mutex_);
        if (--running_ == 0) left_.notify_all();
      });
      ++running_;
    }
  } catch (const std::exception&) {
    // No more threads are allowed here. Those that there are do.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Walk::report_if_due() {
  const Clock::time_point now = Clock::now();
  if (!progress_ || tally_.is_ended()) {
    next_report_ = now + tuning_.progress_interval;  // Until then the caller waits.
    return;
  }
  if (now < next_report_) return;
  const bool may_go_on = progress_(tally_.report());
  next_report_ = Clock::now() + tuning_.progress_interval;
  if (may_go_on) return;
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "Stopped";
  error.message = "the group of the files was to be changed, and this was stopped";
  error.path = path_;
  tally_.fail(std::move(error));
}

/// Last of all: a root that is right says that the rest is.
void Walk::set_root() {
  const GroupSetter::Answer answer = setter_.set_directory(root_);
  GroupCounts& counts = tally_.add_counts();
  counts.add_seen();
  switch (answer.outcome) {
    case GroupSetter::Outcome::Changed:
      return counts.add_changed();
    case GroupSetter::Outcome::Unreadable:
      return tally_.fail("cannot read", root_, "", answer.errno_value);
    case GroupSetter::Outcome::Failed:
      if (!ends_the_walk(answer.errno_value)) return tally_.note_failure(root_, "", answer.errno_value);
      return tally_.fail("cannot change the group or mode of", root_, "", answer.errno_value);
    default:
      return;
  }
}

}  // namespace

Result<GroupReport> change_group(int directory, const std::string& path, const GroupChange& change,
                                 const GroupProgress& progress, const GroupWalkTuning& tuning) {
  try {
    Walk walk(directory, path, change, progress, tuning);
    return walk.run(change.only_on_root_mismatch);
  } catch (const std::exception&) {
    return file_error("cannot change the group of what is in", path, ENOMEM);
  }
}

}  // namespace mooring::kernel
