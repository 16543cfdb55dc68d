#include "provision/block_provisioner.h"

#include "base/quote.h"
#include "provision/common.h"
#include "step/layout.h"

namespace mooring {
namespace {

constexpr std::string_view type_name = "fsType";
constexpr std::string_view csi_type_name = "csi.storage.k8s.io/fstype";

const std::string& provisioner_name() {
  static const std::string name(manifest::block_driver);
  return name;
}

Result<std::string> type_of(const manifest::StorageClass& storage_class) {
  const std::string own = parameter(storage_class, type_name);
  const std::string csi = parameter(storage_class, csi_type_name);
  if (!own.empty() && !csi.empty() && own != csi) {
    return invalid_parameters(storage_class,
                              std::string(type_name) + " is " + quoted(own) + " and " +
                                  std::string(csi_type_name) + " is " + quoted(csi),
                              "leave one of them out");
  }
  const std::string type = !own.empty() ? own : !csi.empty() ? csi : "ext4";
  if (type == "ext4" || type == "xfs" || type == "btrfs") return type;
  return invalid_parameters(storage_class, "fsType " + quoted(type) + " cannot be made",
                            "use ext4, xfs or btrfs");
}

}  // namespace

const std::string& BlockProvisioner::name() const {
  return provisioner_name();
}

Result<ProvisionedVolume> BlockProvisioner::provision(const ProvisionRequest& request) const {
  MOORING_TRY(check_request(request, {"path", type_name, csi_type_name}));
  MOORING_TRY(const std::string type, type_of(request.storage_class));
  MOORING_TRY(const std::string base, base_of(request));
  const bool is_raw = request.claim.volume_mode == manifest::VolumeMode::Block;
  const std::string image = base + "/" + request.volume.str() + ".img";
  manifest::PersistentVolume volume = new_volume(request, name());
  manifest::CsiSource source;
  source.driver = name();
  source.volume_handle = request.volume.str();
  if (!is_raw) source.file_system_type = type;
  source.attributes = {
      {"image", image}, {"size", std::to_string(bytes_of(request.claim.request))}, {"format", "IfBlank"}};
  volume.source = std::move(source);
  volume.node_affinity = only_on(request.node);
  return provisioned(std::move(volume), request, {{"image", image}});
}

ProvisionWork BlockProvisioner::make(const ProvisionedVolume& volume) const {
  const std::string image = remembered(volume, "image");
  const std::string base = image.substr(0, image.rfind('/'));
  return {{PrepareImage{image, volume.volume.name, token_of(volume), base_memory(base)}}};
}

ProvisionWork BlockProvisioner::remove(const ProvisionedVolume& volume) const {
  static const PluginName plugin("kubernetes.io/block");
  RemoveImage remove{remembered(volume, "image"), {}, {}, volume.volume.name, token_of(volume)};
  if (const auto element = layout::escape_handle(volume.volume.name.str())) {
    remove.image_stamp = layout::image_stamp(plugin, *element);
    remove.format_stamp = layout::format_stamp(plugin, *element);
  }
  return {{std::move(remove)}};
}

ProvisionWork BlockProvisioner::grow(const ProvisionedVolume&) const {
  return {};
}

}  // namespace mooring
