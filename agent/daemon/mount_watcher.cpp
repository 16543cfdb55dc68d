#include "daemon/mount_watcher.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace mooring {
namespace {

constexpr auto read_interval_min = std::chrono::milliseconds(50);

}  // namespace

MountWatcher::MountWatcher(boost::asio::io_context& loop, Sink sink, Complaint complaint)
    : sink_(std::move(sink)), complaint_(std::move(complaint)), mountinfo_(loop), pause_(loop) {}

void MountWatcher::adopt(kernel::Descriptor mountinfo) {
  if (is_watching() || !mountinfo) return;
  mountinfo_.assign(mountinfo.release());
  wait();
  read();
}

void MountWatcher::wait() {
  mountinfo_.async_wait(boost::asio::posix::stream_descriptor::wait_error,
                        [this](boost::system::error_code failed) {
                          if (failed) return;
                          // Before the reading: waiting again asks the kernel, which forgets what it has
                          // told.
                          wait();
                          const auto since = std::chrono::steady_clock::now() - last_read_;
                          if (since >= read_interval_min) {
                            read();
                          } else if (!std::exchange(is_pause_set_, true)) {
                            pause_.expires_after(read_interval_min - since);
                            pause_.async_wait([this](boost::system::error_code cancelled) {
                              is_pause_set_ = false;
                              if (!cancelled) read();
                            });
                          }
                        });
}

bool MountWatcher::has_changed() {
  pollfd item{mountinfo_.native_handle(), POLLPRI, 0};
  return poll(&item, 1, 0) > 0 && (item.revents & POLLPRI) != 0;
}

void MountWatcher::refresh() {
  if (is_watching() && (has_changed() || is_pause_set_)) read();
}

void MountWatcher::read() {
  if (!is_watching()) return;
  last_read_ = std::chrono::steady_clock::now();
  const int fd = mountinfo_.native_handle();
  constexpr std::size_t part = 65536;
  std::size_t size = 0;
  ssize_t got = lseek(fd, 0, SEEK_SET);
  while (got >= 0) {
    if (buffer_.size() - size < part) buffer_.resize(buffer_.size() + part);
    got = ::read(fd, buffer_.data() + size, buffer_.size() - size);
    if (got < 0 && errno == EINTR) {
      got = 0;
      continue;
    }
    if (got == 0) break;
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  if (got < 0) {
    return complaint_(
        system_error(ErrorKind::Transient, "MountTableUnreadable", "cannot read the mount table", {}, errno));
  }
  Result<MountTable> table = MountTable::parse(std::string_view(buffer_).substr(0, size));
  if (!table) return complaint_(table.error());
  sink_(std::make_shared<const MountTable>(std::move(table).value()));
}

}  // namespace mooring
