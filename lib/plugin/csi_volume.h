#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "driver/csi_driver_spec.h"
#include "plugin/plugin.h"

namespace mooring {

/// What others say of a driver's volume, besides its manifest.
struct CsiSetting {
  std::optional<CsiDriverSpec> spec;  ///< The driver's CSIDriver object; nullopt: there is none.
  std::map<std::string, std::string> publish_context = {};  ///< VolumeAttachment.status.attachmentMetadata.
  /// Why the volume is not attached, if somebody else attaches it (NodeInfo::others_attach).
  std::optional<Error> waits_for = std::nullopt;
};

/// The volume's recipe; see CsiPlugin for its errors.
Result<Recipe> csi_volume_recipe(const RecipeRequest& request, const CsiSetting& setting);

/// True if the pod's group is to be given to the volume (kubelet-behaviours 15.6). `modes`: of a
/// PersistentVolume; of a pod's own volume ReadWriteOnce.
bool gets_group(CsiGroupPolicy policy, const std::string& fs_type,
                const std::set<manifest::AccessMode>& modes, bool read_only);

/// Volumes of CSI drivers outside, of a PersistentVolume or of the pod itself (kubelet-behaviours 15):
///
///     plugins/kubernetes.io/csi/<driver>/<hash>/globalmount    staged once for the node, by the driver
///     pods/<uid>/volumes/kubernetes.io~csi/<name>/mount        published for the pod, by the driver
///
/// and raw devices (step/csi_layout.h). All that is done to them has a worker of its own, and waits no longer
/// than the driver has for a call.
///
/// What the way down needs when no manifest is there: the driver and the handle, which are in the volume's
/// key (layout::csi_key) and in the shape that it was made as; of a pod's own volume the handle is computed
/// from names. Where the driver listens, and whether it stages, is asked of the drivers that are registered
/// then.
class CsiPlugin final : public Plugin {
 public:
  PluginName name() const override;
  PluginSupport support() const override;
  bool takes(const manifest::VolumeSource& source) const override;
  /// Transient: "DriverNotRegistered", "SecretNotFound", "TokensUnavailable". Final: "LifecycleUnsupported",
  /// "InvalidVolumeHandle", "InvalidDriverName", "SecretNotText".
  Result<Recipe> recipe(const RecipeRequest& request) const override;
  std::vector<Step> removal(const Remains& remains) const override;
  std::vector<Step> unstage(const DeviceRemains& remains) const override;
  /// The same, and then ControllerUnpublishVolume if Mooring had it attached.
  std::vector<Step> detach(const DeviceRemains& remains) const override;
  std::optional<VolumeKey> device_key(const manifest::PersistentVolume& volume) const override;
  /// Of a driver with GET_VOLUME_STATS that is registered; also of raw devices.
  std::optional<MeasureCsiVolume> measurement(const Remains& remains) const override;
  bool has_one_operation_at_a_time() const override { return true; }
  Lane removal_lane() const override { return Lane::Own; }
};

}  // namespace mooring
