#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "facts/driver_name.h"
#include "step/layout.h"

namespace mooring::layout {

// Where the volumes of CSI drivers lie below the root directory, as drivers and tools know it from the
// kubelet (kubelet-behaviours 15.2, 15.5), each path beside its parser. All relative to the root directory.
//
//   pods/<uid>/volumes/kubernetes.io~csi/<directory>/mount           the target path; the driver makes it
//   pods/<uid>/volumes/kubernetes.io~csi/<directory>/vol_data.json
//   plugins/kubernetes.io/csi/<driver>/<sha256 of the handle>/globalmount     the staging path
//   plugins/kubernetes.io/csi/<driver>/<sha256 of the handle>/vol_data.json
//   plugins/kubernetes.io/csi/attached/<sha256 of the volume's key>.json   Mooring had it attached
//   plugins/kubernetes.io/csi/pv/<PersistentVolume>/globalmount      the same before Kubernetes 1.24
//   plugins/kubernetes.io/csi/volumeDevices/staging/<directory>      of a raw device: the staging path
//   plugins/kubernetes.io/csi/volumeDevices/publish/<directory>/<pod uid>   the target path, a device's node
//   plugins/kubernetes.io/csi/volumeDevices/<directory>/dev/<pod uid>       the same, bound by Mooring
//   plugins/kubernetes.io/csi/volumeDevices/<directory>/data/vol_data.json
//   pods/<uid>/volumeDevices/kubernetes.io~csi/<directory>           a link to the last but one

/// "kubernetes.io/csi".
const PluginName& csi_plugin();

/// True for the name of a driver that can be part of these paths and is none of their own words.
bool is_csi_driver_element(const DriverName& driver);
/// True for the name of a PersistentVolume that can be part of the paths of raw devices.
bool is_csi_block_element(const VolumeDirectory& directory);

std::string csi_target(const PodUid& pod, const VolumeDirectory& directory);
std::string csi_target_data(const PodUid& pod, const VolumeDirectory& directory);
/// The inverse of csi_target(); nullopt if `relative` is not exactly such a path.
std::optional<VolumePath> parse_csi_target(std::string_view relative);

/// Where the mount of a pod's volume stands, whatever its plugin: csi_target(), or else volume() itself.
std::string mount_place(const PodUid& pod, const PluginName& plugin, const VolumeDirectory& directory);

std::string csi_staged(const DriverName& driver, std::string_view handle);
std::string csi_staged_data(const DriverName& driver, std::string_view handle);
struct CsiStagedPath {
  DriverName driver;            ///< Empty of a path from before Kubernetes 1.24.
  std::string handle_hash;      ///< sha256_hex() of the volume's handle; empty likewise.
  VolumeDirectory directory{};  ///< Of such an old path: the PersistentVolume's name.
};
/// The inverse of csi_staged(), and of what it was before.
std::optional<CsiStagedPath> parse_csi_staged(std::string_view relative);

std::string csi_block_staged(const VolumeDirectory& directory);
std::string csi_block_published(const VolumeDirectory& directory);  ///< The directory of the next.
std::string csi_block_target(const VolumeDirectory& directory, const PodUid& pod);
std::string csi_block_root(const VolumeDirectory& directory);  ///< .../<directory>
std::string csi_block_map(const VolumeDirectory& directory);   ///< .../<directory>/dev
std::string csi_block_data(const VolumeDirectory& directory);
/// The inverses of csi_block_staged(), csi_block_published() and csi_block_map().
std::optional<VolumeDirectory> parse_csi_block_staged(std::string_view relative);
std::optional<VolumeDirectory> parse_csi_block_published(std::string_view relative);
std::optional<VolumeDirectory> parse_csi_block_map(std::string_view relative);

/// A volume as its driver knows it.
struct CsiVolumeName {
  DriverName driver;
  std::string handle;
  friend bool operator==(const CsiVolumeName&, const CsiVolumeName&) = default;
};
/// What pods share of the volume: "kubernetes.io/csi/<driver>^<handle>", with all of the handle that is not
/// plain written as "%" and two capital hexadecimal digits. Two volumes never have the same key.
VolumeKey csi_key(const CsiVolumeName& volume);
/// The inverse; nullopt for what csi_key never gives.
std::optional<CsiVolumeName> parse_csi_key(const VolumeKey& key);

/// The directory of the stamps of volumes that Mooring had attached, and the stamp of one.
std::string csi_attachments();
std::string csi_attachment(const CsiVolumeName& volume);

}  // namespace mooring::layout
