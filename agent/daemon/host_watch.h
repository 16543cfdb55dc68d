#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "kernel/linux/descriptor.h"

namespace mooring {

/// The inotify instance that workers add watches to (WatchHostPath) and the core reads: only workers can
/// reach every path of the node, and only the core is always there to listen.
class HostWatch {
 public:
  HostWatch(boost::asio::io_context& loop, std::function<void(int watch)> fired);

  /// For the workers; borrowed. -1 if the kernel gave none.
  int descriptor() const { return inotify_.get(); }
  void remove(int watch);

 private:
  void wait();
  kernel::Descriptor inotify_;
  boost::asio::posix::stream_descriptor stream_;
  std::function<void(int)> fired_;
};

}  // namespace mooring
