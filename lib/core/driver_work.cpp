#include "core/driver_work.h"

#include <string>
#include <variant>

#include "manifest/pod.h"
#include "plugin/csi_objects.h"
#include "step/csi_layout.h"

namespace mooring {
namespace {

Error waits_for(std::string reason, std::string message, std::string remedy) {
  Error error = refusal(std::move(reason), std::move(message), std::move(remedy));
  error.kind = ErrorKind::Transient;
  return error;
}

Error not_registered(const std::string& driver) {
  return waits_for("DriverNotRegistered",
                   "driver name " + driver + " not found in the list of registered CSI drivers",
                   "start the driver with its node-driver-registrar; Mooring goes on by itself then");
}

}  // namespace

Error why_not_by_driver(const LedgerVolume& row, const Provisioners& provisioners) {
  const std::string why = provisioners.why_not(row.provisioner);
  if (why.empty()) return not_registered(row.provisioner);
  return waits_for("DriverHasNoController", "it is for " + why,
                   "start the driver's controller service on this node; Mooring goes on by itself then");
}

Result<void> can_cut_snapshots(const CsiDriver& driver) {
  if (!driver.controller)
    return waits_for(
        "DriverHasNoController",
        "it is for the driver " + driver.name.str() + ", which has no controller service on this node",
        "start the driver's controller service on this node; Mooring goes on by itself then");
  if (driver.controller->create_delete_snapshot) return success();
  return waits_for("SnapshotUnsupported",
                   "driver " + driver.name.str() + " cuts and deletes no snapshots as it is registered now",
                   "run the version of the driver that does; Mooring goes on by itself then");
}

bool waits_for_csi_driver_object(const manifest::VolumeSource* source, const ObjectStore& objects,
                                 bool all_read) {
  const auto* csi = source == nullptr ? nullptr : std::get_if<manifest::CsiSource>(source);
  if (csi == nullptr || manifest::plugin_name(*source) != layout::csi_plugin()) return false;
  const ObjectName driver(csi->driver);
  return objects.find_csi_driver(driver) == nullptr && (!all_read || objects.may_hold_csi_driver(driver));
}

Error waits_for_manifests() {
  return waits_for(
      "WaitingForManifests",
      "waits for a CSIDriver object that may be in a manifest that was not read yet, or cannot be "
      "read",
      "see `mooringctl status` for manifests with errors");
}

Result<void> equip_for_driver(ProvisionWork& work, const std::map<DriverName, CsiDriver>& drivers,
                              const ObjectStore& objects) {
  if (work.driver.empty()) return success();
  const auto driver = drivers.find(work.driver);
  if (driver == drivers.end()) return not_registered(work.driver.str());
  std::map<std::string, SecretBytes> secrets;
  if (work.secret) {
    const auto secret = objects.find_secret(*work.secret);
    if (secret == nullptr) {
      return waits_for("SecretMissing",
                       "the secret " + work.secret->text() + " that driver " + work.driver.str() +
                           " is to be given is in no manifest",
                       "put its manifest there; Mooring goes on by itself then");
    }
    MOORING_TRY(check_is_text(*work.secret, secret->data));
    secrets = secret->data;
  }
  equip(work, driver->second.controller_endpoint(), secrets);
  return success();
}

}  // namespace mooring
