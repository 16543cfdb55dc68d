#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kernel/linux/descriptor.h"

namespace mooring::kernel {

using SharedDirectory = std::shared_ptr<const Descriptor>;

/// What is left to do in a walk: read on in a directory (no name), or enter one that stands in another.
struct GroupTask {
  SharedDirectory directory;
  std::string name;
};

/// The tasks of a walk, for several threads. A stack: what was found last is done first, so that few
/// directories are open at a time however wide the tree is.
class GroupQueue {
 public:
  void push(std::vector<GroupTask> tasks);
  /// Waits for a task while somebody has one that may bring more. nullopt: all is done, or it is closed.
  std::optional<GroupTask> take();
  /// To be called after each task that was taken.
  void finished();
  /// Nobody gets a task any more.
  void close();
  bool is_done() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<GroupTask> tasks_;
  unsigned active_ = 0;   ///< Tasks in somebody's hands.
  unsigned waiting_ = 0;  ///< Threads without one.
  bool is_closed_ = false;
};

}  // namespace mooring::kernel
