#include "operation/scan.h"

#include <cerrno>

#include "operation/stamp.h"
#include "step/layout.h"

namespace mooring {
namespace {

using kernel::DirectoryEntry;
using kernel::FileType;

/// The entries of a directory; none if it is not there.
Result<std::vector<DirectoryEntry>> list_if_there(kernel::Files& files, const std::string& path) {
  Result<std::vector<DirectoryEntry>> entries = files.list(path);
  if (!entries && entries.error().errno_value == ENOENT) return std::vector<DirectoryEntry>();
  return entries;
}

Result<void> scan_volumes(kernel::Files& files, FoundPod& pod) {
  const std::string volumes = layout::volumes(pod.uid);
  MOORING_TRY(const auto plugins, list_if_there(files, volumes));
  for (const DirectoryEntry& plugin : plugins) {
    if (plugin.type != FileType::Directory) {
      pod.strangers.push_back("volumes/" + plugin.name);
      continue;
    }
    MOORING_TRY(const auto directories, list_if_there(files, volumes + "/" + plugin.name));
    for (const DirectoryEntry& directory : directories) {
      if (directory.type != FileType::Directory) {
        pod.strangers.push_back("volumes/" + plugin.name + "/" + directory.name);
        continue;
      }
      FoundVolume found{layout::unescape(plugin.name), VolumeDirectory(directory.name), false};
      MOORING_TRY(const auto status, files.status(volumes + "/" + plugin.name + "/" + directory.name));
      found.is_mount_root = status && status->is_mount_root;
      pod.volumes.push_back(std::move(found));
    }
  }
  return success();
}

Result<FoundPod> scan_pod(kernel::Files& files, const std::string& name) {
  FoundPod pod;
  pod.uid = PodUid(name);
  MOORING_TRY(const auto entries, list_if_there(files, layout::pod(pod.uid)));
  for (const DirectoryEntry& entry : entries) {
    if (entry.name == layout::stamp_name && entry.type == FileType::Regular) {
      MOORING_TRY(const std::string content, files.read_file(layout::stamp(pod.uid), stamp_size_max));
      const std::optional<Stamp> stamp = decode_stamp(content);
      pod.has_stamp = stamp && stamp->uid == pod.uid;
      if (!pod.has_stamp) continue;
      pod.name_space = stamp->name_space;
      pod.name = stamp->name;
    } else if (entry.name == "volumes" && entry.type == FileType::Directory) {
      MOORING_TRY(scan_volumes(files, pod));
    } else if (!layout::is_stamp_leftover(entry.name)) {
      pod.strangers.push_back(entry.name);
    }
  }
  return pod;
}

}  // namespace

Result<TreeFacts> scan_tree(kernel::Files& files) {
  TreeFacts tree;
  MOORING_TRY(const auto pods, list_if_there(files, std::string(layout::pods)));
  for (const DirectoryEntry& entry : pods) {
    if (entry.type != FileType::Directory) continue;
    MOORING_TRY(FoundPod pod, scan_pod(files, entry.name));
    tree.pods.push_back(std::move(pod));
  }
  MOORING_TRY(const auto trash, list_if_there(files, std::string(layout::trash)));
  for (const DirectoryEntry& entry : trash)
    tree.trash.push_back(entry.name);
  return tree;
}

}  // namespace mooring
