#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "facts/driver_name.h"

namespace mooring {

// What is known of the drivers outside: programs and servers that somebody else wrote, and that make volumes
// by a published protocol.

/// What the node service of a CSI driver said it can do (NodeServiceCapability.RPC, CSI 1.9).
struct CsiNodeCapabilities {
  bool stage_unstage = false;
  bool volume_stats = false;
  bool expand = false;
  bool volume_condition = false;
  bool single_node_multi_writer = false;
  bool volume_mount_group = false;
  friend bool operator==(const CsiNodeCapabilities&, const CsiNodeCapabilities&) = default;
};

/// What its controller service can do, where it has one (ControllerServiceCapability.RPC, CSI 1.9).
struct CsiControllerCapabilities {
  bool create_delete_volume = false;
  bool publish_unpublish_volume = false;
  bool publish_read_only = false;
  bool create_delete_snapshot = false;
  bool clone_volume = false;
  bool expand_volume = false;
  bool single_node_multi_writer = false;
  friend bool operator==(const CsiControllerCapabilities&, const CsiControllerCapabilities&) = default;
};

/// A CSI driver that is registered on this node.
struct CsiDriver {
  DriverName name;
  std::string socket;          ///< Absolute: where it listens.
  std::string version;         ///< The highest version of the protocol that it and Mooring speak: "1.9.0".
  std::string vendor_version;  ///< Its own, by GetPluginInfo.
  std::string node_id;         ///< NodeGetInfo.
  std::map<std::string, std::string> topology;
  std::int64_t volumes_max = 0;  ///< 0: no limit.
  CsiNodeCapabilities node;
  std::optional<CsiControllerCapabilities> controller;  ///< nullopt: it has no controller service.
  bool expands_online = false;                          ///< PluginCapability.VolumeExpansion ONLINE.
  std::string controller_socket = {};                   ///< Where that listens; empty: on `socket` too.
  /// Where calls of the controller service go.
  const std::string& controller_endpoint() const {
    return controller_socket.empty() ? socket : controller_socket;
  }
  friend bool operator==(const CsiDriver&, const CsiDriver&) = default;
};

/// What a FlexVolume driver said it can do at `init`; what it leaves out is as here (kubelet-behaviours 16).
struct FlexCapabilities {
  bool attach = true;
  bool selinux_relabel = true;
  bool supports_metrics = false;
  bool fs_group = true;
  bool requires_fs_resize = true;
  friend bool operator==(const FlexCapabilities&, const FlexCapabilities&) = default;
};

/// A FlexVolume driver whose `init` succeeded.
struct FlexDriver {
  DriverName name;      ///< "vendor/driver", or "driver".
  std::string program;  ///< Absolute.
  FlexCapabilities capabilities;
  /// Commands that it answered `Not supported` to: they are not called again until it is probed anew.
  std::set<std::string> unsupported;
  friend bool operator==(const FlexDriver&, const FlexDriver&) = default;
};

/// All drivers that can be used now, by name.
struct DriverSet {
  std::map<DriverName, CsiDriver> csi;
  std::map<DriverName, FlexDriver> flex;

  const CsiDriver* find_csi(const DriverName& name) const {
    const auto found = csi.find(name);
    return found == csi.end() ? nullptr : &found->second;
  }
  const FlexDriver* find_flex(const DriverName& name) const {
    const auto found = flex.find(name);
    return found == flex.end() ? nullptr : &found->second;
  }
};

}  // namespace mooring
