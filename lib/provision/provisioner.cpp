#include "provision/provisioner.h"

#include "base/quote.h"
#include "provision/block_provisioner.h"
#include "provision/common.h"
#include "provision/csi_provisioner.h"
#include "provision/directory_provisioner.h"
#include "provision/nfs_provisioner.h"
#include "step/reserved_paths.h"

namespace mooring {

Provisioners::Provisioners(const std::vector<NfsExport>& exports) {
  const auto add = [this](std::unique_ptr<const Provisioner> one) {
    const std::string name = one->name();
    by_name_.emplace(name, std::move(one));
  };
  add(std::make_unique<DirectoryProvisioner>());
  add(std::make_unique<BlockProvisioner>());
  for (const NfsExport& one : exports)
    add(std::make_unique<NfsProvisioner>(one));
}

const Provisioner* Provisioners::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

std::vector<std::string> Provisioners::names() const {
  std::vector<std::string> names;
  for (const auto& [name, one] : by_name_)
    names.push_back(name);
  return names;
}

bool Provisioners::follow_drivers(const std::map<DriverName, CsiDriver>& drivers) {
  std::map<std::string, std::string> unable;
  for (const auto& [name, driver] : drivers) {
    if (!driver.controller) unable[name.str()] = "has no controller service on this node";
    if (driver.controller && !driver.controller->create_delete_volume)
      unable[name.str()] = "makes no volumes: its controller service has not CREATE_DELETE_VOLUME";
  }
  bool is_changed = unable != unable_;
  unable_ = std::move(unable);
  for (const auto& [name, driver] : drivers) {
    const auto known = drivers_.find(name.str());
    const bool is_taken = known == drivers_.end() && by_name_.contains(name.str());
    if (is_taken || !driver.controller || !driver.controller->create_delete_volume) continue;
    if (known != drivers_.end() && known->second == driver) continue;
    drivers_[name.str()] = driver;
    by_name_[name.str()] = std::make_unique<CsiProvisioner>(driver);
    is_changed = true;
  }
  return is_changed;
}

std::string Provisioners::why_not(const std::string& name) const {
  const auto found = unable_.find(name);
  return found == unable_.end() ? std::string()
                                : "the driver " + quoted_if_needed(name) + ", which " + found->second;
}

void equip(ProvisionWork& work, const std::string& socket,
           const std::map<std::string, SecretBytes>& secrets) {
  for (Step& step : work.steps) {
    const auto fill = [&](auto& one) {
      one.volume.socket = socket;
      one.secrets = secrets;
    };
    if (auto* create = std::get_if<CreateCsiVolume>(&step)) fill(*create);
    if (auto* remove = std::get_if<DeleteCsiVolume>(&step)) fill(*remove);
    if (auto* expand = std::get_if<ExpandCsiController>(&step)) fill(*expand);
    if (auto* cut = std::get_if<CreateCsiSnapshot>(&step)) fill(*cut);
    if (auto* forget = std::get_if<DeleteCsiSnapshot>(&step)) fill(*forget);
  }
}

const manifest::StorageClass& built_in_class() {
  static const manifest::StorageClass built_in = [] {
    manifest::StorageClass one;
    one.name = ObjectName("mooring");
    one.provisioner = DirectoryProvisioner().name();
    one.reclaim_policy = manifest::ReclaimPolicy::Delete;
    one.binding_mode = manifest::BindingMode::Immediate;
    one.allow_volume_expansion = true;
    one.is_default = true;
    return one;
  }();
  return built_in;
}

namespace {

Error cannot_recycle(const manifest::PersistentVolume& volume, const std::string& why) {
  return refusal(
      "RecycleUnsupported",
      "PersistentVolume " + quoted_if_needed(volume.name.str()) + " cannot be recycled: " + why,
      "empty it by hand and remove spec.claimRef, or choose another persistentVolumeReclaimPolicy");
}

}  // namespace

Result<ProvisionWork> recycle(const manifest::PersistentVolume& volume) {
  if (const auto* host = std::get_if<manifest::HostPathSource>(&volume.source)) {
    std::string path = host->path;
    while (path.size() > 1 && path.ends_with('/'))
      path.pop_back();
    if (!is_clean_absolute(path)) return cannot_recycle(volume, quoted(path) + " is not absolute and clean");
    if (const std::string_view why = why_reserved(path); !why.empty())
      return cannot_recycle(volume, path + " " + std::string(why));
    return ProvisionWork{{EmptyDirectory{path}}};
  }
  if (const auto* nfs = std::get_if<manifest::NfsSource>(&volume.source)) {
    const std::string place = nfs_mount_place(volume.name);
    MountNetwork mount{place, "nfs", nfs_source(nfs->server, nfs->path), nfs_options(volume.mount_options)};
    return ProvisionWork{
        {std::move(mount), EmptyDirectory{place}, UnmountNetwork{place}, RemoveDirectory{place}}};
  }
  return cannot_recycle(volume, "only hostPath and nfs volumes can");
}

}  // namespace mooring
