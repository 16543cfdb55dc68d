#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "driver/drivers.h"
#include "manifest/objects.h"
#include "step/step.h"

namespace mooring {

/// What a volume is to be made from.
struct ProvisionRequest {
  const manifest::PersistentVolumeClaim& claim;
  const manifest::StorageClass& storage_class;
  const ObjectName& volume;     ///< "pvc-<uid of the claim>": nobody else's, for ever.
  const NodeName& node;         ///< For the affinity of what lies on this node.
  const std::string& root_dir;  ///< Absolute.
  /// Another one for each making, also of a volume of the same name: what an earlier making has left under
  /// that name is told apart by it, and neither taken nor removed. Kept in ProvisionedVolume.parameters
  /// ("token").
  std::string token = {};
  /// What it is to hold from the beginning, as the driver names that; a claim that asks for a copy is not
  /// served without.
  CsiContentSource source = {};
};

/// Where ProvisionedVolume::parameters have the token of the making.
inline constexpr const char* token_parameter = "token";

/// A volume that was or will be made. It is all that is needed to make, grow and remove it, without the claim
/// or the class, which may be gone by then.
struct ProvisionedVolume {
  manifest::PersistentVolume volume;  ///< With claimRef, class, reclaim policy and mount options.
  std::map<std::string, std::string>
      parameters;  ///< What the provisioner wants to remember: base paths, onDelete.
};

/// Work on the node; no steps: there is nothing to do there.
struct ProvisionWork {
  std::vector<Step> steps;
  Lane lane = Lane::Own;
  // Of a driver outside alone: what its steps still lack, since it changes and is written down nowhere.
  DriverName driver = {};                          ///< Where it listens; empty: they lack nothing.
  std::optional<ObjectKey> secret = std::nullopt;  ///< What it is told as secrets; nullopt: nothing.
};

/// Puts what they lack into the steps of a driver.
void equip(ProvisionWork& work, const std::string& socket, const std::map<std::string, SecretBytes>& secrets);

/// Makes the volumes of one `provisioner` of StorageClasses. Pure: answers depend on arguments alone. Every
/// work is right for what was never begun, half done, or done by an earlier run: a crash repeats it.
class Provisioner {
 public:
  virtual ~Provisioner() = default;

  virtual const std::string& name() const = 0;  ///< As StorageClass.provisioner names it.
  /// The volume as it will be: capacity, source, options. Every error is final until the claim or its class
  /// changes: "InvalidParameters", "InvalidPath", "VolumeModeUnsupported", "AccessModeUnsupported".
  virtual Result<ProvisionedVolume> provision(const ProvisionRequest& request) const = 0;
  virtual ProvisionWork make(const ProvisionedVolume& volume) const = 0;
  /// Removes or sets aside what make() made and pods wrote, as the class asked for when it was made. Done
  /// only when nothing uses it; the steps stand behind the removal guard all the same.
  virtual ProvisionWork remove(const ProvisionedVolume& volume) const = 0;
  /// Gives it the capacity that `volume.volume.capacity` says now, which is larger than before. What is
  /// grown by the pods' own way (the device of a file system) needs no steps here.
  virtual ProvisionWork grow(const ProvisionedVolume& volume) const = 0;
  /// The volume with what came of its work: what only a driver could say, once it was made or grown. To be
  /// written down before anybody uses it; until then the work is repeated, and gives the same.
  virtual ProvisionedVolume with_made(ProvisionedVolume volume, const CsiMade& made) const {
    static_cast<void>(made);
    return volume;
  }
  /// True if all is known that users of the volume need. While it is not, nobody gets it, and make() is
  /// repeated.
  virtual bool is_known(const ProvisionedVolume& volume) const {
    static_cast<void>(volume);
    return true;
  }
};

/// Where the volumes of one NFS provisioner lie (configuration: `nfsProvisioners`).
struct NfsExport {
  std::string provisioner;  ///< "k8s-sigs.io/nfs-subdir-external-provisioner", or a name of the site's own.
  std::string server;
  std::string path;                        ///< Absolute, clean.
  std::vector<std::string> mount_options;  ///< Of the provisioner's own mount.
};

/// The provisioners of this build and its configuration, and of the drivers that are registered.
class Provisioners {
 public:
  /// directory.mooring.io, block.mooring.io, and one for each export. Of two with the same name the first
  /// counts.
  explicit Provisioners(const std::vector<NfsExport>& exports = {});

  const Provisioner* find(const std::string& name) const;  ///< nullptr: there is none of that name.
  std::vector<std::string> names() const;                  ///< Sorted.

  /// The drivers that are registered now: those that make volumes make them for the classes that name them.
  /// One that was registered before stays, as it was: its volumes wait for it. None takes a name of this
  /// build or its configuration. True if any is another now.
  bool follow_drivers(const std::map<DriverName, CsiDriver>& drivers);
  /// "the driver X, which ..." if a driver of that name is registered and makes no volumes; else empty.
  std::string why_not(const std::string& name) const;

 private:
  std::map<std::string, CsiDriver> drivers_;
  std::map<std::string, std::string> unable_;  ///< Drivers that make no volumes, and why.
  std::map<std::string, std::unique_ptr<const Provisioner>> by_name_;
};

/// The class that a claim without a class gets if no manifest marks one as the default: "mooring", by
/// directory.mooring.io, Delete, Immediate, volumes can grow. A manifest of the same name counts instead.
const manifest::StorageClass& built_in_class();

/// How a volume is emptied for the next claim (reclaim policy Recycle, kubelet-behaviours 18.5): what is in
/// it is removed, itself stays. Only hostPath and NFS; others: "RecycleUnsupported".
Result<ProvisionWork> recycle(const manifest::PersistentVolume& volume);

}  // namespace mooring
