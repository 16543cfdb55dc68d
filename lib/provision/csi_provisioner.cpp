#include "provision/csi_provisioner.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

#include "base/quote.h"
#include "csi/names.h"
#include "facts/csi_growth.h"
#include "provision/common.h"
#include "provision/csi_class.h"

namespace mooring {
namespace {

using manifest::AccessMode;
using manifest::CsiSource;
using Kind = CsiContentSource::Kind;

constexpr std::string_view parameter_prefix = "parameter/";
constexpr std::string_view topology_prefix = "topology/";

csi::ClaimedAccess claimed(AccessMode mode) {
  switch (mode) {
    case AccessMode::ReadOnlyMany:
      return csi::ClaimedAccess::ReadOnlyMany;
    case AccessMode::ReadWriteMany:
      return csi::ClaimedAccess::ReadWriteMany;
    case AccessMode::ReadWriteOncePod:
      return csi::ClaimedAccess::ReadWriteOncePod;
    case AccessMode::ReadWriteOnce:
      break;
  }
  return csi::ClaimedAccess::ReadWriteOnce;
}

std::map<std::string, std::string> with_prefix(const std::map<std::string, std::string>& values,
                                               std::string_view prefix) {
  std::map<std::string, std::string> found;
  for (const auto& [key, value] : values) {
    if (key.starts_with(prefix)) found[key.substr(prefix.size())] = value;
  }
  return found;
}

/// "namespace/name", as it is remembered.
std::optional<ObjectKey> secret_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  return ObjectKey{Namespace(text.substr(0, slash)), ObjectName(text.substr(slash + 1))};
}

const CsiSource& source_of(const ProvisionedVolume& volume) {
  static const CsiSource none{};
  const auto* source = std::get_if<CsiSource>(&volume.volume.source);
  return source == nullptr ? none : *source;
}

/// One for each access mode that the claim asks for, as all of them are what the volume must be able to, and
/// the claim's first of them first, as external-provisioner has them.
std::vector<CsiCapability> capabilities_of(const ProvisionedVolume& volume) {
  const bool has_multi_writer = remembered(volume, "multiWriter") == "true";
  std::set<AccessMode> modes = volume.volume.access_modes;
  if (modes.empty()) modes.insert(AccessMode::ReadWriteOnce);
  std::vector<CsiCapability> found;
  for (const AccessMode mode : in_order(modes, volume.volume.first_access_mode)) {
    CsiCapability one;
    one.is_block = volume.volume.volume_mode == manifest::VolumeMode::Block;
    if (!one.is_block) {
      one.fs_type = source_of(volume).file_system_type;
      one.mount_flags = volume.volume.mount_options;
    }
    one.access_mode = csi::access_mode(claimed(mode), has_multi_writer);
    found.push_back(std::move(one));
  }
  return found;
}

CsiVolumeRequest request_of(const ProvisionedVolume& volume) {
  CsiVolumeRequest request;
  request.name = volume.volume.name.str();
  const std::string bytes = remembered(volume, "bytes");
  std::from_chars(bytes.data(), bytes.data() + bytes.size(), request.required_bytes);
  request.capabilities = capabilities_of(volume);
  request.parameters = with_prefix(volume.parameters, parameter_prefix);
  if (const std::string id = remembered(volume, "snapshot"); !id.empty())
    request.source = {Kind::Snapshot, id};
  if (const std::string id = remembered(volume, "volume"); !id.empty()) request.source = {Kind::Volume, id};
  CsiTopology here = with_prefix(volume.parameters, topology_prefix);
  if (here.empty()) return request;
  request.requisite = {here};
  request.preferred = {std::move(here)};
  return request;
}

CsiVolume of_driver(const ProvisionedVolume& volume, const std::string& driver) {
  CsiVolume one;
  one.driver = DriverName(driver);
  one.handle = remembered(volume, "handle");
  return one;
}

/// Why the driver makes no copy of that; empty: it does, or none is asked for.
std::string why_no_copy(const CsiControllerCapabilities& can, Kind kind) {
  if (kind == Kind::Snapshot && !can.create_delete_snapshot) return "makes no volumes from snapshots";
  if (kind == Kind::Volume && !can.clone_volume) return "makes no copies of volumes";
  return {};
}

Result<void> check_driver(const ProvisionRequest& request, const CsiDriver& driver) {
  if (!driver.controller || !driver.controller->create_delete_volume) {
    return refusal("ProvisioningUnsupported",
                   "driver " + driver.name.str() + " makes no volumes on this node",
                   "make the volume by the driver's own means, and write a PersistentVolume for it");
  }
  const std::string why = why_no_copy(*driver.controller, request.source.kind);
  if (why.empty()) return success();
  return refusal(
      "DataSourceUnsupported",
      "claim " + request.claim.key.text() + " asks for a copy, and driver " + driver.name.str() + " " + why,
      "leave spec.dataSource out, or use a StorageClass of a driver that does");
}

/// What the request is made of, but for what the volume itself says.
std::map<std::string, std::string> memory_of(const ProvisionRequest& request, const CsiClass& said,
                                             const CsiDriver& driver) {
  std::map<std::string, std::string> memory;
  memory["bytes"] = std::to_string(bytes_of(request.claim.request));
  memory["node"] = request.node.str();
  if (driver.controller->single_node_multi_writer) memory["multiWriter"] = "true";
  if (said.provisioner_secret) memory["secret"] = said.provisioner_secret->text();
  if (request.source.kind == Kind::Snapshot) memory["snapshot"] = request.source.id;
  if (request.source.kind == Kind::Volume) memory["volume"] = request.source.id;
  for (const auto& [key, value] : said.parameters)
    memory[std::string(parameter_prefix) + key] = value;
  for (const auto& [key, value] : driver.topology)
    memory[std::string(topology_prefix) + key] = value;
  const auto extra = request.storage_class.annotations.find(extra_create_metadata);
  if (extra != request.storage_class.annotations.end() && extra->second == "true") {
    const std::string prefix = std::string(parameter_prefix) + "csi.storage.k8s.io/";
    memory[prefix + "pvc/name"] = request.claim.key.name.str();
    memory[prefix + "pvc/namespace"] = request.claim.key.name_space.str();
    memory[prefix + "pv/name"] = request.volume.str();
  }
  return memory;
}

/// Only what is read by all can be published read-only by the driver itself.
bool is_read_only(const ProvisionRequest& request, const CsiDriver& driver) {
  return driver.controller->publish_read_only &&
         request.claim.access_modes == std::set<AccessMode>{AccessMode::ReadOnlyMany};
}

}  // namespace

