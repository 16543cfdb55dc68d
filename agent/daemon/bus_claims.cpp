// The objects of claims and PersistentVolumes, and the manager's methods for them.

#include <cstring>

#include "daemon/bus_calls.h"
#include "daemon/bus_objects.h"
#include "daemon/bus_service.h"
#include "daemon/bus_values.h"

namespace mooring {
namespace {

/// Reads the a{sv} options: the flag `name`, which stays as it is if it is not given. All others are ignored.
/// -EINVAL: the flag is no boolean.
int read_flag_option(sd_bus_message* call, const char* name, bool& flag) {
  int read = sd_bus_message_enter_container(call, 'a', "{sv}");
  while (read >= 0 && (read = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
    const char* key = nullptr;
    const char* contents = nullptr;
    read = sd_bus_message_read(call, "s", &key);
    if (read >= 0) read = sd_bus_message_peek_type(call, nullptr, &contents);
    if (read < 0) break;
    if (std::strcmp(key, name) == 0) {
      if (std::strcmp(contents, "b") != 0) return -EINVAL;
      int value = 0;
      read = sd_bus_message_read(call, "v", "b", &value);
      flag = value != 0;
    } else {
      read = sd_bus_message_skip(call, "v");
    }
    if (read >= 0) read = sd_bus_message_exit_container(call);
  }
  return read < 0 ? read : sd_bus_message_exit_container(call);
}

int fail_unknown_claim(sd_bus_error* error, const ObjectKey& key) {
  return fail_call(error, "NoSuchClaim", "no claim " + key.text() + " is known");
}

}  // namespace

/// What sd-bus calls: each gets the service as its userdata.
struct BusClaims {
  static int find_claim(sd_bus*, const char* path, const char*, void* data, void** found, sd_bus_error*) {
    const auto key = parse_claim_path(path);
    if (!key || static_cast<BusService*>(data)->claim_at(*key) == nullptr) return 0;
    *found = data;
    return 1;
  }

  static int claim_property(sd_bus*, const char* path, const char*, const char* property,
                            sd_bus_message* reply, void* data, sd_bus_error*) {
    const auto key = parse_claim_path(path);
    const ClaimStatus* claim = key ? static_cast<BusService*>(data)->claim_at(*key) : nullptr;
    return claim == nullptr ? -ENOENT : append_claim_property(reply, *claim, property);
  }

  static int find_volume(sd_bus*, const char* path, const char*, void* data, void** found, sd_bus_error*) {
    const auto name = parse_persistent_volume_path(path);
    if (!name || static_cast<BusService*>(data)->persistent_volume_at(*name) == nullptr) return 0;
    *found = data;
    return 1;
  }

  static int volume_property(sd_bus*, const char* path, const char*, const char* property,
                             sd_bus_message* reply, void* data, sd_bus_error*) {
    const auto name = parse_persistent_volume_path(path);
    const PersistentVolumeStatus* volume =
        name ? static_cast<BusService*>(data)->persistent_volume_at(*name) : nullptr;
    return volume == nullptr ? -ENOENT : append_persistent_volume_property(reply, *volume, property);
  }

  static int list_claims(sd_bus_message* call, void* data, sd_bus_error*) {
    return answer_list(call, static_cast<BusService*>(data)->core_.claims(), append_claim);
  }

  static int list_volumes(sd_bus_message* call, void* data, sd_bus_error*) {
    return answer_list(call, static_cast<BusService*>(data)->core_.persistent_volumes(),
                       append_persistent_volume);
  }

  static int list_classes(sd_bus_message* call, void* data, sd_bus_error*) {
    return answer_list(call, static_cast<BusService*>(data)->core_.storage_classes(), append_storage_class);
  }

  static int list_snapshots(sd_bus_message* call, void* data, sd_bus_error*) {
    return answer_list(call, static_cast<BusService*>(data)->core_.snapshots(), append_volume_snapshot);
  }

  static int explain_claim(sd_bus_message* call, void* data, sd_bus_error* error) {
    const Core& core = static_cast<BusService*>(data)->core_;
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    if (!core.claim_status(key)) return fail_unknown_claim(error, key);
    return answer_list(call, core.explain_claim(key), append_candidate);
  }

  static int wait_for_claim(sd_bus_message* call, void* data, sd_bus_error* error) {
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    const char* condition = nullptr;
    std::uint64_t timeout_ms = 0;
    const int read = sd_bus_message_read(call, "st", &condition, &timeout_ms);
    if (read < 0) return read;
    const bool for_bound = std::strcmp(condition, "bound") == 0;
    if (!for_bound && std::strcmp(condition, "gone") != 0) {
      return fail_call(error, "InvalidArgument", "condition is not bound or gone: " + std::string(condition));
    }
    using Awaited = BusService::Awaited;
    static_cast<BusService*>(data)->wait_for(
        call, std::move(key), for_bound ? Awaited::ClaimBound : Awaited::ClaimGone, timeout_ms);
    return 1;
  }

  static int delete_claim(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    if (!service.may_change(call, error)) return -EPERM;
    const Result<void> deleted = service.callbacks_.delete_claim(key);
    return deleted ? sd_bus_reply_method_return(call, "") : fail_call(error, deleted.error());
  }

