#include <algorithm>

#include "driver_mood.h"

namespace mooring::sim {

bool DriverMounts::is_mounted(const std::string& path) const {
  const std::vector<MountFact> facts = kernel_.mount_facts();
  return std::any_of(facts.begin(), facts.end(),
                     [&](const MountFact& fact) { return fact.mount_point == path; });
}

bool DriverMounts::is_source_mounted(const std::string& source) const {
  const std::vector<MountFact> facts = kernel_.mount_facts();
  return std::any_of(facts.begin(), facts.end(),
                     [&](const MountFact& fact) { return fact.type == type && fact.source == source; });
}

bool DriverMounts::is_directory(const std::string& path) const {
  // What is mounted there may hang.
  if (is_mounted(path)) return true;
  const auto status = kernel_.status(path);
  return status && status->type == kernel::FileType::Directory;
}

bool DriverMounts::mount(const std::string& path, const std::string& source) {
  if (is_mounted(path)) return true;
  if (!is_directory(path) && kernel_.put_directory(path) != 0) return false;
  return kernel_.mount_foreign(path, type, source) == 0;
}

bool DriverMounts::bind_node(const std::string& path, const std::string& node) {
  if (is_mounted(path)) return true;
  if (!kernel_.exists(node)) kernel_.put_block_device(node);
  if (!kernel_.exists(path) && kernel_.put_file(path, "") != 0) return false;
  return kernel_.bind_foreign(node, path) == 0;
}

bool DriverMounts::unmount(const std::string& path, bool removes_place) {
  while (is_mounted(path)) {
    if (kernel_.unmount_foreign(path) != 0) return false;
  }
  const auto there = kernel_.status(path);
  if (!there || !removes_place) return true;
  const bool is_directory = there->type == kernel::FileType::Directory;
  if (!is_directory || kernel_.tree_listing(path).empty()) kernel_.remove_all(path);
  return true;
}

}  // namespace mooring::sim
