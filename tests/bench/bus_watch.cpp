#include "bus_watch.h"

#include <systemd/sd-bus.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mooring::bench {
namespace {

constexpr const char* service = "io.mooring.VolumeManager1";
constexpr const char* root_path = "/io/mooring/VolumeManager1";
constexpr const char* manager = "io.mooring.VolumeManager1.Manager";

void require(int result, const char* what) {
  if (result >= 0) return;
  std::fprintf(stderr, "bench: %s: %s\n", what, std::strerror(-result));
  std::exit(1);
}

}  // namespace

struct BusWatch::State {
  sd_bus* bus = nullptr;
  unsigned ready = 0;
  unsigned gone = 0;

  static int count(sd_bus_message* message, void* data, sd_bus_error*) {
    auto* state = static_cast<State*>(data);
    if (sd_bus_message_is_signal(message, manager, "PodReady") > 0) ++state->ready;
    if (sd_bus_message_is_signal(message, manager, "PodGone") > 0) ++state->gone;
    return 0;
  }
};

BusWatch::BusWatch(const std::string& address) : state_(std::make_unique<State>()) {
  require(sd_bus_new(&state_->bus), "sd_bus_new");
  require(sd_bus_set_address(state_->bus, address.c_str()), "bus address");
  require(sd_bus_set_bus_client(state_->bus, 1), "bus client");
  require(sd_bus_start(state_->bus), "connect to the bus");
  const std::string match = std::string("type='signal',interface='") + manager + "'";
  require(sd_bus_add_match(state_->bus, nullptr, match.c_str(), &State::count, state_.get()), "match");
}

BusWatch::~BusWatch() {
  sd_bus_flush_close_unref(state_->bus);
}

void BusWatch::reset() {
  state_->ready = state_->gone = 0;
}

bool BusWatch::wait(const std::function<bool()>& done, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    const int processed = sd_bus_process(state_->bus, nullptr);
    require(processed, "process the bus");
    if (processed > 0) continue;
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero()) return false;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(left).count();
    require(sd_bus_wait(state_->bus, static_cast<std::uint64_t>(micros)), "wait for the bus");
  }
  return true;
}

bool BusWatch::wait_ready(unsigned count, std::chrono::seconds limit) {
  return wait([&] { return state_->ready >= count; }, limit);
}

bool BusWatch::wait_gone(unsigned count, std::chrono::seconds limit) {
  return wait([&] { return state_->gone >= count; }, limit);
}

bool BusWatch::wait_pods_ready(unsigned count, std::chrono::seconds limit) {
  const auto is_done = [&] {
    unsigned ready = 0;
    int complete = 0;
    sd_bus* bus = state_->bus;
    return sd_bus_get_property_trivial(bus, service, root_path, manager, "PodsReady", nullptr, 'u', &ready) >=
               0 &&
           sd_bus_get_property_trivial(bus, service, root_path, manager, "ManifestsComplete", nullptr, 'b',
                                       &complete) >= 0 &&
           complete != 0 && ready == count;
  };
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!is_done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    // The daemon may not be on the bus yet: wait for its next signal, at most 2 ms.
    sd_bus_wait(state_->bus, 2000);
    while (sd_bus_process(state_->bus, nullptr) > 0) {
    }
  }
  return true;
}

}  // namespace mooring::bench
