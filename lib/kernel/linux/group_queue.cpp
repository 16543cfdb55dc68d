#include "kernel/linux/group_queue.h"

#include <iterator>
#include <utility>

namespace mooring::kernel {

void GroupQueue::push(std::vector<GroupTask> tasks) {
  const std::lock_guard lock(mutex_);
  std::move(tasks.begin(), tasks.end(), std::back_inserter(tasks_));
  if (waiting_ == 0) return;
  if (tasks.size() == 1) {
    changed_.notify_one();
  } else {
    changed_.notify_all();
  }
}

std::optional<GroupTask> GroupQueue::take() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.wait(lock, [this] { return is_closed_ || !tasks_.empty() || active_ == 0; });
  --waiting_;
  if (is_closed_ || tasks_.empty()) return std::nullopt;
  GroupTask task = std::move(tasks_.back());
  tasks_.pop_back();
  ++active_;
  return task;
}

void GroupQueue::finished() {
  const std::lock_guard lock(mutex_);
  --active_;
  if (active_ == 0 && tasks_.empty()) changed_.notify_all();
}

void GroupQueue::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

bool GroupQueue::is_done() const {
  const std::lock_guard lock(mutex_);
  return is_closed_ || (tasks_.empty() && active_ == 0);
}

}  // namespace mooring::kernel
