#include "client/client.h"

#include <chrono>

#include "client/bus.h"
#include "client/decode.h"

namespace mooring {
namespace {

constexpr std::uint64_t together_us = 50'000;  ///< Changes within this time are told once.

Result<void> append_strings(const bus::Message& request, std::initializer_list<std::string> strings) {
  for (const std::string& text : strings) {
    // The bus carries UTF-8 only.
    const int result = sd_bus_message_append_basic(request.get(), 's', text.c_str());
    if (result == -EINVAL) {
      Error error;
      error.reason = "InvalidArgument";
      error.message = "a name that is not valid UTF-8 names nothing";
      return error;
    }
    if (result < 0) return bus::error_from_errno(result, "cannot make a call");
  }
  return success();
}

Result<void> append_options(const bus::Message& request) {
  const int result = sd_bus_message_append(request.get(), "a{sv}", 0);
  if (result < 0) return bus::error_from_errno(result, "cannot make a call");
  return success();
}

}  // namespace

/// The bus connection and what its signals told.
class Client::Connection {
 public:
  explicit Connection(bus::BusPointer opened) : bus_(std::move(opened)) {}

  sd_bus* get() { return bus_.get(); }
  Result<void> check_owner();
  /// A call of the manager interface with strings and the empty options as arguments.
  Result<bus::Message> manager_call(const char* method, std::initializer_list<std::string> arguments);
  Result<bus::Properties> manager_properties();
  /// WaitForPod or WaitForClaim.
  Result<void> wait(const char* method, const ObjectKey& key, const char* condition,
                    std::uint64_t timeout_ms);

  /// Has the daemon's signals handed to `handler` and its end noticed.
  Result<std::vector<bus::Slot>> subscribe(const std::string& rule, sd_bus_message_handler_t handler,
                                           void* data);
  /// Handles what has come; waits for more, up to `patience_us`, if nothing has.
  Result<void> turn(std::uint64_t patience_us);

 private:
  static int owner_changed(sd_bus_message* message, void* data, sd_bus_error* error);

  bus::BusPointer bus_;
  bool is_daemon_gone_ = false;
};

Result<void> Client::Connection::check_owner() {
  sd_bus_message* raw = nullptr;
  const int result =
      sd_bus_message_new_method_call(bus_.get(), &raw, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "GetNameOwner");
  if (result < 0) return bus::error_from_errno(result, "cannot make a call");
  const bus::Message request(raw);
  MOORING_TRY(append_strings(request, {bus::service}));
  MOORING_TRY(bus::call(bus_.get(), request));
  return success();
}

Result<bus::Message> Client::Connection::manager_call(const char* method,
                                                      std::initializer_list<std::string> arguments) {
  MOORING_TRY(bus::Message request, bus::new_call(bus_.get(), bus::manager_interface, method));
  MOORING_TRY(append_strings(request, arguments));
  MOORING_TRY(append_options(request));
  return bus::call(bus_.get(), request);
}

Result<bus::Properties> Client::Connection::manager_properties() {
  MOORING_TRY(bus::Message request, bus::new_call(bus_.get(), "org.freedesktop.DBus.Properties", "GetAll"));
  MOORING_TRY(append_strings(request, {bus::manager_interface}));
  MOORING_TRY(bus::Message answer, bus::call(bus_.get(), request));
  return bus::decode_properties(answer.get());
}

Result<void> Client::Connection::wait(const char* method, const ObjectKey& key, const char* condition,
                                      std::uint64_t timeout_ms) {
  MOORING_TRY(bus::Message request, bus::new_call(bus_.get(), bus::manager_interface, method));
  MOORING_TRY(append_strings(request, {key.name_space.str(), key.name.str(), condition}));
  const int result = sd_bus_message_append_basic(request.get(), 't', &timeout_ms);
  if (result < 0) return bus::error_from_errno(result, "cannot make a call");
  MOORING_TRY(append_options(request));
  // The daemon tells the time; this side only makes sure that a daemon that does not is not waited for.
  constexpr std::uint64_t slack_ms = 5'000;
  const bool is_endless = timeout_ms == 0 || timeout_ms > UINT64_MAX / 2'000;
  const std::uint64_t patience = is_endless ? bus::endless_patience : (timeout_ms + slack_ms) * 1'000;
  MOORING_TRY(bus::call(bus_.get(), request, patience));
  return success();
}

int Client::Connection::owner_changed(sd_bus_message* message, void* data, sd_bus_error*) {
  const char* name = nullptr;
  const char* before = nullptr;
  const char* after = nullptr;
  if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0) return 0;
  if (*after == '\0') static_cast<Connection*>(data)->is_daemon_gone_ = true;
  return 0;
}

