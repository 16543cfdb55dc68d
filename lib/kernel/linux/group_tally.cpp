#include "kernel/linux/group_tally.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "kernel/errors.h"

namespace mooring::kernel {
namespace {

/// Where a descriptor leads now, as the kernel says it; empty if that is too long (a page).
std::string path_of(int descriptor) {
  std::array<char, 4096> path{};
  const ssize_t length =
      readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string();
}

}  // namespace

GroupTally::GroupTally(int root, const std::string& path, std::uint64_t entries_max)
    : root_(root), path_(path), entries_max_(entries_max) {}

bool GroupTally::count_listed(std::uint64_t entries) {
  const std::uint64_t listed = listed_.fetch_add(entries, std::memory_order_relaxed) + entries;
  if (entries_max_ == 0 || listed <= entries_max_) return true;
  fail(needs_own_worker(path_, entries_max_));
  return false;
}

GroupCounts& GroupTally::add_counts() {
  const std::lock_guard lock(mutex_);
  return counts_.emplace_back();
}

void GroupTally::note_failure(int directory, const std::string& name, int errno_value) {
  failed_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (!first_failure_.empty()) return;
  first_failure_ = path_below(directory, name) + ": " + errno_text(errno_value);
}

void GroupTally::fail(Error error) {
  give_up();
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
}

void GroupTally::fail(std::string_view what, int directory, const std::string& name, int errno_value) {
  give_up();
  const std::string below = path_below(directory, name);
  Error error = file_error(what, below == "." ? path_ : path_ + "/" + below, errno_value);
  if (errno_value == EMFILE || errno_value == ENFILE) {
    error.reason = "TooManyFiles";
    error.remedy =
        errno_value == EMFILE
            ? "the tree is very deep, and each level keeps a directory open: raise the worker's LimitNOFILE="
            : "raise fs.file-max: the node has too many files open";
  }
  fail(std::move(error));
}

Error GroupTally::error() const {
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  return file_error("cannot change the group of what is in", path_, ENOMEM);
}

GroupReport GroupTally::report() const {
  GroupReport report;
  report.failed = failed_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  for (const GroupCounts& counts : counts_) {
    report.changed += counts.changed();
    report.seen += counts.seen();
  }
  report.first_failure = first_failure_;
  return report;
}

/// The path is asked of the kernel only when something went wrong: to keep it for each directory costs time,
/// and in a deep tree much memory.
std::string GroupTally::path_below(int directory, const std::string& name) const {
  const std::string top = path_of(root_);
  std::string path = path_of(directory);
  const bool is_below = path == top || path.starts_with(top == "/" ? top : top + "/");
  if (top.empty() || !is_below) return name.empty() ? "..." : ".../" + name;
  path.erase(0, top.size());
  if (path.starts_with('/')) path.erase(0, 1);
  if (path.empty()) return name.empty() ? "." : name;
  return name.empty() ? path : path + "/" + name;
}

}  // namespace mooring::kernel
