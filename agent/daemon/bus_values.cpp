#include "daemon/bus_values.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/quote.h"

namespace mooring {
namespace {

int append_flag(sd_bus_message* reply, const char* key, bool value) {
  return sd_bus_message_append(reply, "{sv}", key, "b", int{value});
}

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
