#include "provision/directory_provisioner.h"

#include <algorithm>

#include "base/quote.h"
#include "provision/common.h"
#include "step/layout.h"

namespace mooring {
namespace {

constexpr std::uint32_t default_mode = 0777;

const std::string& provisioner_name() {
  static const std::string name("directory.mooring.io");
  return name;
}

/// nullopt for what is not four octal digits at most.
std::optional<std::uint32_t> mode_of(const std::string& text) {
  if (text.empty()) return default_mode;
  const bool is_octal = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
  if (!is_octal || text.size() > 5) return std::nullopt;
  const std::uint32_t mode = static_cast<std::uint32_t>(std::stoul(text, nullptr, 8));
  if (mode > 07777) return std::nullopt;
  return mode;
}

/// A directory is bound for a pod, which has no options but these (plugin/local.h): others would keep every
/// pod from starting.
Result<void> check_options(const manifest::StorageClass& storage_class) {
  for (const std::string& option : storage_class.mount_options) {
    if (option == "ro" || option == "rw" || option == "bind" || option == "defaults") continue;
    return invalid_parameters(storage_class, "a directory has no mount option " + quoted(option),
                              "leave it out of mountOptions, and mount the file system at `path` with it");
  }
  return success();
}

std::string memory_of(const ProvisionedVolume& volume) {
  static const PluginName plugin(provisioner_name());
  const auto element = layout::escape_handle(volume.volume.name.str());
  return element ? layout::made_stamp(plugin, *element) : std::string();
}

/// No step is asked for where the file system may not know quotas: it says so itself, and does nothing.
LimitDirectory limit(const ProvisionedVolume& volume) {
  return {remembered(volume, "directory"), bytes_of(volume.volume.capacity), remembered(volume, "base")};
}

}  // namespace

const std::string& DirectoryProvisioner::name() const {
  return provisioner_name();
}

Result<ProvisionedVolume> DirectoryProvisioner::provision(const ProvisionRequest& request) const {
  MOORING_TRY(check_request(request, {"path", "mode"}));
  if (request.claim.volume_mode == manifest::VolumeMode::Block) {
    return refusal("VolumeModeUnsupported",
                   "claim " + request.claim.key.text() + " wants a raw block device, and " + name() +
                       " makes directories",
                   "use a StorageClass of the provisioner block.mooring.io");
  }
  MOORING_TRY(check_options(request.storage_class));
  const std::string mode = parameter(request.storage_class, "mode");
  if (!mode_of(mode)) {
    return invalid_parameters(request.storage_class,
                              "mode " + quoted(mode) + " is not an octal number up to 7777",
                              "write it as \"0770\"");
  }
  MOORING_TRY(const std::string base, base_of(request));
  manifest::PersistentVolume volume = new_volume(request, name());
  volume.source = manifest::LocalSource{base + "/" + request.volume.str(), {}};
  volume.node_affinity = only_on(request.node);
  return provisioned(std::move(volume), request,
                     {{"base", base}, {"directory", request.volume.str()}, {"mode", mode}});
}

ProvisionWork DirectoryProvisioner::make(const ProvisionedVolume& volume) const {
  return {{MakeVolumeDirectory{remembered(volume, "base"), remembered(volume, "directory"),
                               volume.volume.name, mode_of(remembered(volume, "mode")).value_or(default_mode),
                               memory_of(volume), token_of(volume), base_memory(remembered(volume, "base"))},
           limit(volume)}};
}

ProvisionWork DirectoryProvisioner::remove(const ProvisionedVolume& volume) const {
  return {{RemoveVolumeDirectory{remembered(volume, "base"), remembered(volume, "directory"),
                                 volume.volume.name, memory_of(volume), token_of(volume)}}};
}

ProvisionWork DirectoryProvisioner::grow(const ProvisionedVolume& volume) const {
  return {{limit(volume)}};
}

}  // namespace mooring
