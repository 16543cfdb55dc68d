#include "daemon/bus_objects.h"

#include <cstring>

#include "daemon/bus_calls.h"
#include "daemon/bus_service.h"
#include "daemon/bus_values.h"

namespace mooring {
/// What sd-bus calls: each gets the service as its userdata.
struct BusObjects {
  static int manager_property(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply,
                              void* data, sd_bus_error*) {
    auto& service = *static_cast<BusService*>(data);
    const std::string name = property;
    const NodeStatus& node = service.node();
    if (name == "Version") return append_text(reply, MOORING_VERSION);
    if (name == "NodeName") return append_text(reply, node.node_name);
    if (name == "RootDirectory") return append_text(reply, service.root_dir_);
    if (name == "Pods") return sd_bus_message_append(reply, "u", node.pods);
    if (name == "PodsReady") return sd_bus_message_append(reply, "u", node.pods_ready);
    if (name == "Volumes") return sd_bus_message_append(reply, "u", node.volumes);
    if (name == "VolumesReady") return sd_bus_message_append(reply, "u", node.volumes_ready);
    if (name == "WorkersStuck") return sd_bus_message_append(reply, "u", node.workers_stuck);
    if (name == "ManifestsComplete") return sd_bus_message_append(reply, "b", int{node.manifests_complete});
    int failed = sd_bus_message_open_container(reply, 'a', "s");
    for (const std::string& problem : node.problems) {
      if (failed >= 0) failed = append_text(reply, problem);
    }
    return failed < 0 ? failed : sd_bus_message_close_container(reply);
  }

  static int find_pod(sd_bus*, const char* path, const char*, void* data, void** found, sd_bus_error*) {
    auto& service = *static_cast<BusService*>(data);
    const auto uid = parse_pod_path(path);
    if (!uid || service.status_of(*uid) == nullptr) return 0;
    *found = data;
    return 1;
  }

  static int find_volume(sd_bus*, const char* path, const char*, void* data, void** found, sd_bus_error*) {
    if (volume_at(*static_cast<BusService*>(data), path) == nullptr) return 0;
    *found = data;
    return 1;
  }

  static const VolumeStatus* volume_at(BusService& service, const char* path) {
    const auto key = parse_volume_path(path);
    const PodStatus* pod = key ? service.status_of(key->pod) : nullptr;
    if (pod == nullptr) return nullptr;
    for (const VolumeStatus& volume : pod->volumes) {
      if (volume.name == key->volume) return &volume;
    }
    return nullptr;
  }

  static int pod_property(sd_bus*, const char* path, const char*, const char* property, sd_bus_message* reply,
                          void* data, sd_bus_error*) {
    const auto uid = parse_pod_path(path);
    const PodStatus* pod = uid ? static_cast<BusService*>(data)->status_of(*uid) : nullptr;
    if (pod == nullptr) return -ENOENT;
    const std::string name = property;
    if (name == "Namespace") return append_text(reply, pod->name_space.str());
    if (name == "Name") return append_text(reply, pod->name.str());
    if (name == "UID") return append_text(reply, pod->uid.str());
    if (name == "Ready") return sd_bus_message_append(reply, "b", int{pod->ready});
    if (name == "Deleting") return sd_bus_message_append(reply, "b", int{pod->deleting});
    if (name == "Origin") return append_text(reply, pod->origin);
    if (name == "Message") return append_text(reply, pod->message);
    int failed = sd_bus_message_open_container(reply, 'a', "o");
    for (const VolumeStatus& volume : pod->volumes) {
      if (failed >= 0) failed = sd_bus_message_append(reply, "o", volume_path(pod->uid, volume.name).c_str());
    }
    return failed < 0 ? failed : sd_bus_message_close_container(reply);
  }

  static int volume_property(sd_bus*, const char* path, const char*, const char* property,
                             sd_bus_message* reply, void* data, sd_bus_error*) {
    const VolumeStatus* volume = volume_at(*static_cast<BusService*>(data), path);
    if (volume == nullptr) return -ENOENT;
    const std::string name = property;
    if (name == "Pod")
      return sd_bus_message_append(reply, "o", pod_path(parse_volume_path(path)->pod).c_str());
    if (name == "Name") return append_text(reply, volume->name.str());
    if (name == "Plugin") return append_text(reply, volume->plugin.str());
    if (name == "Phase") return append_text(reply, std::string(to_string(volume->phase)));
    if (name == "Path") return append_text(reply, volume->path);
    if (name == "Reason") return append_text(reply, volume->reason);
    if (name == "Message") return append_text(reply, volume->message);
    if (name == "Action") return append_text(reply, volume->action);
    if (name == "Since") return sd_bus_message_append(reply, "t", micros(volume->since));
    if (name == "Attempts") return sd_bus_message_append(reply, "u", volume->attempts);
    if (name == "Claim") return append_text(reply, volume->claim);
    if (name == "Usage") return append_usage(reply, volume->usage);
    return sd_bus_message_append(reply, "t", volume->next_retry ? micros(*volume->next_retry) : 0);
  }

