#include "provision/provisioner.h"

#include "base/quote.h"
#include "provision/block_provisioner.h"
#include "provision/common.h"
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
