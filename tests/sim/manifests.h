#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"

namespace mooring::sim {

enum class Kind { Disk, Memory, HugePages, HostDirectory, HostCreated, HostLate, HostBad, ConfigMap, Secret };

struct VolumeSpec {
  std::string name;
  Kind kind = Kind::Disk;
  std::string host_path;
  std::string object;        ///< Of ConfigMap and Secret: its name.
  bool is_optional = false;  ///< Likewise.
  bool is_nested = false;    ///< Likewise: its files are d/one and d/two, without "odd".
  bool is_shared = false;    ///< mountPropagation: Bidirectional.

  bool is_content() const { return kind == Kind::ConfigMap || kind == Kind::Secret; }
  bool is_empty_dir() const { return kind == Kind::Disk || kind == Kind::Memory || kind == Kind::HugePages; }
};

/// A part of a volume that the container "side" mounts by itself.
struct PartSpec {
  std::string volume;
  std::string path;            ///< As it is in the end.
  bool is_expression = false;  ///< It is written with the pod's name as a variable.
};

/// A pod that a simulated user writes.
struct PodSpec {
  std::string name;
  std::vector<VolumeSpec> volumes;
  std::vector<PartSpec> parts;
  std::optional<std::uint32_t> fs_group;
  bool is_on_root_mismatch = false;  ///< fsGroupChangePolicy.
  bool is_idmapped = false;          ///< mooring.io/fs-group-strategy: Idmap.
  bool is_live = false;              ///< mooring.io/live-subpath.

  const VolumeSpec* find(const std::string& volume) const;
  /// True if the volume is shown with other groups, through a mount of its own.
  bool is_mapped(const VolumeSpec& volume) const;
};

/// What a simulated user thinks of: one to four volumes of any kind, with chance parts of them, a group and
/// mounts that are shared with the node.
PodSpec random_pod(const std::string& name, Random& random);
/// As a person would write it.
std::string manifest_of(const PodSpec& pod);

/// The objects that config volumes are made from: ConfigMaps c0, c1 and Secrets s0, s1. Each holds its number
/// under "one" and "two", and under "odd" too if it is odd.
std::string manifest_of_object(const std::string& name, std::uint64_t number);

}  // namespace mooring::sim