  /// All object paths below the root, for introspection and GetManagedObjects.
  static int enumerate(sd_bus*, const char*, void* data, char*** nodes, sd_bus_error*) {
    auto& service = *static_cast<BusService*>(data);
    std::vector<std::string> paths;
    for (const PodUid& uid : service.core_.pods()) {
      const PodStatus* pod = service.status_of(uid);
      if (pod == nullptr) continue;
      paths.push_back(pod_path(uid));
      for (const VolumeStatus& volume : pod->volumes)
        paths.push_back(volume_path(uid, volume.name));
    }
    append_claim_paths(service, paths);
    // sd-bus frees the list and its strings with free(3).
    auto** list = static_cast<char**>(std::calloc(paths.size() + 1, sizeof(char*)));
    if (list == nullptr) return -ENOMEM;
    for (std::size_t i = 0; i < paths.size(); ++i)
      list[i] = strdup(paths[i].c_str());
    *nodes = list;
    return 0;
  }

  static int get_pod(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    const auto uid = service.core_.find_pod(key);
    if (!uid) return fail_call(error, "NoSuchPod", "no pod " + key.text() + " is known");
    return sd_bus_reply_method_return(call, "o", pod_path(*uid).c_str());
  }

  static int wait_for_pod(sd_bus_message* call, void* data, sd_bus_error* error) {
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    const char* condition = nullptr;
    std::uint64_t timeout_ms = 0;
    const int read = sd_bus_message_read(call, "st", &condition, &timeout_ms);
    if (read < 0) return read;
    const bool for_ready = std::strcmp(condition, "ready") == 0;
    if (!for_ready && std::strcmp(condition, "gone") != 0) {
      return fail_call(error, "InvalidArgument", "condition is not ready or gone: " + std::string(condition));
    }
    static_cast<BusService*>(data)->wait_for(
        call, std::move(key), for_ready ? BusService::Awaited::PodReady : BusService::Awaited::PodGone,
        timeout_ms);
    return 1;
  }

  static int get_container_mounts(sd_bus_message* call, void* data, sd_bus_error*) {
    auto& service = *static_cast<BusService*>(data);
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    const char* container = nullptr;
    if (const int failed = sd_bus_message_read(call, "s", &container); failed < 0) return failed;
    service.answer_mounts(call, key, ContainerName(container), BusService::is_privileged(call));
    return 1;
  }

  static int get_container_devices(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    const char* container = nullptr;
    if (const int failed = sd_bus_message_read(call, "s", &container); failed < 0) return failed;
    const auto uid = service.core_.find_pod(key);
    if (!uid) return fail_call(error, "NoSuchPod", "no pod " + key.text() + " is known");
    const auto devices = service.core_.container_devices(*uid, ContainerName(container));
    if (devices) return answer_list(call, devices.value(), append_device);
    return fail_call(error, devices.error());
  }

  static int list_devices(sd_bus_message* call, void* data, sd_bus_error*) {
    return answer_list(call, static_cast<BusService*>(data)->core_.devices(), append_device_status);
  }

  static int list_drivers(sd_bus_message* call, void* data, sd_bus_error*) {
    return answer_list(call, static_cast<BusService*>(data)->core_.drivers(), append_driver_status);
  }

  static int get_container_security(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    const char* container = nullptr;
    if (const int failed = sd_bus_message_read(call, "s", &container); failed < 0) return failed;
    const auto uid = service.core_.find_pod(key);
    if (!uid) return fail_call(error, "NoSuchPod", "no pod " + key.text() + " is known");
    const auto security = service.core_.container_security(*uid, ContainerName(container));
    if (!security) return fail_call(error, security.error().reason.c_str(), security.error().message);
    sd_bus_message* reply = nullptr;
    int failed = sd_bus_message_new_method_return(call, &reply);
    if (failed >= 0) failed = append_security(reply, security.value());
    if (failed >= 0) failed = sd_bus_send(nullptr, reply, nullptr);
    sd_bus_message_unref(reply);
    return failed < 0 ? failed : 1;
  }

