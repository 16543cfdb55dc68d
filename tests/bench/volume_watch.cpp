#include "volume_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

#include "places.h"

namespace mooring::bench {

VolumeWatch::VolumeWatch(const std::vector<std::string>& volumes)
    : inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  for (std::size_t index = 0; index < volumes.size(); ++index) {
    const int watch = inotify_add_watch(inotify_, volumes[index].c_str(), IN_MOVED_TO | IN_ONLYDIR);
    if (watch < 0) give_up("cannot watch " + volumes[index]);
    volumes_[watch] = index;
  }
}

VolumeWatch::~VolumeWatch() {
  close(inotify_);
}

void VolumeWatch::wait(int other) const {
  pollfd files[] = {{inotify_, POLLIN, 0}, {other, POLLIN, 0}};  // poll(2) skips a negative descriptor.
  poll(files, 2, 1000);
}

void VolumeWatch::take(const std::function<void(std::size_t, Clock::time_point)>& swapped) {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t got = read(inotify_, buffer.data(), buffer.size());
    const Clock::time_point now = Clock::now();
    if (got <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      if ((event.mask & IN_Q_OVERFLOW) != 0) give_up("inotify lost events");
      const std::string_view name(event.len > 0 ? buffer.data() + at + sizeof event : "");
      if (name == "..data") swapped(volumes_.at(event.wd), now);
      at += sizeof event + event.len;
    }
  }
}

}  // namespace mooring::bench
