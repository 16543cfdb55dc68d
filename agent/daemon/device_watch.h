#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "facts/device.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// Tells when a block device of the node came, went or changed (its size, its content), as the kernel and
/// udev say it. Without a socket for that nobody is told, and what waits for a device is tried again at its
/// time.
class DeviceWatch {
 public:
  DeviceWatch(boost::asio::io_context& loop, std::function<void(DeviceNumber)> removed,
              std::function<void()> changed);

 private:
  void wait();
  kernel::Descriptor uevents_;
  boost::asio::posix::stream_descriptor stream_;
  std::function<void(DeviceNumber)> removed_;
  std::function<void()> changed_;
};

}  // namespace mooring