  static int get_events(sd_bus_message* call, void* data, sd_bus_error*) {
    auto& service = *static_cast<BusService*>(data);
    std::uint64_t after = 0;
    if (const int failed = sd_bus_message_read(call, "t", &after); failed < 0) return failed;
    sd_bus_message* reply = nullptr;
    int failed = sd_bus_message_new_method_return(call, &reply);
    if (failed >= 0) failed = sd_bus_message_open_container(reply, 'a', "(ttbsss)");
    for (const StatusEvent& event : service.core_.events_since(after)) {
      if (failed >= 0) failed = append_bus_event(reply, event);
    }
    if (failed >= 0) failed = sd_bus_message_close_container(reply);
    if (failed >= 0) failed = sd_bus_send(nullptr, reply, nullptr);
    sd_bus_message_unref(reply);
    return failed < 0 ? failed : 1;
  }

  static int measure_usage(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    std::uint64_t timeout_ms = 0;
    if (const int failed = sd_bus_message_read(call, "t", &timeout_ms); failed < 0) return failed;
    const bool is_all = key.name_space.empty() && key.name.empty();
    const auto uid = is_all ? std::nullopt : service.core_.find_pod(key);
    if (!is_all && !uid) return fail_call(error, "NoSuchPod", "no pod " + key.text() + " is known");
    service.measure_usage(call, uid, timeout_ms);
    return 1;
  }

  static int retry(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    if (!service.may_change(call, error)) return -EPERM;
    const bool is_all = key.name_space.empty() && key.name.empty();
    if (!is_all && !service.core_.find_pod(key)) {
      return fail_call(error, "NoSuchPod", "no pod " + key.text() + " is known");
    }
    service.callbacks_.event(RetryRequested{is_all ? std::nullopt : std::optional(key)});
    return sd_bus_reply_method_return(call, "");
  }

