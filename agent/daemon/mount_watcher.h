#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "facts/mount_table.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// Watches the mount table of the workers' namespace through an open mountinfo file that a worker handed
/// over: POLLPRI tells that something changed (proc(5)); under a storm of changes the table is read at most
/// every 50 ms.
class MountWatcher {
 public:
  using Sink = std::function<void(std::shared_ptr<const MountTable>)>;
  using Complaint = std::function<void(const Error&)>;

  MountWatcher(boost::asio::io_context& loop, Sink sink, Complaint complaint);

  /// Takes the descriptor and reads the table at once. A second one is not needed and closed.
  void adopt(kernel::Descriptor mountinfo);
  bool is_watching() const { return mountinfo_.is_open(); }
  /// Reads the table now if it changed since it was last read; so that a decision to remove something stands
  /// on what is, and not on what was 50 ms ago.
  void refresh();
  /// Reads the table now: an option of a file system may have changed, of which nobody is told.
  void read();

 private:
  void wait();
  bool has_changed();

  Sink sink_;
  Complaint complaint_;
  boost::asio::posix::stream_descriptor mountinfo_;
  boost::asio::steady_timer pause_;
  std::chrono::steady_clock::time_point last_read_;
  bool is_pause_set_ = false;
  std::string buffer_;
};

}  // namespace mooring
