#include "status/render.h"

#include <string_view>
#include <utility>

#include "base/quote.h"

namespace mooring {
namespace {

/// The propagation by mount(8)'s name for the whole tree: a bind is recursive, so its propagation is too.
std::string_view recursive_propagation(const ContainerMount& mount) {
  if (mount.propagation == "rslave" || mount.propagation == "rshared") return mount.propagation;
  return "rprivate";
}

std::string_view cri_propagation(const ContainerMount& mount) {
  if (mount.propagation == "rslave") return "PROPAGATION_HOST_TO_CONTAINER";
  if (mount.propagation == "rshared") return "PROPAGATION_BIDIRECTIONAL";
  return "PROPAGATION_PRIVATE";
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string nspawn_path(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// A JSON array with an item a line.
std::string json_array(const std::vector<std::string>& items) {
  if (items.empty()) return "[]\n";
  std::string out = "[\n";
  for (std::size_t i = 0; i < items.size(); ++i) {
    out += "  " + items[i] + (i + 1 < items.size() ? ",\n" : "\n");
  }
  return out + "]\n";
}

std::string json_line(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items)
    out += (out.empty() ? "" : ", ") + item;
  return "[" + out + "]";
}

std::string json_numbers(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> items;
  for (const std::int64_t number : numbers)
    items.push_back(std::to_string(number));
  return json_line(items);
}

/// A JSON object of members whose values are JSON.
std::string json_object(const std::vector<std::pair<std::string_view, std::string>>& members) {
  std::string out;
  for (const auto& [name, value] : members)
    out += (out.empty() ? "" : ", ") + json_string(name) + ": " + value;
  return "{" + out + "}";
}

/// The parts of the label that the pod gives, by Kubernetes' names, which CRI and Podman use too.
std::vector<std::pair<std::string_view, std::string>> selinux_parts(const ContainerSecurity& security) {
  std::vector<std::pair<std::string_view, std::string>> parts{{"user", security.selinux_user},
                                                              {"role", security.selinux_role},
                                                              {"type", security.selinux_type},
                                                              {"level", security.selinux_level}};
  std::erase_if(parts, [](const auto& part) { return part.second.empty(); });
  return parts;
}

/// Tells of a label that a runtime can only take as a whole.
void add_label_left_out(const ContainerSecurity& security, std::vector<std::string>& lines) {
  if (selinux_parts(security).empty() || selinux_label(security)) return;
  lines.emplace_back(
      "the pod gives only a part of its SELinux label: it is left out, since the runtime takes it whole "
      "(user, "
      "role, type and level)");
}

/// "mrw" as every runtime writes it.
std::string device_access(const ContainerDevice& device) {
  std::string access = "rwm";
  std::erase_if(access, [&](char c) { return device.permissions.find(c) == std::string::npos; });
  return access;
}

/// What an OCI device and the rule for it both name it by.
std::vector<std::pair<std::string_view, std::string>> oci_numbers(const FoundDevice& device) {
  return {{"type", json_string("b")},
          {"major", std::to_string(device.device_major)},
          {"minor", std::to_string(device.device_minor)}};
}

}  // namespace

std::optional<std::string> selinux_label(const ContainerSecurity& security) {
  constexpr std::size_t all_parts = 4;
  const auto parts = selinux_parts(security);
  if (parts.size() < all_parts) return std::nullopt;
  std::string label;
  for (const auto& [name, part] : parts)
    label += (label.empty() ? "" : ":") + part;
  return label;
}

std::string render_oci(const std::vector<ContainerMount>& mounts) {
  std::vector<std::string> items;
  for (const ContainerMount& mount : mounts) {
    const std::string_view access = mount.recursive_read_only ? "rro" : mount.read_only ? "ro" : "rw";
    items.push_back("{\"destination\": " + json_string(mount.destination) +
                    ", \"type\": \"bind\", \"source\": " + json_string(mount.source) +
                    ", \"options\": [\"rbind\", " + json_string(access) + ", " +
                    json_string(recursive_propagation(mount)) + "]}");
  }
  return json_array(items);
}

std::string render_oci_process(const ContainerSecurity& security) {
  std::vector<std::pair<std::string_view, std::string>> process;
  if (!security.supplemental_groups.empty()) {
    process.emplace_back("user",
                         json_object({{"additionalGids", json_numbers(security.supplemental_groups)}}));
  }
  if (const auto label = selinux_label(security)) process.emplace_back("selinuxLabel", json_string(*label));
  return json_object({{"process", json_object(process)}}) + "\n";
}

std::vector<std::string> render_oci_process_leaves_out(const ContainerSecurity& security) {
  std::vector<std::string> lines;
  add_label_left_out(security, lines);
  return lines;
}

Result<std::string> render_podman(const std::vector<ContainerMount>& mounts,
                                  const ContainerSecurity& security) {
  const auto label = selinux_parts(security);
  std::string out;
  for (const ContainerMount& mount : mounts) {
    if (mount.recursive_read_only_required) {
      Error error;
      error.reason = "RecursiveReadOnlyUnavailable";
      error.message = "Podman has no flag for recursiveReadOnly: Enabled, which container " +
                      mount.container.str() + " asks for at " + mount.destination;
      error.remedy = "use another runtime, or IfPossible";
      return error;
    }
    std::string value = "type=bind," + csv_field("source=" + mount.source) + "," +
                        csv_field("destination=" + mount.destination);
    if (mount.read_only) value += ",ro=true";
    value += ",bind-propagation=";
    value += recursive_propagation(mount);
    if (mount.selinux_relabel && !label.empty())
      value += security.selinux_level.empty() ? ",relabel=shared" : ",relabel=private";
    out += "--mount " + shell_word(value) + "\n";
  }
  for (const std::int64_t group : security.supplemental_groups)
    out += "--group-add " + std::to_string(group) + "\n";
  for (const auto& [name, part] : label)
    out += "--security-opt " + shell_word("label=" + std::string(name) + ":" + part) + "\n";
  return out;
}

std::vector<std::string> render_podman_leaves_out(const std::vector<ContainerMount>& mounts) {
  std::vector<std::string> lines;
  for (const ContainerMount& mount : mounts) {
    if (mount.recursive_read_only) {
      lines.push_back("Podman has no flag for recursiveReadOnly: what is mounted below " + mount.source +
                      " can be written to at " + mount.destination);
    }
  }
  return lines;
}

std::string render_nspawn(const std::vector<ContainerMount>& mounts, const ContainerSecurity& security) {
  std::string out;
  for (const ContainerMount& mount : mounts) {
    const std::string flag = mount.read_only ? "--bind-ro=" : "--bind=";
    out += shell_word(flag + nspawn_path(mount.source) + ":" + nspawn_path(mount.destination)) + "\n";
  }
  if (const auto label = selinux_label(security)) out += shell_word("--selinux-context=" + *label) + "\n";
  return out;
}

std::vector<std::string> render_nspawn_leaves_out(const std::vector<ContainerMount>& mounts,
                                                  const ContainerSecurity& security) {
  std::vector<std::string> lines;
  for (const ContainerMount& mount : mounts) {
    if (recursive_propagation(mount) != "rprivate") {
      lines.push_back("systemd-nspawn has no flag for the propagation \"" + mount.propagation + "\" of " +
                      mount.destination);
    }
    if (mount.selinux_relabel && !selinux_parts(security).empty()) {
      lines.push_back("systemd-nspawn does not relabel: the files of " + mount.source +
                      " keep the SELinux labels that they have");
    }
  }
  std::string groups;
  for (const std::int64_t group : security.supplemental_groups)
    groups += (groups.empty() ? "" : ", ") + std::to_string(group);
  if (!groups.empty()) lines.push_back("systemd-nspawn has no flag for supplemental groups: " + groups);
  add_label_left_out(security, lines);
  return lines;
}

std::string render_cri(const std::vector<ContainerMount>& mounts) {
  std::vector<std::string> items;
  for (const ContainerMount& mount : mounts) {
    std::vector<std::pair<std::string_view, std::string>> members{
        {"container_path", json_string(mount.destination)},
        {"host_path", json_string(mount.source)},
        {"readonly", mount.read_only ? "true" : "false"},
        {"propagation", json_string(cri_propagation(mount))}};
    if (mount.recursive_read_only) members.emplace_back("recursive_read_only", "true");
    if (mount.selinux_relabel) members.emplace_back("selinux_relabel", "true");
    items.push_back(json_object(members));
  }
  return json_array(items);
}

std::string render_cri_security(const ContainerSecurity& security) {
  std::vector<std::pair<std::string_view, std::string>> members;
  if (!security.supplemental_groups.empty())
    members.emplace_back("supplemental_groups", json_numbers(security.supplemental_groups));
  auto label = selinux_parts(security);
  for (auto& [name, part] : label)
    part = json_string(part);
  if (!label.empty()) members.emplace_back("selinux_options", json_object(label));
  return json_object({{"security_context", json_object(members)}}) + "\n";
}

std::string render_oci_devices(const std::vector<FoundDevice>& devices) {
  constexpr std::uint32_t writing = 0222;
  std::vector<std::string> nodes;
  std::vector<std::string> rules;
  for (const FoundDevice& found : devices) {
    const bool may_write = found.device.permissions.find('w') != std::string::npos;
    auto node = oci_numbers(found);
    node.emplace(node.begin(), "path", json_string(found.device.destination));
    // A runtime without device cgroups has nothing but the mode.
    node.emplace_back("fileMode", std::to_string(may_write ? found.mode : found.mode & ~writing));
    node.emplace_back("uid", std::to_string(found.user));
    node.emplace_back("gid", std::to_string(found.group));
    nodes.push_back(json_object(node));
    auto rule = oci_numbers(found);
    rule.emplace(rule.begin(), "allow", "true");
    rule.emplace_back("access", json_string(device_access(found.device)));
    rules.push_back(json_object(rule));
  }
  const std::string resources = json_object({{"devices", json_line(rules)}});
  const std::string members = json_object({{"devices", json_line(nodes)}, {"resources", resources}});
  return json_object({{"linux", members}}) + "\n";
}

Result<std::string> render_podman_devices(const std::vector<FoundDevice>& devices) {
  std::string out;
  for (const FoundDevice& found : devices) {
    const ContainerDevice& device = found.device;
    for (const std::string& path : {device.source, device.destination}) {
      if (path.find(':') == std::string::npos) continue;
      Error error;
      error.reason = "DevicePathUnavailable";
      error.message = "Podman takes no device with a colon in its path, as volume " + device.volume.str() +
                      " of container " + device.container.str() + " has it: " + path;
      error.remedy = "use another path, or another runtime";
      return error;
    }
    out += "--device " + shell_word(device.source + ":" + device.destination + ":" + device_access(device)) +
           "\n";
  }
  return out;
}

std::string render_nspawn_devices(const std::vector<FoundDevice>& devices) {
  std::string out;
  for (const FoundDevice& found : devices) {
    const ContainerDevice& device = found.device;
    const std::string access = device_access(device);
    const std::string flag = access.find('w') == std::string::npos ? "--bind-ro=" : "--bind=";
    out += shell_word(flag + nspawn_path(device.source) + ":" + nspawn_path(device.destination)) + "\n";
    out += shell_word("--property=DeviceAllow=/dev/block/" + std::to_string(found.device_major) + ":" +
                      std::to_string(found.device_minor) + " " + access) +
           "\n";
  }
  return out;
}

std::string render_cri_devices(const std::vector<FoundDevice>& devices) {
  std::vector<std::string> items;
  for (const FoundDevice& found : devices) {
    items.push_back(json_object({{"container_path", json_string(found.device.destination)},
                                 {"host_path", json_string(found.device.source)},
                                 {"permissions", json_string(device_access(found.device))}}));
  }
  return json_array(items);
}

}  // namespace mooring
