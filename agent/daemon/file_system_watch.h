#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "facts/device.h"

namespace mooring {

/// Listens for the errors that the kernel finds in mounted file systems. An ext4 counts them in
/// /sys/fs/ext4/NODE/errors_count and wakes whoever polls that file (ext4_notify_error_sysfs, Linux 5.0);
/// others have nothing of the kind, and are not listened to.
class FileSystemWatch {
 public:
  using Sink = std::function<void(DeviceNumber, const std::string& message)>;
  FileSystemWatch(boost::asio::io_context& loop, Sink sink, std::string sysfs = "/sys");

  /// These from now on, and no others. One that has errors from before is told of at once.
  void watch(const std::set<DeviceNumber>& devices);

 private:
  struct Watched {
    std::string directory;  ///< /sys/fs/ext4/loop3.
    std::string told;       ///< The count of errors that was told last.
    boost::asio::posix::stream_descriptor errors;
  };
  /// False if it cannot be read any more.
  bool look(DeviceNumber device, Watched& watched);
  void wait(DeviceNumber device, const std::shared_ptr<Watched>& watched);

  boost::asio::io_context& loop_;
  Sink sink_;
  std::string sysfs_;
  std::map<DeviceNumber, std::shared_ptr<Watched>> watched_;
};

}  // namespace mooring
