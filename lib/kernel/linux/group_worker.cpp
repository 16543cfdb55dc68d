#include "kernel/linux/group_worker.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "kernel/linux/lookup.h"

namespace mooring::kernel {
namespace {

using Outcome = GroupSetter::Outcome;

constexpr std::size_t buffer_bytes = 64UL * 1024;
/// A directory is read on while this much is free, so that a small one is read to its end in one go.
constexpr std::size_t buffer_spare_bytes = 4096;
/// An entry that is a directory at one moment and a file at the next is given up after so many looks.
constexpr int looks_max = 8;

}  // namespace

bool ends_the_walk(int errno_value) {
  constexpr std::array fatal{EIO, EROFS, ENOSPC, EDQUOT, EUCLEAN, EMFILE, ENFILE, ENOMEM};
  return std::find(fatal.begin(), fatal.end(), errno_value) != fatal.end();
}

GroupWorker::GroupWorker(const GroupSetter& setter, GroupTally& tally, GroupQueue& queue,
                         const std::function<void()>& checkpoint)
    : setter_(setter),
      tally_(tally),
      counts_(tally.add_counts()),
      queue_(queue),
      checkpoint_(checkpoint),
      buffer_(buffer_bytes) {}

void GroupWorker::run(const GroupTask& task) {
  if (task.name.empty()) {
    read(task.directory);
  } else {
    enter(task.directory, task.name.c_str());
  }
  go_on();
}

/// A listed directory may be something else by now, and a directory again at the next look.
void GroupWorker::enter(const SharedDirectory& parent, const char* name) {
  for (int look = 0; look < looks_max; ++look) {
    const auto directory =
        std::make_shared<const Descriptor>(open_beneath(parent->get(), name, O_RDONLY | O_DIRECTORY));
    if (*directory) {
      settle(setter_.set_directory(directory->get()), directory->get(), "");
      if (!tally_.is_ended()) read(directory);
      return;
    }
    if (errno == ENOENT || errno == EXDEV || errno == ELOOP) return counts_.add_seen();
    if (errno != ENOTDIR) return tally_.fail("cannot open the directory", parent->get(), name, errno);
    if (!set_file(parent->get(), name)) return;
  }
  counts_.add_seen();
  tally_.note_failure(parent->get(), name, EBUSY);
}

/// Takes in as much of a directory as the buffer holds. The rest is a task, so that other threads may go on
/// with a large one.
void GroupWorker::read(const SharedDirectory& directory) {
  bool is_at_end = false;
  if (!fill(directory->get(), is_at_end)) return;
  if (!tally_.count_listed(entries_.size())) return;
  // Inodes lie on the disk in the order of their numbers, names often in that of their hashes.
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& left, const Entry& right) { return left.inode < right.inode; });
  std::vector<GroupTask> tasks;
  if (!is_at_end) tasks.push_back({directory, ""});
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->type == DT_DIR) tasks.push_back({directory, entry->name});
  }
  if (!tasks.empty()) queue_.push(std::move(tasks));
  set_files(directory);
}

bool GroupWorker::fill(int directory, bool& is_at_end) {
  std::size_t used_bytes = 0;
  while (!is_at_end && buffer_.size() - used_bytes >= buffer_spare_bytes) {
    const ssize_t got = getdents64(directory, buffer_.data() + used_bytes, buffer_.size() - used_bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != ENOENT) {
      tally_.fail("cannot read the directory", directory, "", errno);
      return false;
    }
    is_at_end = got <= 0;  // ENOENT: it was removed after it was opened.
    if (got > 0) used_bytes += static_cast<std::size_t>(got);
  }
  parse(used_bytes);
  return true;
}

void GroupWorker::parse(std::size_t used_bytes) {
  entries_.clear();
  for (std::size_t at = 0; at < used_bytes;) {
    const auto* raw = static_cast<const dirent64*>(static_cast<const void*>(buffer_.data() + at));
    at += raw->d_reclen;
    const char* name = &raw->d_name[0];
    if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0) {
      entries_.push_back({raw->d_ino, name, raw->d_type});
    }
  }
}

void GroupWorker::set_files(const SharedDirectory& directory) {
  for (const Entry& entry : entries_) {
    if (entry.type == DT_DIR) continue;
    if (entry.type == DT_LNK) {
      counts_.add_seen();
    } else if (set_file(directory->get(), entry.name)) {
      // Some file systems do not tell the type, and it may be another one by now.
      queue_.push({{directory, entry.name}});
    }
    if (!go_on()) return;
  }
}

/// True if it is a directory, which is left alone.
bool GroupWorker::set_file(int directory, const char* name) {
  const GroupSetter::Answer answer = setter_.set_file(directory, name, is_likely_right_);
  is_likely_right_ = answer.outcome != Outcome::Changed;
  if (answer.outcome == Outcome::IsDirectory) return true;
  settle(answer, directory, name);
  return false;
}

void GroupWorker::settle(const GroupSetter::Answer& answer, int directory, const char* name) {
  const int errno_value = answer.errno_value;
  counts_.add_seen();
  if (answer.outcome == Outcome::Changed) {
    counts_.add_changed();
  } else if (answer.outcome == Outcome::Unreadable) {
    tally_.fail("cannot read", directory, name, errno_value);
  } else if (answer.outcome == Outcome::Failed && ends_the_walk(errno_value)) {
    tally_.fail("cannot change the group or mode of", directory, name, errno_value);
  } else if (answer.outcome == Outcome::Failed) {
    tally_.note_failure(directory, name, errno_value);
  }
}

bool GroupWorker::go_on() {
  if (checkpoint_) checkpoint_();
  return !tally_.is_ended();
}

}  // namespace mooring::kernel
