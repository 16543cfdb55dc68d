#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"

namespace mooring::sim {

/// Drivers are called by a number; these are their names.
std::string csi_name(std::size_t number);
std::string flex_name(std::size_t number);
/// Likewise the type of the secret that a FlexVolume driver is told, and that secret's name.
std::string flex_secret(std::size_t number);

/// A PersistentVolume of a driver, and the claim that it is bound to; both have its name.
struct DriverVolume {
  std::string name;
  bool is_csi = true;
  std::size_t driver = 0;
  bool is_raw = false;
  bool has_secret = false;
  bool is_shared = false;  ///< ReadWriteMany.
  std::uint64_t capacity_mebibytes = 64;
  bool is_written = true;  ///< Its manifest is there.

  std::string handle() const { return "vol/" + name; }
};

/// What a volume of a simulated pod is, called by what it is.
struct DriverPodVolume {
  enum class Kind { Claim, CsiInline, FlexInline, Disk };
  std::string name;
  Kind kind = Kind::Claim;
  std::string claim{};     ///< Of Claim: its name.
  std::size_t driver = 0;  ///< Of the inline ones.

  /// What its directory is called.
  const std::string& directory() const { return kind == Kind::Claim ? claim : name; }
};

struct DriverPod {
  std::string name;
  bool has_group = false;  ///< fsGroup.
  std::vector<DriverPodVolume> volumes;
};

/// One to three volumes of CSI driver `number`, or of FlexVolume driver `number`.
void add_random_volumes(std::vector<DriverVolume>& volumes, bool is_csi, std::size_t driver, Random& random);
DriverPod random_driver_pod(const std::string& name, const std::vector<DriverVolume>& volumes,
                            std::size_t csi_count, std::size_t flex_count, Random& random);

/// What no record, log or status may hold.
constexpr const char* driver_secret = "hunter2-of-the-drivers";

// As a person would write them.

std::string manifest_of(const DriverVolume& volume);
std::string manifest_of(const DriverPod& pod, const std::vector<DriverVolume>& volumes);
/// CSIDriver objects and secrets.
std::string manifest_of_objects(std::size_t csi_count, std::size_t flex_count);

}  // namespace mooring::sim
