#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin/plugin.h"

namespace mooring {

/// The shape of every volume of a FlexVolume driver: the mount table cannot tell what it is.
inline constexpr const char* flex_shape = "flex";

/// How FlexVolume drivers are called.
struct FlexSettings {
  /// Where they are: <directory>/<vendor>~<driver>/<driver>.
  std::string directory = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec";
  std::uint32_t timeout_ms = 120'000;  ///< Of each call.
};

/// Volumes that a program of somebody else's makes (kubelet-behaviours 16). Each driver is a plugin of its
/// own name, "vendor/driver":
///
///     pods/<uid>/volumes/<vendor>~<driver>/<name>                    0750; mounted on, or written into
///     plugins/kubernetes.io/flexvolume/<driver>/mounts/<element>     for drivers that attach
///
/// What a driver attaches is shared by all pods that have the PersistentVolume, or that write just the same
/// volume into their own manifests under the same name.
class FlexVolumePlugin final : public Plugin {
 public:
  explicit FlexVolumePlugin(FlexSettings settings) : settings_(std::move(settings)) {}

  PluginName name() const override;
  bool is_called(const PluginName& plugin) const override;
  PluginSupport support() const override;
  bool takes(const manifest::VolumeSource& source) const override;
  /// fsGroup only where the driver says that it can have that.
  /// Final errors: "InvalidFlexDriver", "DriverNotFound", "SecretNotFound", "WrongSecretType".
  Result<Recipe> recipe(const RecipeRequest& request) const override;
  std::vector<Step> removal(const Remains& remains) const override;
  std::vector<Step> detach(const DeviceRemains& remains) const override;
  std::optional<VolumeKey> device_key(const manifest::PersistentVolume& volume) const override;
  bool has_one_operation_at_a_time() const override { return true; }
  Lane removal_lane() const override { return Lane::Own; }

 private:
  FlexProgram program_of(const DriverName& driver, const DriverSet& drivers) const;

  FlexSettings settings_;
};

}  // namespace mooring
