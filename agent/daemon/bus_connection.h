#pragma once

#include <systemd/sd-bus.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace mooring {

struct BusRelease {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};
using BusHandle = std::unique_ptr<sd_bus, BusRelease>;

/// Connects to "system", "session" or a D-Bus address; does not wait for the bus to answer. Transient,
/// "NoBus".
Result<BusHandle> open_bus(const std::string& address);

/// Drives an sd-bus connection from the loop: waits for what sd-bus waits for (sd_bus_get_fd(3)), and
/// processes until nothing is left. Everything happens on the loop's thread.
class BusConnection {
 public:
  /// `lost` is called once, from the loop, when the connection broke.
  BusConnection(boost::asio::io_context& loop, BusHandle bus, std::function<void()> lost);
  ~BusConnection();

  sd_bus* get() const { return bus_.get(); }
  /// To be called after anything was sent from outside a callback of sd-bus.
  void kick();

 private:
  struct Waiting;
  void process();
  void arm();

  boost::asio::io_context& loop_;
  BusHandle bus_;
  std::function<void()> lost_;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
  bool is_reading_ = false;
  bool is_writing_ = false;
  bool is_kick_set_ = false;
};

}  // namespace mooring
