#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/secret_bytes.h"
#include "facts/csi.h"
#include "facts/driver_name.h"

namespace mooring {

// Steps on volumes of CSI drivers: each is one call of a driver's node service, with what lies around it on
// disk. The driver mounts, unmounts and makes what it mounts on; Mooring makes and removes the directories
// around that, and believes the mount table rather than the driver. All may wait for the driver, which may
// wait for anything. An error of the driver is final, and then nothing is left, or it is Uncertain, and then
// all stays until the driver said that it is undone (csi/errors.h).

/// A volume of a driver, and where the driver listens.
struct CsiVolume {
  DriverName driver;   ///< Empty: nobody knows; what lies beside the volume may tell (vol_data.json).
  std::string socket;  ///< Absolute; empty: the driver is not registered now ("DriverNotRegistered").
  std::string handle;  ///< Empty as the driver is, or of a pod's volume whose record is lost.
  std::uint32_t deadline_ms = 120'000;  ///< Of one call.
  friend bool operator==(const CsiVolume&, const CsiVolume&) = default;
};

/// Makes a volume ready on the node for all pods: makes `path` and writes `data`, then NodeStageVolume if
/// `calls_driver` (STAGE_UNSTAGE_VOLUME). Always asked, whatever is there: a driver that staged it says so.
/// Inverse: UnstageCsiVolume.
struct StageCsiVolume {
  CsiVolume volume;
  std::string path;  ///< The staging path, relative.
  std::string data;  ///< vol_data.json, relative.
  bool calls_driver = false;
  CsiCapability capability;
  std::map<std::string, std::string> publish_context;
  std::map<std::string, std::string> volume_context;
  std::map<std::string, SecretBytes> secrets;
  /// It was staged once, as far as anybody knows, and not unstaged since: "no" to staging it again proves
  /// nothing, and path and data stay, by which it is unstaged one day.
  bool may_be_there = false;
  friend bool operator==(const StageCsiVolume&, const StageCsiVolume&) = default;
};

/// NodeUnstageVolume if `calls_driver`, then removes `path`, `data` and the directory of `data`, as far as
/// they are empty and not mounted on ("StillMounted" else). None of it there is success, without a call.
/// Of a raw device, what no pod knows of any more goes first (a reboot leaves the places and no record): each
/// target is unpublished, and what it was bound at removed; one that is mounted is a pod's ("StillMounted").
struct UnstageCsiVolume {
  CsiVolume volume;
  std::string path;
  std::string data;
  bool calls_driver = false;
  std::string published = {};  ///< Of a raw device, relative: the directory of its pods' targets...
  std::string bound = {};      ///< ...and of what was bound of them.
  friend bool operator==(const UnstageCsiVolume&, const UnstageCsiVolume&) = default;
};

/// How a pod gets a raw device that the driver published.
struct CsiDeviceMap {
  std::string place;  ///< What the driver published, bound: <volume>/dev/<pod uid>.
  std::string link;   ///< layout::device().
  friend bool operator==(const CsiDeviceMap&, const CsiDeviceMap&) = default;
};

/// Gives a pod a volume: makes the directory of `path` and writes `data`, then NodePublishVolume, by which
/// the driver makes `path`. It must be mounted then, whatever the driver says ("NotMounted" else); one that
/// is writable and was asked for read-only is told of as a warning, as containers get it read-only in any
/// case. Of a raw device: `path` must be a device's node, and is bound and linked. Inverse:
/// UnpublishCsiVolume.
struct PublishCsiVolume {
  CsiVolume volume;
  std::string path;         ///< The target path, relative.
  std::string data;         ///< vol_data.json, relative; empty: there is none (of a raw device).
  std::string data_text;    ///< What is written into it.
  std::string staged_path;  ///< Relative; empty: the driver does not stage.
  bool read_only = false;
  CsiCapability capability;
  std::map<std::string, std::string> publish_context;
  std::map<std::string, std::string> volume_context;
  std::map<std::string, SecretBytes> secrets;
  std::optional<CsiDeviceMap> map;
  SecretBytes tokens = {};    ///< Of the pod's service account, for the volume's context; empty: none.
  bool may_be_there = false;  ///< As of StageCsiVolume: the pod has it, or may have it from an earlier run.
  friend bool operator==(const PublishCsiVolume&, const PublishCsiVolume&) = default;
};

/// Undoes a PublishCsiVolume: link and bind of a raw device, then NodeUnpublishVolume, then `path`, `data`
/// and their directory, which are never removed with anything in or on them ("StillMounted", "NotEmpty").
/// None of it there is success, without a call.
struct UnpublishCsiVolume {
  CsiVolume volume;
  std::string path;
  std::string data;
  std::optional<CsiDeviceMap> map;
  /// Where drivers listen, by name, if nobody knows which driver it is.
  std::map<std::string, std::string> sockets = {};
  friend bool operator==(const UnpublishCsiVolume&, const UnpublishCsiVolume&) = default;
};

/// NodeExpandVolume. FailedPrecondition is "the volume is in use", and is a warning: pods go on with it as it
/// is. No inverse.
struct ExpandCsiVolume {
  CsiVolume volume;
  std::string path;         ///< The staging path, or the target path of a driver that does not stage.
  std::string staged_path;  ///< Empty: the driver does not stage.
  std::uint64_t required_bytes = 0;
  /// Whatever the driver says for certain is a warning: nobody asked for more than it had before.
  bool may_be_refused = false;
  bool is_supported = true;  ///< EXPAND_VOLUME; without it the driver is not asked ("ExpandUnsupported").
  CsiCapability capability;
  std::map<std::string, SecretBytes> secrets;
  friend bool operator==(const ExpandCsiVolume&, const ExpandCsiVolume&) = default;
};

/// NodeGetVolumeStats. The outcome carries the usage, and the condition if the driver tells it.
struct MeasureCsiVolume {
  CsiVolume volume;
  std::string path;  ///< The target path.
  std::string staged_path;
  friend bool operator==(const MeasureCsiVolume&, const MeasureCsiVolume&) = default;
};

}  // namespace mooring
