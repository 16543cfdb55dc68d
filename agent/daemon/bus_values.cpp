#include "daemon/bus_values.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/quote.h"

namespace mooring {
namespace {

/// {sv} with a list of numbers.
int append_numbers(sd_bus_message* reply, const char* key, const std::vector<std::int64_t>& numbers) {
  int failed = sd_bus_message_open_container(reply, 'e', "sv");
  if (failed >= 0) failed = sd_bus_message_append(reply, "s", key);
  if (failed >= 0) failed = sd_bus_message_open_container(reply, 'v', "ax");
  if (failed >= 0) {
    failed = sd_bus_message_append_array(reply, 'x', numbers.data(), numbers.size() * sizeof(std::int64_t));
  }
  if (failed >= 0) failed = sd_bus_message_close_container(reply);
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

}  // namespace

std::uint64_t micros(WallTime time) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(time.since_epoch).count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

std::string bus_text(const std::string& text) {
  return is_valid_utf8(text) ? text : quoted(text);
}

int append_text(sd_bus_message* reply, const std::string& text) {
  return sd_bus_message_append(reply, "s", bus_text(text).c_str());
}

int append_texts(sd_bus_message* reply, const std::vector<std::string>& texts) {
  int failed = sd_bus_message_open_container(reply, 'a', "s");
  for (const std::string& text : texts) {
    if (failed >= 0) failed = append_text(reply, text);
  }
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

int append_texts_entry(sd_bus_message* reply, const char* key, const std::vector<std::string>& texts) {
  int failed = sd_bus_message_open_container(reply, 'e', "sv");
  if (failed >= 0) failed = sd_bus_message_append(reply, "s", key);
  if (failed >= 0) failed = sd_bus_message_open_container(reply, 'v', "as");
  if (failed >= 0) failed = append_texts(reply, texts);
  if (failed >= 0) failed = sd_bus_message_close_container(reply);
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

int append_flag(sd_bus_message* reply, const char* key, bool value) {
  return sd_bus_message_append(reply, "{sv}", key, "b", int{value});
}

int append_entry(sd_bus_message* reply, const char* key, const std::string& value) {
  return sd_bus_message_append(reply, "{sv}", key, "s", bus_text(value).c_str());
}

int append_mount(sd_bus_message* reply, const ContainerMount& mount) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  if (failed >= 0) failed = append_entry(reply, "container", mount.container.str());
  if (failed >= 0) failed = append_entry(reply, "volume", mount.volume.str());
  if (failed >= 0) failed = append_entry(reply, "source", mount.source);
  if (failed >= 0) failed = append_entry(reply, "destination", mount.destination);
  if (failed >= 0) failed = append_entry(reply, "propagation", mount.propagation);
  if (failed >= 0) failed = append_flag(reply, "readOnly", mount.read_only);
  if (failed >= 0) failed = append_flag(reply, "recursiveReadOnly", mount.recursive_read_only);
  if (failed >= 0)
    failed = append_flag(reply, "recursiveReadOnlyRequired", mount.recursive_read_only_required);
  if (failed >= 0) failed = append_flag(reply, "selinuxRelabel", mount.selinux_relabel);
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

int append_usage(sd_bus_message* reply, const std::optional<VolumeUsage>& usage) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  const auto add = [&](const char* key, const std::optional<std::uint64_t>& number) {
    if (failed >= 0 && number) failed = sd_bus_message_append(reply, "{sv}", key, "t", *number);
  };
  if (usage && usage->is_known) {
    add("capacityBytes", usage->capacity_bytes);
    add("usedBytes", usage->used_bytes);
    add("availableBytes", usage->available_bytes);
    add("inodes", usage->inodes);
    add("inodesUsed", usage->inodes_used);
    add("inodesFree", usage->inodes_free);
    add("time", micros(usage->measured));
  }
  if (usage) {
    if (usage->unknown_since) add("unknownSince", micros(*usage->unknown_since));
    if (failed >= 0 && !usage->stale.empty()) failed = append_entry(reply, "stale", usage->stale);
  }
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

int append_device(sd_bus_message* reply, const ContainerDevice& device) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  if (failed >= 0) failed = append_entry(reply, "container", device.container.str());
  if (failed >= 0) failed = append_entry(reply, "volume", device.volume.str());
  if (failed >= 0) failed = append_entry(reply, "source", device.source);
  if (failed >= 0) failed = append_entry(reply, "destination", device.destination);
  if (failed >= 0) failed = append_entry(reply, "permissions", device.permissions);
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

int append_device_status(sd_bus_message* reply, const DeviceStatus& device) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  const std::pair<const char*, std::string> texts[] = {
      {"key", device.key},         {"plugin", device.plugin}, {"device", device.device},
      {"path", device.path},       {"reason", device.reason}, {"phase", std::string(to_string(device.phase))},
      {"message", device.message}, {"action", device.action}};
  for (const auto& [key, text] : texts) {
    if (failed >= 0) failed = append_entry(reply, key, text);
  }
  if (failed >= 0) failed = sd_bus_message_append(reply, "{sv}", "attempts", "u", device.attempts);
  const std::uint64_t next = device.next_retry ? micros(*device.next_retry) : 0;
  if (failed >= 0) failed = sd_bus_message_append(reply, "{sv}", "nextRetry", "t", next);
  if (failed >= 0) failed = append_texts_entry(reply, "users", device.users);
  if (failed >= 0)
    failed = sd_bus_message_append(reply, "{sv}", "inUse", "b", static_cast<int>(device.in_use));
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

int append_driver_status(sd_bus_message* reply, const DriverStatus& driver) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  const std::pair<const char*, const std::string&> texts[] = {
      {"kind", driver.kind},         {"name", driver.name},
      {"state", driver.state},       {"socket", driver.socket},
      {"endpoint", driver.endpoint}, {"version", driver.version},
      {"nodeID", driver.node_id},    {"vendorVersion", driver.vendor_version},
      {"reason", driver.reason},     {"message", driver.message},
      {"action", driver.action}};
  for (const auto& [key, text] : texts) {
    if (failed >= 0) failed = append_entry(reply, key, text);
  }
  std::vector<std::string> topology;
  for (const auto& [key, value] : driver.topology)
    topology.push_back(std::string(key).append("=").append(value));
  if (failed >= 0) failed = append_texts_entry(reply, "topology", topology);
  if (failed >= 0) failed = append_texts_entry(reply, "capabilities", driver.capabilities);
  if (failed >= 0) failed = append_texts_entry(reply, "notes", driver.notes);
  if (failed >= 0) failed = sd_bus_message_append(reply, "{sv}", "volumesMax", "x", driver.volumes_max);
  if (failed >= 0) failed = sd_bus_message_append(reply, "{sv}", "attempts", "u", driver.attempts);
  const std::uint64_t next = driver.next_retry ? micros(*driver.next_retry) : 0;
  if (failed >= 0) failed = sd_bus_message_append(reply, "{sv}", "nextRetry", "t", next);
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

int append_security(sd_bus_message* reply, const ContainerSecurity& security) {
  int failed = sd_bus_message_open_container(reply, 'a', "{sv}");
  if (failed >= 0) failed = append_numbers(reply, "supplementalGroups", security.supplemental_groups);
  if (failed >= 0 && security.fs_group)
    failed = sd_bus_message_append(reply, "{sv}", "fsGroup", "x", *security.fs_group);
  const std::pair<const char*, const std::string&> parts[] = {{"seLinuxUser", security.selinux_user},
                                                              {"seLinuxRole", security.selinux_role},
                                                              {"seLinuxType", security.selinux_type},
                                                              {"seLinuxLevel", security.selinux_level}};
  for (const auto& [key, part] : parts) {
    if (failed >= 0 && !part.empty()) failed = append_entry(reply, key, part);
  }
  return failed < 0 ? failed : sd_bus_message_close_container(reply);
}

}  // namespace mooring
