#include "plugin/block.h"

#include <algorithm>
#include <array>

#include "base/quantity.h"
#include "base/quote.h"
#include "manifest/names.h"
#include "plugin/device_volume.h"

namespace mooring {
namespace {

using manifest::CsiSource;
using Attributes = std::map<std::string, std::string>;

const PluginName& plugin_name() {
  static const PluginName name("kubernetes.io/block");
  return name;
}

struct AddressKind {
  std::string_view attribute;
  DeviceName::Kind kind;
};
constexpr std::array addresses{
    AddressKind{"device", DeviceName::Kind::Path}, AddressKind{"uuid", DeviceName::Kind::Uuid},
    AddressKind{"label", DeviceName::Kind::Label}, AddressKind{"wwid", DeviceName::Kind::Wwid},
    AddressKind{"image", DeviceName::Kind::Image},
};
constexpr std::string_view size_attribute = "size";
constexpr std::string_view format_attribute = "format";

Error invalid(const std::string& volume, const std::string& what, std::string remedy) {
  return refusal("InvalidVolumeAttributes", "volume " + volume + ": " + what, std::move(remedy));
}

Result<void> check_path(const std::string& volume, const AddressKind& address, const std::string& path) {
  const std::string what = std::string(address.attribute) + " " + quoted(path);
  if (!path.starts_with('/')) return invalid(volume, what + " is not absolute", "start it with a slash");
  if (manifest::has_parent_element(path))
    return invalid(volume, what + " has a `..` element", "write it without ..");
  if (address.kind == DeviceName::Kind::Path && !path.starts_with("/dev/"))
    return invalid(volume, what + " is not below /dev", "name a file by `image`");
  if (address.kind == DeviceName::Kind::Image && path.starts_with("/dev/") && !path.starts_with("/dev/shm/"))
    return invalid(volume, what + " is a device, or no file that stays", "name it by `device`");
  return success();
}

/// The one device that the attributes name.
Result<DeviceName> device_of(const std::string& volume, const Attributes& attributes) {
  std::optional<DeviceName> device;
  for (const auto& attribute : attributes) {
    const std::string& key = attribute.first;
    const std::string& value = attribute.second;
    // What starts with "csi." or "storage." Kubernetes itself adds.
    const bool is_known = key == size_attribute || key == format_attribute ||
                          key.starts_with("csi.storage.k8s.io/") || key.starts_with("storage.kubernetes.io/");
    const auto* address = std::find_if(addresses.begin(), addresses.end(),
                                       [&](const AddressKind& a) { return a.attribute == key; });
    if (address == addresses.end()) {
      if (is_known) continue;
      return invalid(volume, "volumeAttributes has the unknown " + quoted(key),
                     "it may have device, uuid, label, wwid or image, and size and format");
    }
    if (device) {
      return invalid(volume, "volumeAttributes names more than one device: " + device->text() + " and " + key,
                     "leave one");
    }
    if (value.empty()) return invalid(volume, key + " is empty", "");
    if (address->kind == DeviceName::Kind::Path || address->kind == DeviceName::Kind::Image) {
      MOORING_TRY(check_path(volume, *address, value));
    }
    device = DeviceName{address->kind, value};
  }
  if (device) return *std::move(device);
  return invalid(volume, "volumeAttributes names no device",
                 "give one of device, uuid, label, wwid or image");
}

/// The size of an image that may be made; 0: none is given.
Result<std::uint64_t> size_of(const std::string& volume, const Attributes& attributes,
                              const DeviceName& device) {
  const auto found = attributes.find(std::string(size_attribute));
  if (found == attributes.end()) return std::uint64_t{0};
  if (device.kind != DeviceName::Kind::Image)
    return invalid(volume, "size is for an image; a device has the size that it has", "leave it out");
  const Result<Quantity> size = Quantity::parse(found->second);
  if (!size) return invalid(volume, "size: " + size.error().message, "write it as 10Gi");
  if (size.value().rounded_up() <= 0) return invalid(volume, "size is not above zero", "write it as 10Gi");
  return static_cast<std::uint64_t>(size.value().rounded_up());
}

std::uint64_t capacity_of(const RecipeRequest& request) {
  if (request.persistent == nullptr) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(request.persistent->capacity.rounded_up(), 0));
}

/// What the volume is called: its handle, or for a pod's own volume the pod's uid and its name.
Result<layout::VolumeElement> element_of(const CsiSource& source, const RecipeRequest& request) {
  const std::string handle = request.persistent != nullptr
                                 ? source.volume_handle
                                 : request.pod.uid.str() + "-" + request.volume.name.str();
  if (auto element = layout::escape_handle(handle)) return *std::move(element);
  return refusal("InvalidVolumeHandle",
                 "volume " + request.volume.name.str() + ": volumeHandle " + quoted(handle) +
                     " cannot be the name of a directory: it is empty, or too long",
                 "give the PersistentVolume a shorter one");
}

}  // namespace

PluginName BlockPlugin::name() const {
  return plugin_name();
}

bool BlockPlugin::takes(const manifest::VolumeSource& source) const {
  const auto* csi = std::get_if<CsiSource>(&source);
  return csi != nullptr && csi->driver == manifest::block_driver;
}

Result<Recipe> BlockPlugin::recipe(const RecipeRequest& request) const {
  const auto& source = std::get<CsiSource>(request.volume.source);
  const std::string& name = request.volume.name.str();
  DeviceVolume volume;
  volume.plugin = plugin_name();
  MOORING_TRY(volume.element, element_of(source, request));
  MOORING_TRY(volume.device, device_of(name, source.attributes));
  MOORING_TRY(const std::uint64_t size, size_of(name, source.attributes, volume.device));
  volume.may_make_image = size != 0;
  volume.capacity_bytes = std::max(size, capacity_of(request));
  MOORING_TRY(volume.format, format_policy_of(source.attributes, std::string(format_attribute),
                                              size != 0 ? FormatPolicy::IfBlank : FormatPolicy::Never));
  volume.type = source.file_system_type;
  volume.read_only = source.read_only || (request.persistent != nullptr && is_only_read(*request.persistent));
  return device_volume_recipe(volume, request);
}

}  // namespace mooring
