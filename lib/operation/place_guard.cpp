#include "operation/place_guard.h"

#include <optional>

#include "operation/device_checks.h"
#include "step/reserved_paths.h"

namespace mooring {
namespace {

/// A place as its file system has it.
struct FilePlace {
  const MountFact* mount = nullptr;
  std::string path;  ///< Inside the file system.
};

/// `path` below `from`, put below `to`.
std::string moved(const std::string& path, const std::string& from, const std::string& to) {
  const std::string rest = from == "/" ? path : path.substr(from.size());
  if (rest.empty() || rest == "/") return to;
  return to == "/" ? rest : to + rest;
}

std::optional<FilePlace> place_of(const MountTable& table, const std::string& path) {
  const MountFact* mount = table.covering(path);
  if (mount == nullptr) return std::nullopt;
  return FilePlace{mount, moved(path, mount->mount_point, mount->root)};
}

bool is_same_file_system(const MountFact& one, const MountFact& other) {
  return one.device_major == other.device_major && one.device_minor == other.device_minor;
}

Error mounted_on(const MountFact& mount, const std::string& path) {
  return obstacle("MountedBelow", "a " + mount.type + " is mounted at " + mount.mount_point, path,
                  "unmount it; Mooring goes on by itself then");
}

}  // namespace

Result<void> check_nothing_below(const MountTable& table, const std::string& path) {
  const auto below = table.below(path);
  if (below.empty()) return success();
  return mounted_on(*below.front(), path);
}

Result<void> check_nothing_mounted(const MountTable& table, const std::string& path) {
  if (const MountFact* there = table.top_at(path)) return mounted_on(*there, path);
  return check_nothing_below(table, path);
}

Result<void> check_not_bound(const MountTable& table, const std::string& path) {
  const auto place = place_of(table, path);
  if (!place) return success();
  for (const MountFact& mount : table.mounts()) {
    if (&mount == place->mount || mount.id == place->mount->id) continue;
    if (!is_same_file_system(mount, *place->mount) || !is_at_or_below(mount.root, place->path)) continue;
    return obstacle("StillMounted", path + " is mounted at " + mount.mount_point, path,
                    "see who uses it there, and unmount it if nobody does; Mooring goes on by itself then");
  }
  return success();
}

std::vector<std::string> names_of(const MountTable& table, const std::string& path) {
  std::vector<std::string> names{path};
  const auto place = place_of(table, path);
  if (!place) return names;
  for (const MountFact& mount : table.mounts()) {
    if (!is_same_file_system(mount, *place->mount) || !is_at_or_below(place->path, mount.root)) continue;
    std::string name = moved(place->path, mount.root, mount.mount_point);
    if (name != path) names.push_back(std::move(name));
  }
  return names;
}

bool have_to_do(const MountTable& table, const std::string& path, const std::string& other) {
  if (is_at_or_below(path, other) || is_at_or_below(other, path)) return true;
  const auto one = place_of(table, path);
  const auto two = place_of(table, other);
  if (!one || !two || !is_same_file_system(*one->mount, *two->mount)) return false;
  return is_at_or_below(one->path, two->path) || is_at_or_below(two->path, one->path);
}

}  // namespace mooring
