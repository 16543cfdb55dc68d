#include "daemon/host_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <set>

namespace mooring {

HostWatch::HostWatch(boost::asio::io_context& loop, std::function<void(int)> fired)
    : inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), stream_(loop), fired_(std::move(fired)) {
  if (!inotify_) return;
  stream_.assign(dup(inotify_.get()));
  wait();
}

void HostWatch::remove(int watch) {
  inotify_rm_watch(inotify_.get(), watch);
}

void HostWatch::wait() {
  stream_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](boost::system::error_code failed) {
                       if (failed) return;
                       alignas(inotify_event) std::array<char, 16384> buffer{};
                       std::set<int> fired;
                       while (true) {
                         const ssize_t got = read(inotify_.get(), buffer.data(), buffer.size());
                         if (got <= 0) break;
                         for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
                           inotify_event event{};
                           std::memcpy(&event, buffer.data() + at, sizeof event);
                           at += sizeof event + event.len;
                           fired.insert(event.wd);
                         }
                       }
                       for (const int watch : fired)
                         fired_(watch);
                       wait();
                     });
}

}  // namespace mooring
