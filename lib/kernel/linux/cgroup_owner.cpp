#include <algorithm>
#include <array>

#include "kernel/linux/device_holders.h"

namespace mooring::kernel {
namespace {

constexpr std::size_t long_id_size = 64;

bool is_hexadecimal(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// "libpod-<id>.scope", "docker-<id>.scope", "<id>"; empty: the element names no container.
std::string container_in(std::string_view element) {
  std::string_view name = element;
  if (name.ends_with(".scope")) name.remove_suffix(6);
  constexpr std::array<std::string_view, 6> marks{"libpod-",  "docker-", "cri-containerd-",
                                                  "nerdctl-", "crio-",   "crun-"};
  for (const std::string_view mark : marks) {
    if (name.starts_with("libpod-conmon-") || name.starts_with("crio-conmon-")) return {};
    if (name.starts_with(mark) && name.size() > mark.size()) return std::string(name.substr(mark.size()));
  }
  return name.size() == long_id_size && is_hexadecimal(name) ? std::string(name) : std::string();
}

}  // namespace

CgroupOwner cgroup_owner(std::string_view cgroup) {
  CgroupOwner owner;
  while (!cgroup.empty()) {
    const std::size_t newline = std::min(cgroup.find('\n'), cgroup.size());
    const std::string_view line = cgroup.substr(0, newline);
    cgroup.remove_prefix(std::min(newline + 1, cgroup.size()));
    // "0::/path" of the unified hierarchy, "1:name=systemd:/path" of systemd's own before; the others say
    // nothing more.
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string_view path = line.substr(second + 1);
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/'), path.size());
      const std::string_view element = path.substr(0, end);
      path.remove_prefix(std::min(end + 1, path.size()));
      if (const std::string id = container_in(element); !id.empty()) owner.container = id;
      const bool is_of_systemd = controllers.empty() || controllers == "name=systemd";
      if (is_of_systemd && (element.ends_with(".service") || element.ends_with(".scope")))
        owner.unit = std::string(element);
    }
  }
  return owner;
}

}  // namespace mooring::kernel