  static int release_volume(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    const char* name = nullptr;
    if (const int failed = sd_bus_message_read(call, "s", &name); failed < 0) return failed;
    if (!service.may_change(call, error)) return -EPERM;
    bool forget = false;
    const int read = read_flag_option(call, "forget", forget);
    if (read == -EINVAL) return fail_call(error, "InvalidArgument", "the option forget is not a boolean");
    if (read < 0) return read;
    const Result<void> released = service.callbacks_.release_volume(ObjectName(name), forget);
    return released ? sd_bus_reply_method_return(call, "") : fail_call(error, released.error());
  }

  static int forget_snapshots(sd_bus_message* call, void* data, sd_bus_error* error) {
    auto& service = *static_cast<BusService*>(data);
    ObjectKey key;
    if (const int failed = read_key(call, key); failed < 0) return failed;
    if (!service.may_change(call, error)) return -EPERM;
    const Result<void> forgotten = service.callbacks_.forget_snapshots(key);
    return forgotten ? sd_bus_reply_method_return(call, "") : fail_call(error, forgotten.error());
  }

  static void append_paths(BusService& service, std::vector<std::string>& paths) {
    for (const ClaimStatus& claim : service.core_.claims())
      paths.push_back(claim_path({claim.name_space, claim.name}));
    for (const PersistentVolumeStatus& volume : service.core_.persistent_volumes())
      paths.push_back(persistent_volume_path(volume.name));
  }
};

namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"  // sd-bus' table macros use designated initialisers of C.
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

constexpr std::uint64_t changes = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
constexpr std::uint64_t constant = SD_BUS_VTABLE_PROPERTY_CONST;

const sd_bus_vtable manager_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("ListClaims", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("aa{sv}", claims),
                            BusClaims::list_claims, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListPersistentVolumes", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("aa{sv}", volumes), BusClaims::list_volumes,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListStorageClasses", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("aa{sv}", classes), BusClaims::list_classes,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListVolumeSnapshots", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("aa{sv}", snapshots), BusClaims::list_snapshots,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ExplainClaim", SD_BUS_ARGS("s", namespace, "s", name, "a{sv}", options),
                            SD_BUS_RESULT("aa{sv}", candidates), BusClaims::explain_claim,
                            SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS(
        "WaitForClaim",
        SD_BUS_ARGS("s", namespace, "s", name, "s", condition, "t", timeout_ms, "a{sv}", options),
        SD_BUS_NO_RESULT, BusClaims::wait_for_claim, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("DeleteClaim", SD_BUS_ARGS("s", namespace, "s", name, "a{sv}", options),
                            SD_BUS_NO_RESULT, BusClaims::delete_claim, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ReleaseVolume", SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_NO_RESULT,
                            BusClaims::release_volume, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ForgetVolumeSnapshots", SD_BUS_ARGS("s", namespace, "s", name, "a{sv}", options),
                            SD_BUS_NO_RESULT, BusClaims::forget_snapshots, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END};

const sd_bus_vtable claim_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Namespace", "s", BusClaims::claim_property, 0, constant),
    SD_BUS_PROPERTY("Name", "s", BusClaims::claim_property, 0, constant),
    SD_BUS_PROPERTY("UID", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Phase", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Volume", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Capacity", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Request", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("AccessModes", "as", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("VolumeMode", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("StorageClass", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Origin", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Owner", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Reason", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Message", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Action", "s", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Users", "as", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("Attempts", "u", BusClaims::claim_property, 0, changes),
    SD_BUS_PROPERTY("NextRetry", "t", BusClaims::claim_property, 0, changes),
    SD_BUS_VTABLE_END};

const sd_bus_vtable persistent_volume_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Name", "s", BusClaims::volume_property, 0, constant),
    SD_BUS_PROPERTY("Phase", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Capacity", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("AccessModes", "as", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("VolumeMode", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("ReclaimPolicy", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("StorageClass", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Claim", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Plugin", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Source", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Provisioner", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("MountOptions", "as", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Origin", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Reason", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Message", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Action", "s", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("Attempts", "u", BusClaims::volume_property, 0, changes),
    SD_BUS_PROPERTY("NextRetry", "t", BusClaims::volume_property, 0, changes),
    SD_BUS_VTABLE_END};

#pragma GCC diagnostic pop

}  // namespace

int add_bus_claims(sd_bus* bus, BusService& service) {
  int failed = sd_bus_add_object_vtable(bus, nullptr, bus_root, manager_interface, manager_table, &service);
  if (failed >= 0) {
    failed = sd_bus_add_fallback_vtable(bus, nullptr, bus_claims, claim_interface, claim_table,
                                        &BusClaims::find_claim, &service);
  }
  if (failed >= 0) {
    failed = sd_bus_add_fallback_vtable(bus, nullptr, bus_persistent_volumes, persistent_volume_interface,
                                        persistent_volume_table, &BusClaims::find_volume, &service);
  }
  return failed;
}

void append_claim_paths(BusService& service, std::vector<std::string>& paths) {
  BusClaims::append_paths(service, paths);
}

}  // namespace mooring
