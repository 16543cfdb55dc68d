#include "operation/scan.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "operation/csi_attach.h"
#include "operation/csi_calls.h"
#include "operation/csi_staged.h"
#include "operation/flex_staged.h"
#include "operation/stamp.h"
#include "step/csi_layout.h"
#include "step/layout.h"

namespace mooring {
namespace {

using kernel::DirectoryEntry;
using kernel::FileType;

class Scanner {
 public:
  /// `root`: what the mount table has before each path below the root directory, with a slash at its end.
  Scanner(kernel::Files& files, const MountTable& mounts, std::string root)
      : files_(files), mounts_(mounts), root_(std::move(root)) {}

  Result<TreeFacts> run();

 private:
  Result<std::vector<DirectoryEntry>> list_if_there(const std::string& path);
  void note_published(const PodUid& pod, const VolumeDirectory& directory);
  Result<void> scan_volumes(FoundPod& pod);
  Result<FoundPod> scan_pod(const std::string& name);
  Result<void> scan_drivers(TreeFacts& tree);

  kernel::Files& files_;
  const MountTable& mounts_;
  std::string root_;
  std::vector<CsiAttachment> published_;
};

/// The entries of a directory; none if it is not there.
Result<std::vector<DirectoryEntry>> Scanner::list_if_there(const std::string& path) {
  Result<std::vector<DirectoryEntry>> entries = files_.list(path);
  if (!entries && entries.error().errno_value == ENOENT) return std::vector<DirectoryEntry>();
  return entries;
}

/// Notes which volume of a driver it is, if the file beside it tells: after a reboot nothing else does.
void Scanner::note_published(const PodUid& pod, const VolumeDirectory& directory) {
  csi::VolumeData volume = read_volume_data(layout::csi_target_data(pod, directory), files_);
  if (!layout::is_csi_driver_element(volume.driver) || volume.volume_handle.empty()) return;
  published_.push_back({std::move(volume.driver),
                        std::move(volume.volume_handle),
                        {},
                        std::nullopt,
                        layout::csi_target(pod, directory)});
}

Result<void> Scanner::scan_volumes(FoundPod& pod) {
  const std::string volumes = layout::volumes(pod.uid);
  MOORING_TRY(const auto plugins, list_if_there(volumes));
  for (const DirectoryEntry& plugin : plugins) {
    if (plugin.type != FileType::Directory) {
      pod.strangers.push_back("volumes/" + plugin.name);
      continue;
    }
    MOORING_TRY(const auto directories, list_if_there(volumes + "/" + plugin.name));
    for (const DirectoryEntry& directory : directories) {
      if (directory.type != FileType::Directory) {
        pod.strangers.push_back("volumes/" + plugin.name + "/" + directory.name);
        continue;
      }
      FoundVolume found{layout::unescape(plugin.name), VolumeDirectory(directory.name), false};
      const std::string path = volumes + "/" + plugin.name + "/" + directory.name;
      found.is_mount_root = mounts_.top_at(root_ + path) != nullptr;
      if (found.plugin == layout::csi_plugin()) note_published(pod.uid, found.directory);
      pod.volumes.push_back(std::move(found));
    }
  }
  return success();
}

Result<FoundPod> Scanner::scan_pod(const std::string& name) {
  FoundPod pod;
  pod.uid = PodUid(name);
  MOORING_TRY(const auto entries, list_if_there(layout::pod(pod.uid)));
  for (const DirectoryEntry& entry : entries) {
    if (entry.name == layout::stamp_name && entry.type == FileType::Regular) {
      MOORING_TRY(const std::string content, files_.read_file(layout::stamp(pod.uid), stamp_size_max));
      const std::optional<Stamp> stamp = decode_stamp(content);
      pod.has_stamp = stamp && stamp->uid == pod.uid;
      if (!pod.has_stamp) continue;
      pod.name_space = stamp->name_space;
      pod.name = stamp->name;
    } else if (entry.name == "volumes" && entry.type == FileType::Directory) {
      MOORING_TRY(scan_volumes(pod));
    } else if (!layout::is_stamp_leftover(entry.name)) {
      pod.strangers.push_back(entry.name);
    }
  }
  return pod;
}

/// What drivers outside attached and staged; most nodes have no directories of any.
Result<void> Scanner::scan_drivers(TreeFacts& tree) {
  MOORING_TRY(const auto kinds, list_if_there(std::string(layout::plugins) + "/kubernetes.io"));
  const auto has = [&](std::string_view kind) {
    return std::any_of(kinds.begin(), kinds.end(), [&](const DirectoryEntry& entry) {
      return entry.name == kind && entry.type == FileType::Directory;
    });
  };
  const auto add = [&](std::vector<CsiAttachment> more) {
    std::move(more.begin(), more.end(), std::back_inserter(tree.attachments));
  };
  add(std::move(published_));
  if (has("csi")) {
    MOORING_TRY(auto attached, find_csi_attachments(files_));
    add(std::move(attached));
    MOORING_TRY(auto staged, find_staged_csi(files_));
    add(std::move(staged));
  }
  if (has("flexvolume")) {
    MOORING_TRY(auto staged, find_staged_flex(files_));
    add(std::move(staged));
  }
  return success();
}

Result<TreeFacts> Scanner::run() {
  TreeFacts tree;
  MOORING_TRY(const auto pods, list_if_there(std::string(layout::pods)));
  for (const DirectoryEntry& entry : pods) {
    if (entry.type != FileType::Directory) continue;
    MOORING_TRY(FoundPod pod, scan_pod(entry.name));
    tree.pods.push_back(std::move(pod));
  }
  MOORING_TRY(const auto trash, list_if_there(std::string(layout::trash)));
  for (const DirectoryEntry& entry : trash)
    tree.trash.push_back(entry.name);
  MOORING_TRY(scan_drivers(tree));
  return tree;
}

}  // namespace

Result<TreeFacts> scan_tree(kernel::Kernel kernel) {
  MOORING_TRY(const MountTable mounts, kernel.mounts.table());
  MOORING_TRY(std::string root, kernel.mounts.listed_path(""));
  return Scanner(kernel.files, mounts, std::move(root)).run();
}

}  // namespace mooring