CsiProvisioner::CsiProvisioner(CsiDriver driver) : driver_(std::move(driver)) {}

const std::string& CsiProvisioner::name() const {
  return driver_.name.str();
}

Result<ProvisionedVolume> CsiProvisioner::provision(const ProvisionRequest& request) const {
  std::vector<std::string_view> all;  // Which parameters there are is for the driver to know.
  for (const auto& [key, value] : request.storage_class.parameters)
    all.push_back(key);
  MOORING_TRY(check_request(request, all));
  MOORING_TRY(check_driver(request, driver_));
  MOORING_TRY(CsiClass said, read_csi_class(request.storage_class, request.claim, request.volume));
  manifest::PersistentVolume volume = new_volume(request, name());
  CsiSource source;
  source.driver = name();
  source.volume_handle = request.volume.str();
  if (request.claim.volume_mode == manifest::VolumeMode::Filesystem) source.file_system_type = said.fs_type;
  source.read_only = is_read_only(request, driver_);
  source.controller_publish_secret = said.controller_publish_secret;
  source.node_stage_secret = said.node_stage_secret;
  source.node_publish_secret = said.node_publish_secret;
  // As it is read from a manifest, and from the ledger.
  if (said.node_publish_secret) source.publish_secret_name = said.node_publish_secret->name.str();
  source.node_expand_secret = said.node_expand_secret;
  source.controller_expand_secret = said.controller_expand_secret;
  volume.source = std::move(source);
  if (const auto& secret = said.provisioner_secret) {
    volume.annotations[deletion_secret_name] = secret->name.str();
    volume.annotations[deletion_secret_namespace] = secret->name_space.str();
  }
  return provisioned(std::move(volume), request, memory_of(request, said, driver_));
}

ProvisionWork CsiProvisioner::make(const ProvisionedVolume& volume) const {
  CsiVolume unknown = of_driver(volume, name());
  unknown.handle.clear();
  return {{CreateCsiVolume{std::move(unknown), request_of(volume), {}}},
          Lane::Own,
          driver_.name,
          secret_of(remembered(volume, "secret"))};
}

ProvisionWork CsiProvisioner::remove(const ProvisionedVolume& volume) const {
  return {{DeleteCsiVolume{of_driver(volume, name()), request_of(volume), {}}},
          Lane::Own,
          driver_.name,
          secret_of(remembered(volume, "secret"))};
}

ProvisionWork CsiProvisioner::grow(const ProvisionedVolume& volume) const {
  // A driver that can neither is asked all the same: it says best what is the matter.
  const bool by_node = driver_.node.expand && !(driver_.controller && driver_.controller->expand_volume);
  if (by_node) return {};
  return {
      {ExpandCsiController{
          of_driver(volume, name()), bytes_of(volume.volume.capacity), capabilities_of(volume).front(), {}}},
      Lane::Own,
      driver_.name,
      source_of(volume).controller_expand_secret};
}

bool CsiProvisioner::is_known(const ProvisionedVolume& volume) const {
  return !remembered(volume, "handle").empty();
}

ProvisionedVolume CsiProvisioner::with_made(ProvisionedVolume volume, const CsiMade& made) const {
  std::uint64_t bytes = 0;
  if (const auto* created = std::get_if<CsiCreatedVolume>(&made)) {
    bytes = created->capacity_bytes;
    volume.parameters["handle"] = created->id;
    if (auto* source = std::get_if<CsiSource>(&volume.volume.source)) {
      source->volume_handle = created->id;
      source->attributes = created->context;
    }
    if (!created->topology.empty())
      volume.volume.node_affinity = only_on(NodeName(remembered(volume, "node")));
  }
  if (const auto* grown = std::get_if<CsiExpansion>(&made)) {
    bytes = grown->capacity_bytes;
    volume.volume.annotations[node_expansion] =
        grown->node_expansion_required ? node_expansion_required : node_expansion_done;
  }
  if (bytes > bytes_of(volume.volume.capacity) && bytes <= static_cast<std::uint64_t>(INT64_MAX))
    volume.volume.capacity = Quantity::from_integer(static_cast<std::int64_t>(bytes));
  return volume;
}

}  // namespace mooring
