#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>

namespace mooring {

/// Gathers what an inotify instance tells: what makes or installs something does more than one thing, and it
/// is looked at once, a pause after the first of them.
class ChangeBurst {
 public:
  using Pause = std::chrono::milliseconds;

  /// `take`: forgets what the instance has to tell, and never waits; true if there was anything. `look`: what
  /// is to be done then.
  ChangeBurst(boost::asio::io_context& loop, Pause pause, std::function<bool()> take,
              std::function<void()> look);

  /// Waits for changes of the instance from now on. Negative: nothing ever tells of any.
  void watch(int inotify);
  /// Has it looked at after this pause, unless that is to happen anyway.
  void look_later(Pause pause);

 private:
  void wait();

  boost::asio::posix::stream_descriptor stream_;
  boost::asio::steady_timer timer_;
  Pause pause_;
  std::function<bool()> take_;
  std::function<void()> look_;
  bool is_look_set_ = false;
};

}  // namespace mooring
