#include "status/render.h"

#include <string_view>

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

}  // namespace

std::string render_oci(const std::vector<ContainerMount>& mounts) {
  std::vector<std::string> items;
  for (const ContainerMount& mount : mounts) {
    items.push_back("{\"destination\": " + json_string(mount.destination) +
                    ", \"type\": \"bind\", \"source\": " + json_string(mount.source) +
                    ", \"options\": [\"rbind\", " + (mount.read_only ? "\"ro\"" : "\"rw\"") + ", " +
                    json_string(recursive_propagation(mount)) + "]}");
  }
  return json_array(items);
}

std::string render_podman(const std::vector<ContainerMount>& mounts) {
  std::string out;
  for (const ContainerMount& mount : mounts) {
    std::string value = "type=bind," + csv_field("source=" + mount.source) + "," +
                        csv_field("destination=" + mount.destination);
    if (mount.read_only) value += ",ro=true";
    value += ",bind-propagation=";
    value += recursive_propagation(mount);
    out += "--mount " + shell_word(value) + "\n";
  }
  return out;
}

std::string render_nspawn(const std::vector<ContainerMount>& mounts) {
  std::string out;
  for (const ContainerMount& mount : mounts) {
    const std::string flag = mount.read_only ? "--bind-ro=" : "--bind=";
    out += shell_word(flag + nspawn_path(mount.source) + ":" + nspawn_path(mount.destination)) + "\n";
  }
  return out;
}

bool nspawn_cannot_propagate(const ContainerMount& mount) {
  return recursive_propagation(mount) != "rprivate";
}

std::string render_cri(const std::vector<ContainerMount>& mounts) {
  std::vector<std::string> items;
  for (const ContainerMount& mount : mounts) {
    items.push_back("{\"container_path\": " + json_string(mount.destination) + ", \"host_path\": " +
                    json_string(mount.source) + ", \"readonly\": " + (mount.read_only ? "true" : "false") +
                    ", \"propagation\": " + json_string(cri_propagation(mount)) + "}");
  }
  return json_array(items);
}

}  // namespace mooring
