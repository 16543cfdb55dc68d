#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kernel/group_change.h"

namespace mooring::kernel {

/// What one thread has done, in numbers that others may read at any time. Each has memory of its own, as the
/// numbers change with each entry.
class alignas(64) GroupCounts {
 public:
  void add_seen() { add_one(seen_); }
  void add_changed() { add_one(changed_); }
  std::uint64_t seen() const { return seen_.load(std::memory_order_relaxed); }
  std::uint64_t changed() const { return changed_.load(std::memory_order_relaxed); }

 private:
  /// There is one writer.
  static void add_one(std::atomic<std::uint64_t>& count) {
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  std::atomic<std::uint64_t> seen_{0};
  std::atomic<std::uint64_t> changed_{0};
};

/// What a walk has come to: the counts, the first failure, and the error that ended it. For several threads.
class GroupTally {
 public:
  /// `root`: the volume's root, open, which the paths in messages start at. `path`: its own.
  GroupTally(int root, const std::string& path, std::uint64_t entries_max);

  /// Counts entries before they are looked at. False: there are too many, and the walk has ended.
  bool count_listed(std::uint64_t entries);
  std::uint64_t listed() const { return listed_.load(std::memory_order_relaxed); }
  /// For one thread more; valid as long as this.
  GroupCounts& add_counts();
  /// Of the entry `name` of `directory`, or of that itself if the name is empty.
  void note_failure(int directory, const std::string& name, int errno_value);

  /// End the walk. The first error counts.
  void fail(Error error);
  void fail(std::string_view what, int directory, const std::string& name, int errno_value);
  /// Without the memory that an error takes.
  void give_up() { is_ended_.store(true, std::memory_order_relaxed); }
  bool is_ended() const { return is_ended_.load(std::memory_order_relaxed); }

  /// Of a walk that has ended.
  Error error() const;
  GroupReport report() const;

 private:
  std::string path_below(int directory, const std::string& name) const;

  const int root_;
  const std::string& path_;
  const std::uint64_t entries_max_;
  std::atomic<bool> is_ended_{false};
  std::atomic<std::uint64_t> listed_{0};
  std::atomic<std::uint64_t> failed_{0};
  mutable std::mutex mutex_;  ///< Of what follows.
  std::list<GroupCounts> counts_;
  std::string first_failure_;
  std::optional<Error> error_;
};

}  // namespace mooring::kernel
