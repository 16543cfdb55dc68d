#include "daemon/bus_connection.h"

#include <poll.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>

namespace mooring {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

constexpr std::uint64_t call_timeout_us = 2'000'000;
/// Of one turn: whoever floods the bus must not keep volumes from being worked on.
constexpr int messages_max = 64;

}  // namespace

Result<BusHandle> open_bus(const std::string& address) {
  sd_bus* raw = nullptr;
  int failed = 0;
  if (address == "system") {
    failed = sd_bus_open_system(&raw);
  } else if (address == "session") {
    failed = sd_bus_open_user(&raw);
  } else {
    failed = sd_bus_new(&raw);
    if (failed >= 0) failed = sd_bus_set_address(raw, address.c_str());
    if (failed >= 0) failed = sd_bus_set_bus_client(raw, 1);
    if (failed >= 0) failed = sd_bus_start(raw);
  }
  BusHandle bus(raw);
  if (failed < 0) {
    Error error =
        system_error(ErrorKind::Transient, "NoBus", "cannot connect to the bus " + address, {}, -failed);
    error.remedy = "volumes are served all the same; mooringctl cannot ask until the bus is there";
    return error;
  }
  sd_bus_set_method_call_timeout(bus.get(), call_timeout_us);
  return bus;
}

BusConnection::BusConnection(boost::asio::io_context& loop, BusHandle bus, std::function<void()> lost)
    : loop_(loop), bus_(std::move(bus)), lost_(std::move(lost)), descriptor_(loop), timer_(loop) {
  descriptor_.assign(dup(sd_bus_get_fd(bus_.get())));
  arm();
}

BusConnection::~BusConnection() {
  *is_alive_ = false;
}

void BusConnection::kick() {
  if (std::exchange(is_kick_set_, true)) return;
  boost::asio::post(loop_, [this, alive = is_alive_] {
    if (!*alive) return;
    is_kick_set_ = false;
    process();
  });
}

void BusConnection::process() {
  const std::shared_ptr<bool> alive = is_alive_;
  int processed = 1;
  for (int i = 0; processed > 0 && i < messages_max; ++i) {
    processed = sd_bus_process(bus_.get(), nullptr);
    if (!*alive) return;
  }
  if (processed > 0) return kick();
  if (processed < 0) {
    const auto lost = std::exchange(lost_, nullptr);
    if (lost) lost();
    return;
  }
  arm();
}

/// Waits for what sd-bus wants to be told of. Waits that are under way stay: they do no harm if they come
/// early.
void BusConnection::arm() {
  const int events = sd_bus_get_events(bus_.get());
  const auto wait = [&](stream_descriptor::wait_type type, bool& is_waiting) {
    if (std::exchange(is_waiting, true)) return;
    descriptor_.async_wait(type, [this, &is_waiting, alive = is_alive_](error_code failed) {
      if (failed || !*alive) return;
      is_waiting = false;
      process();
    });
  };
  if (events < 0 || (events & POLLIN) != 0) wait(stream_descriptor::wait_read, is_reading_);
  if (events >= 0 && (events & POLLOUT) != 0) wait(stream_descriptor::wait_write, is_writing_);
  std::uint64_t until_us = 0;
  timer_.cancel();
  if (sd_bus_get_timeout(bus_.get(), &until_us) < 0 || until_us == UINT64_MAX) return;
  // CLOCK_MONOTONIC on both sides (sd_bus_get_timeout(3)).
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::microseconds(until_us)));
  timer_.async_wait([this, alive = is_alive_](error_code cancelled) {
    if (!cancelled && *alive) process();
  });
}

}  // namespace mooring
