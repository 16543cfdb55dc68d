#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "facts/csi_controller.h"

namespace mooring {

/// A directory `volumes/<plugin~escaped>/<directory>` that was found in a pod's directory.
struct FoundVolume {
  PluginName plugin;  ///< Unescaped.
  VolumeDirectory directory;
  bool is_mount_root = false;  ///< Something is mounted exactly there (the mount table says).

  friend bool operator==(const FoundVolume&, const FoundVolume&) = default;
};

/// A directory `pods/<uid>` that was found on disk.
struct FoundPod {
  PodUid uid;
  bool has_stamp = false;  ///< The stamp that Mooring writes when it makes the directory is there and valid.
  Namespace name_space;    ///< From the stamp.
  ObjectName name;         ///< From the stamp.
  std::vector<FoundVolume> volumes;
  /// Entries that are not of the layout and not Mooring's, relative to the pod's directory.
  std::vector<std::string> strangers;

  friend bool operator==(const FoundPod&, const FoundPod&) = default;
};

/// What a scan of the root directory found.
struct TreeFacts {
  std::vector<FoundPod> pods;
  std::vector<std::string> trash;               ///< Names below `trash/` that wait to be removed.
  std::vector<CsiAttachment> attachments = {};  ///< And what is staged, and what pods have.
};

}  // namespace mooring
