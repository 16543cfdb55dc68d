#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "facts/csi.h"
#include "facts/driver_name.h"

namespace mooring {

// What the controller service of a CSI driver is asked for, and what it made (CSI 1.9).

/// Where a volume can be reached from, as the driver names its places (Topology.segments).
using CsiTopology = std::map<std::string, std::string>;

/// What a new volume holds from the beginning (VolumeContentSource).
struct CsiContentSource {
  enum class Kind : std::uint8_t { Nothing, Snapshot, Volume };
  Kind kind = Kind::Nothing;
  std::string id;  ///< The driver's own, of the snapshot or of the volume.
  friend bool operator==(const CsiContentSource&, const CsiContentSource&) = default;
};

/// A volume as it is asked for, without the secrets. The driver knows it by its name alone until it has
/// answered: to ask again with the same is to ask for the same volume.
struct CsiVolumeRequest {
  std::string name;
  std::uint64_t required_bytes = 0;
  std::uint64_t limit_bytes = 0;  ///< 0: none.
  std::vector<CsiCapability> capabilities;
  std::map<std::string, std::string> parameters;
  CsiContentSource source;
  std::vector<CsiTopology> requisite;  ///< It must be reachable from one of these; empty: from anywhere.
  std::vector<CsiTopology> preferred;
  friend bool operator==(const CsiVolumeRequest&, const CsiVolumeRequest&) = default;
};

/// A volume as the driver made it.
struct CsiCreatedVolume {
  std::string id;
  std::map<std::string, std::string> context;  ///< For every later call. May say more than people should see.
  std::uint64_t capacity_bytes = 0;            ///< 0: the driver does not say.
  CsiContentSource source;
  std::vector<CsiTopology> topology;  ///< Empty: it can be reached from anywhere.
  friend bool operator==(const CsiCreatedVolume&, const CsiCreatedVolume&) = default;
};

/// What the node's calls are told of a volume that was attached to the node.
struct CsiPublishContext {
  std::map<std::string, std::string> values;
  friend bool operator==(const CsiPublishContext&, const CsiPublishContext&) = default;
};

/// A volume that Mooring had attached to this node by the driver's controller, or may have had: what it takes
/// to have it detached when no manifest tells of it any more. The name of a secret, never its value.
struct CsiAttachment {
  DriverName driver;
  std::string handle;               ///< Of a FlexVolume driver: the last element of the path.
  std::string node_id;              ///< The node's name then; empty: it was staged, and not attached.
  std::optional<ObjectKey> secret;  ///< controllerPublishSecretRef.
  std::string staged_path;          ///< Relative: where it was to be staged; or, for a pod, published.
  friend bool operator==(const CsiAttachment&, const CsiAttachment&) = default;
};

/// What became of a volume that was to grow.
struct CsiExpansion {
  std::uint64_t capacity_bytes = 0;
  bool node_expansion_required = false;  ///< The node's part (its file system) is still to come.
  friend bool operator==(const CsiExpansion&, const CsiExpansion&) = default;
};

/// A snapshot as the driver made it.
struct CsiSnapshot {
  std::string id;
  std::string source_volume_id;
  std::uint64_t size_bytes = 0;  ///< The least that a volume made from it needs; 0: the driver does not say.
  std::string creation_time;     ///< RFC 3339, in UTC; empty: the driver does not say.
  bool is_ready =
      false;  ///< False: it is cut, but no volume can be made from it yet; ask again with the same.
  friend bool operator==(const CsiSnapshot&, const CsiSnapshot&) = default;
};

}  // namespace mooring
