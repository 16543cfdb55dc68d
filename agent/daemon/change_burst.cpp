#include "daemon/change_burst.h"

#include <unistd.h>

#include <utility>

namespace mooring {

using boost::system::error_code;

ChangeBurst::ChangeBurst(boost::asio::io_context& loop, Pause pause, std::function<bool()> take,
                         std::function<void()> look)
    : stream_(loop), timer_(loop), pause_(pause), take_(std::move(take)), look_(std::move(look)) {}

void ChangeBurst::watch(int inotify) {
  if (inotify < 0) return;
  stream_.assign(dup(inotify));
  wait();
}

void ChangeBurst::wait() {
  stream_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](error_code failed) {
    if (failed) return;
    if (take_()) look_later(pause_);
    wait();
  });
}

void ChangeBurst::look_later(Pause pause) {
  if (std::exchange(is_look_set_, true)) return;
  timer_.expires_after(pause);
  timer_.async_wait([this](error_code failed) {
    is_look_set_ = false;
    if (!failed) look_();
  });
}

}  // namespace mooring
