#pragma once

#include <string>
#include <vector>

#include "base/random.h"

namespace mooring::sim {

enum class Kind { Disk, Memory, HugePages, HostDirectory, HostCreated, HostLate, HostBad };

struct VolumeSpec {
  std::string name;
  Kind kind = Kind::Disk;
  std::string host_path;
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

}  // namespace mooring::sim