Result<std::vector<bus::Slot>> Client::Connection::subscribe(const std::string& rule,
                                                             sd_bus_message_handler_t handler, void* data) {
  const std::string owner_rule =
      std::string(
          "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
          "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='") +
      bus::service + "'";
  is_daemon_gone_ = false;
  std::vector<bus::Slot> slots;
  const auto add = [&](const std::string& match, sd_bus_message_handler_t callback, void* userdata) {
    sd_bus_slot* raw = nullptr;
    const int result = sd_bus_add_match(bus_.get(), &raw, match.c_str(), callback, userdata);
    if (result >= 0) slots.emplace_back(raw);
    return result;
  };
  int result = add(owner_rule, &Connection::owner_changed, this);
  if (result >= 0) result = add(rule, handler, data);
  if (result < 0) return bus::error_from_errno(result, "cannot watch the daemon's signals");
  return slots;
}

Result<void> Client::Connection::turn(std::uint64_t patience_us) {
  int result = sd_bus_process(bus_.get(), nullptr);
  if (result < 0) return bus::error_from_errno(result, "the bus connection broke");
  if (is_daemon_gone_) return bus::no_daemon("the daemon has ended");
  if (result > 0) return success();
  result = sd_bus_wait(bus_.get(), patience_us);
  if (result < 0 && result != -EINTR) return bus::error_from_errno(result, "the bus connection broke");
  return success();
}

Client::Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::connect(const std::string& address) {
  MOORING_TRY(bus::BusPointer opened, bus::open(address));
  auto connection = std::make_unique<Connection>(std::move(opened));
  MOORING_TRY(connection->check_owner());
  return std::unique_ptr<Client>(new Client(std::move(connection)));
}

Result<DaemonInfo> Client::daemon() {
  MOORING_TRY(const bus::Properties properties, connection_->manager_properties());
  return bus::daemon_from(properties);
}

Result<NodeStatus> Client::node() {
  MOORING_TRY(const bus::Properties properties, connection_->manager_properties());
  return bus::node_from(properties);
}

Result<std::vector<PodStatus>> Client::pods() {
  MOORING_TRY(bus::Message request,
              bus::new_call(connection_->get(), "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"));
  MOORING_TRY(bus::Message answer, bus::call(connection_->get(), request));
  return bus::decode_pods(answer.get());
}

Result<std::vector<ContainerMount>> Client::container_mounts(const Namespace& name_space,
                                                             const ObjectName& name,
                                                             const ContainerName& container) {
  MOORING_TRY(
      bus::Message answer,
      connection_->manager_call("GetContainerMounts", {name_space.str(), name.str(), container.str()}));
  return bus::decode_mounts(answer.get());
}

Result<std::vector<ContainerDevice>> Client::container_devices(const Namespace& name_space,
                                                               const ObjectName& name,
                                                               const ContainerName& container) {
  MOORING_TRY(
      bus::Message answer,
      connection_->manager_call("GetContainerDevices", {name_space.str(), name.str(), container.str()}));
  return bus::decode_devices(answer.get());
}

Result<std::vector<DeviceStatus>> Client::devices() {
  MOORING_TRY(bus::Message answer, connection_->manager_call("ListDevices", {}));
  return bus::decode_device_list(answer.get());
}

Result<std::vector<DriverStatus>> Client::drivers() {
  MOORING_TRY(bus::Message answer, connection_->manager_call("ListDrivers", {}));
  return bus::decode_drivers(answer.get());
}

Result<std::vector<ClaimStatus>> Client::claims() {
  MOORING_TRY(bus::Message answer, connection_->manager_call("ListClaims", {}));
  return bus::decode_claims(answer.get());
}

Result<std::vector<PersistentVolumeStatus>> Client::persistent_volumes() {
  MOORING_TRY(bus::Message answer, connection_->manager_call("ListPersistentVolumes", {}));
  return bus::decode_persistent_volumes(answer.get());
}

Result<std::vector<StorageClassStatus>> Client::storage_classes() {
  MOORING_TRY(bus::Message answer, connection_->manager_call("ListStorageClasses", {}));
  return bus::decode_storage_classes(answer.get());
}

Result<std::vector<VolumeSnapshotStatus>> Client::snapshots() {
  MOORING_TRY(bus::Message answer, connection_->manager_call("ListVolumeSnapshots", {}));
  return bus::decode_snapshots(answer.get());
}

Result<std::vector<ClaimCandidate>> Client::explain_claim(const Namespace& name_space,
                                                          const ObjectName& name) {
  MOORING_TRY(bus::Message answer, connection_->manager_call("ExplainClaim", {name_space.str(), name.str()}));
  return bus::decode_candidates(answer.get());
}

Result<ContainerSecurity> Client::container_security(const Namespace& name_space, const ObjectName& name,
                                                     const ContainerName& container) {
  MOORING_TRY(
      bus::Message answer,
      connection_->manager_call("GetContainerSecurity", {name_space.str(), name.str(), container.str()}));
  return bus::decode_security(answer.get());
}

Result<std::vector<StatusEvent>> Client::events_since(std::uint64_t sequence) {
  MOORING_TRY(bus::Message request, bus::new_call(connection_->get(), bus::manager_interface, "GetEvents"));
  const int result = sd_bus_message_append_basic(request.get(), 't', &sequence);
  if (result < 0) return bus::error_from_errno(result, "cannot make a call");
  MOORING_TRY(append_options(request));
  MOORING_TRY(bus::Message answer, bus::call(connection_->get(), request));
  return bus::decode_events(answer.get());
}

