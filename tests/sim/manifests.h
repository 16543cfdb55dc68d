#pragma once

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
};

/// A pod that a simulated user writes.
struct PodSpec {
  std::string name;
  std::vector<VolumeSpec> volumes;
};

/// What a simulated user thinks of: one to four volumes of any kind.
PodSpec random_pod(const std::string& name, Random& random);
/// As a person would write it.
std::string manifest_of(const PodSpec& pod);

/// The objects that config volumes are made from: ConfigMaps c0, c1 and Secrets s0, s1. Each holds its number
/// under "one" and "two", and under "odd" too if it is odd.
std::string manifest_of_object(const std::string& name, std::uint64_t number);

}  // namespace mooring::sim
