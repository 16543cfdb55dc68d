#include "bus_client.h"

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <cstring>

namespace mooring::integration {
namespace {

constexpr const char* service = "io.mooring.VolumeManager1";
constexpr const char* root_path = "/io/mooring/VolumeManager1";
constexpr const char* manager = "io.mooring.VolumeManager1.Manager";
constexpr std::uint64_t call_timeout_us = 60'000'000;

void require(int result, const char* what) {
  if (result < 0) ADD_FAILURE() << what << ": " << std::strerror(-result);
}

std::string short_name(const sd_bus_error& error) {
  const std::string name = error.name == nullptr ? "" : error.name;
  const std::string prefix = std::string(service) + ".Error.";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

}  // namespace

struct BusClient::State {
  sd_bus* bus = nullptr;
  std::vector<std::string> ready;
  std::vector<std::string> gone;
  std::vector<BusEvent> events;

  static int take(sd_bus_message* message, void* data, sd_bus_error*) {
    auto* state = static_cast<State*>(data);
    const char* first = nullptr;
    const char* second = nullptr;
    const char* third = nullptr;
    const bool is_ready = sd_bus_message_is_signal(message, manager, "PodReady") > 0;
    if (is_ready || sd_bus_message_is_signal(message, manager, "PodGone") > 0) {
      if (sd_bus_message_read(message, "sss", &first, &second, &third) >= 0)
        (is_ready ? state->ready : state->gone).emplace_back(second);
    } else if (sd_bus_message_is_signal(message, manager, "Event") > 0) {
      std::uint64_t number = 0;
      int flag = 0;
      if (sd_bus_message_read(message, "(ttbsss)", &number, &number, &flag, &first, &second, &third) >= 0)
        state->events.push_back({first, second, third});
    }
    return 0;
  }
};

BusClient::BusClient(const std::string& address) : state_(std::make_unique<State>()) {
  require(sd_bus_new(&state_->bus), "sd_bus_new");
  require(sd_bus_set_address(state_->bus, address.c_str()), "bus address");
  require(sd_bus_set_bus_client(state_->bus, 1), "bus client");
  require(sd_bus_start(state_->bus), "connect to the bus");
  sd_bus_set_method_call_timeout(state_->bus, call_timeout_us);
  const std::string match = std::string("type='signal',interface='") + manager + "'";
  require(sd_bus_add_match(state_->bus, nullptr, match.c_str(), &State::take, state_.get()), "match");
}

BusClient::~BusClient() {
  sd_bus_flush_close_unref(state_->bus);
}

int BusClient::descriptor() const {
  return sd_bus_get_fd(state_->bus);
}

void BusClient::process() {
  while (sd_bus_process(state_->bus, nullptr) > 0) {
  }
}

const std::vector<std::string>& BusClient::ready() const {
  return state_->ready;
}
const std::vector<std::string>& BusClient::gone() const {
  return state_->gone;
}
const std::vector<BusEvent>& BusClient::events() const {
  return state_->events;
}

bool BusClient::has_event(const std::string& reason, const std::string& part_of_message) const {
  return std::any_of(state_->events.begin(), state_->events.end(), [&](const BusEvent& event) {
    return event.reason == reason && event.message.find(part_of_message) != std::string::npos;
  });
}

void BusClient::forget_signals() {
  state_->ready.clear();
  state_->gone.clear();
  state_->events.clear();
}

pid_t BusClient::owner() const {
  sd_bus_message* answer = nullptr;
  sd_bus_error error{};
  std::uint32_t pid = 0;
  if (sd_bus_call_method(state_->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                         "GetConnectionUnixProcessID", &error, &answer, "s", service) >= 0)
    sd_bus_message_read(answer, "u", &pid);
  sd_bus_error_free(&error);
  sd_bus_message_unref(answer);
  return static_cast<pid_t>(pid);
}

std::string BusClient::wait_for_pod(const std::string& name, const std::string& condition,
                                    std::uint64_t timeout_ms) {
  sd_bus_message* answer = nullptr;
  sd_bus_error error{};
  std::string problem;
  if (sd_bus_call_method(state_->bus, service, root_path, manager, "WaitForPod", &error, &answer, "sssta{sv}",
                         "default", name.c_str(), condition.c_str(), timeout_ms, 0) < 0)
    problem = short_name(error);
  sd_bus_error_free(&error);
  sd_bus_message_unref(answer);
  return problem;
}

int BusClient::container_mounts(const std::string& pod, const std::string& container, std::string& error) {
  sd_bus_message* answer = nullptr;
  sd_bus_error raised{};
  int count = -1;
  if (sd_bus_call_method(state_->bus, service, root_path, manager, "GetContainerMounts", &raised, &answer,
                         "sssa{sv}", "default", pod.c_str(), container.c_str(), 0) < 0) {
    error = short_name(raised);
  } else if (sd_bus_message_enter_container(answer, 'a', "a{sv}") >= 0) {
    for (count = 0; sd_bus_message_skip(answer, "a{sv}") > 0;)
      ++count;
  }
  sd_bus_error_free(&raised);
  sd_bus_message_unref(answer);
  return count;
}

}  // namespace mooring::integration