Result<void> Client::wait_for_pod(const Namespace& name_space, const ObjectName& name, PodCondition condition,
                                  std::uint64_t timeout_ms) {
  return connection_->wait("WaitForPod", {name_space, name},
                           condition == PodCondition::Ready ? "ready" : "gone", timeout_ms);
}

Result<void> Client::wait_for_claim(const Namespace& name_space, const ObjectName& name,
                                    ClaimCondition condition, std::uint64_t timeout_ms) {
  return connection_->wait("WaitForClaim", {name_space, name},
                           condition == ClaimCondition::Bound ? "bound" : "gone", timeout_ms);
}

Result<void> Client::follow_events(std::uint64_t sequence,
                                   const std::function<bool(const StatusEvent&)>& on_event) {
  std::vector<StatusEvent> live;
  const auto take = [](sd_bus_message* message, void* data, sd_bus_error*) {
    Result<StatusEvent> event = bus::decode_event(message);
    if (event) static_cast<std::vector<StatusEvent>*>(data)->push_back(std::move(event).value());
    return 0;
  };
  const std::string rule = std::string("type='signal',sender='") + bus::service + "',path='" +
                           bus::root_path + "',interface='" + bus::manager_interface + "',member='Event'";
  MOORING_TRY(const auto slots, connection_->subscribe(rule, take, &live));
  MOORING_TRY(std::vector<StatusEvent> batch, events_since(sequence));
  while (true) {
    for (const StatusEvent& event : batch) {
      if (event.sequence <= sequence) continue;
      sequence = event.sequence;
      if (!on_event(event)) return success();
    }
    batch.clear();
    MOORING_TRY(connection_->turn(UINT64_MAX));
    batch.swap(live);
  }
}

Result<void> Client::follow_changes(const std::function<bool()>& on_change) {
  bool has_changed = false;
  const auto note = [](sd_bus_message*, void* data, sd_bus_error*) {
    *static_cast<bool*>(data) = true;
    return 0;
  };
  const std::string rule =
      std::string("type='signal',sender='") + bus::service + "',path_namespace='" + bus::root_path + "'";
  MOORING_TRY(const auto slots, connection_->subscribe(rule, note, &has_changed));
  using Clock = std::chrono::steady_clock;
  if (!on_change()) return success();
  while (true) {
    MOORING_TRY(connection_->turn(UINT64_MAX));
    if (!has_changed) continue;
    const Clock::time_point end = Clock::now() + std::chrono::microseconds(together_us);
    for (auto now = Clock::now(); now < end; now = Clock::now()) {
      const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(end - now);
      MOORING_TRY(connection_->turn(static_cast<std::uint64_t>(rest.count()) + 1));
    }
    has_changed = false;
    if (!on_change()) return success();
  }
}

Result<bool> Client::measure_usage(const Namespace& name_space, const ObjectName& name,
                                   std::uint64_t timeout_ms) {
  MOORING_TRY(bus::Message request,
              bus::new_call(connection_->get(), bus::manager_interface, "MeasureUsage"));
  MOORING_TRY(append_strings(request, {name_space.str(), name.str()}));
  int result = sd_bus_message_append_basic(request.get(), 't', &timeout_ms);
  if (result < 0) return bus::error_from_errno(result, "cannot make a call");
  MOORING_TRY(append_options(request));
  MOORING_TRY(bus::Message answer, bus::call(connection_->get(), request));
  int is_complete = 0;
  result = sd_bus_message_read(answer.get(), "b", &is_complete);
  if (result < 0) return bus::error_from_errno(result, "the daemon's answer cannot be understood");
  return is_complete != 0;
}

Result<void> Client::retry(const Namespace& name_space, const ObjectName& name) {
  MOORING_TRY(connection_->manager_call("Retry", {name_space.str(), name.str()}));
  return success();
}

Result<void> Client::delete_claim(const Namespace& name_space, const ObjectName& name) {
  MOORING_TRY(connection_->manager_call("DeleteClaim", {name_space.str(), name.str()}));
  return success();
}

Result<void> Client::release_volume(const ObjectName& name, bool forget) {
  MOORING_TRY(bus::Message request,
              bus::new_call(connection_->get(), bus::manager_interface, "ReleaseVolume"));
  MOORING_TRY(append_strings(request, {name.str()}));
  const int result = sd_bus_message_append(request.get(), "a{sv}", 1, "forget", "b", int{forget});
  if (result < 0) return bus::error_from_errno(result, "cannot make a call");
  MOORING_TRY(bus::call(connection_->get(), request));
  return success();
}

Result<void> Client::forget_snapshots(const Namespace& name_space, const ObjectName& name) {
  MOORING_TRY(connection_->manager_call("ForgetVolumeSnapshots", {name_space.str(), name.str()}));
  return success();
}

Result<void> Client::reload() {
  MOORING_TRY(connection_->manager_call("Reload", {}));
  return success();
}

}  // namespace mooring