  static int reload(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    if (!service.may_change(call, error)) return -EPERM;
    service.callbacks_.reload();
    return sd_bus_reply_method_return(call, "");
  }
};

namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"  // sd-bus' table macros use designated initialisers of C.
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

constexpr std::uint64_t changes = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
constexpr std::uint64_t quiet = 0;
constexpr std::uint64_t constant = SD_BUS_VTABLE_PROPERTY_CONST;

const sd_bus_vtable manager_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Version", "s", BusObjects::manager_property, 0, constant),
    SD_BUS_PROPERTY("NodeName", "s", BusObjects::manager_property, 0, constant),
    SD_BUS_PROPERTY("RootDirectory", "s", BusObjects::manager_property, 0, constant),
    SD_BUS_PROPERTY("Pods", "u", BusObjects::manager_property, 0, quiet),
    SD_BUS_PROPERTY("PodsReady", "u", BusObjects::manager_property, 0, quiet),
    SD_BUS_PROPERTY("Volumes", "u", BusObjects::manager_property, 0, quiet),
    SD_BUS_PROPERTY("VolumesReady", "u", BusObjects::manager_property, 0, quiet),
    SD_BUS_PROPERTY("WorkersStuck", "u", BusObjects::manager_property, 0, quiet),
    SD_BUS_PROPERTY("ManifestsComplete", "b", BusObjects::manager_property, 0, quiet),
    SD_BUS_PROPERTY("Problems", "as", BusObjects::manager_property, 0, quiet),
    SD_BUS_METHOD_WITH_ARGS("GetPod", SD_BUS_ARGS("s", namespace, "s", name, "a{sv}", options),
                            SD_BUS_RESULT("o", pod), BusObjects::get_pod, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "WaitForPod",
        SD_BUS_ARGS("s", namespace, "s", name, "s", condition, "t", timeout_ms, "a{sv}", options),
        SD_BUS_NO_RESULT, BusObjects::wait_for_pod, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "GetContainerMounts", SD_BUS_ARGS("s", namespace, "s", name, "s", container, "a{sv}", options),
        SD_BUS_RESULT("aa{sv}", mounts), BusObjects::get_container_mounts, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "GetContainerDevices", SD_BUS_ARGS("s", namespace, "s", name, "s", container, "a{sv}", options),
        SD_BUS_RESULT("aa{sv}", devices), BusObjects::get_container_devices, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListDevices", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("aa{sv}", devices),
                            BusObjects::list_devices, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListDrivers", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("aa{sv}", drivers),
                            BusObjects::list_drivers, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "GetContainerSecurity", SD_BUS_ARGS("s", namespace, "s", name, "s", container, "a{sv}", options),
        SD_BUS_RESULT("a{sv}", security), BusObjects::get_container_security, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetEvents", SD_BUS_ARGS("t", after, "a{sv}", options),
                            SD_BUS_RESULT("a(ttbsss)", events), BusObjects::get_events,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "MeasureUsage", SD_BUS_ARGS("s", namespace, "s", name, "t", timeout_ms, "a{sv}", options),
        SD_BUS_RESULT("b", complete), BusObjects::measure_usage, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Retry", SD_BUS_ARGS("s", namespace, "s", name, "a{sv}", options),
                            SD_BUS_NO_RESULT, BusObjects::retry, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, BusObjects::reload,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("DevicesChanged", "", 0),
    SD_BUS_SIGNAL("DriversChanged", "", 0),
    SD_BUS_SIGNAL("VolumeSnapshotsChanged", "", 0),
    SD_BUS_SIGNAL_WITH_ARGS("PodReady", SD_BUS_ARGS("s", namespace, "s", name, "s", uid), 0),
    SD_BUS_SIGNAL_WITH_ARGS("PodGone", SD_BUS_ARGS("s", namespace, "s", name, "s", uid), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Event", SD_BUS_ARGS("(ttbsss)", event), 0),
    SD_BUS_VTABLE_END};

const sd_bus_vtable pod_table[] = {SD_BUS_VTABLE_START(0),
                                   SD_BUS_PROPERTY("Namespace", "s", BusObjects::pod_property, 0, constant),
                                   SD_BUS_PROPERTY("Name", "s", BusObjects::pod_property, 0, constant),
                                   SD_BUS_PROPERTY("UID", "s", BusObjects::pod_property, 0, constant),
                                   SD_BUS_PROPERTY("Ready", "b", BusObjects::pod_property, 0, changes),
                                   SD_BUS_PROPERTY("Deleting", "b", BusObjects::pod_property, 0, changes),
                                   SD_BUS_PROPERTY("Origin", "s", BusObjects::pod_property, 0, changes),
                                   SD_BUS_PROPERTY("Message", "s", BusObjects::pod_property, 0, changes),
                                   SD_BUS_PROPERTY("Volumes", "ao", BusObjects::pod_property, 0, changes),
                                   SD_BUS_VTABLE_END};

const sd_bus_vtable volume_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Pod", "o", BusObjects::volume_property, 0, constant),
    SD_BUS_PROPERTY("Name", "s", BusObjects::volume_property, 0, constant),
    SD_BUS_PROPERTY("Plugin", "s", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("Phase", "s", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("Path", "s", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("Reason", "s", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("Message", "s", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("Action", "s", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("Since", "t", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("Attempts", "u", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("NextRetry", "t", BusObjects::volume_property, 0, changes),
    SD_BUS_PROPERTY("Claim", "s", BusObjects::volume_property, 0, quiet),
    SD_BUS_PROPERTY("Usage", "a{sv}", BusObjects::volume_property, 0, quiet),
    SD_BUS_VTABLE_END};

#pragma GCC diagnostic pop

}  // namespace

int append_bus_event(sd_bus_message* message, const StatusEvent& event) {
  return sd_bus_message_append(message, "(ttbsss)", event.sequence, micros(event.time), int{event.warning},
                               event.reason.c_str(), bus_text(event.object).c_str(),
                               bus_text(event.message).c_str());
}

int add_bus_objects(sd_bus* bus, BusService& service) {
  int failed = sd_bus_add_object_vtable(bus, nullptr, bus_root, manager_interface, manager_table, &service);
  if (failed >= 0) failed = sd_bus_add_object_manager(bus, nullptr, bus_root);
  if (failed >= 0) {
    failed = sd_bus_add_fallback_vtable(bus, nullptr, bus_pods, pod_interface, pod_table,
                                        &BusObjects::find_pod, &service);
  }
  if (failed >= 0) {
    failed = sd_bus_add_fallback_vtable(bus, nullptr, bus_volumes, volume_interface, volume_table,
                                        &BusObjects::find_volume, &service);
  }
  if (failed >= 0)
    failed = sd_bus_add_node_enumerator(bus, nullptr, bus_root, &BusObjects::enumerate, &service);
  if (failed >= 0) failed = add_bus_claims(bus, service);
  return failed;
}

}  // namespace mooring
