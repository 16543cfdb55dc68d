#include "csi/controller_requests.h"

#include "csi/json_writer.h"

namespace mooring::csi {
namespace {

using json_writer::made;
using json_writer::Object;
using json_writer::write_capability;

/// A list of objects, each written by `write` as a value.
template <class Out, class Item, class Write>
void list_of(Object<Out>& object, std::string_view key, const std::vector<Item>& items, const Write& write) {
  if (items.empty()) return;
  Out& out = object.begin(key);
  const char* separator = "[";
  for (const Item& item : items) {
    out.append(separator);
    write(out, item);
    separator = ",";
  }
  out.append("]");
}

template <class Out>
void write_range(Object<Out>& object, std::uint64_t required_bytes, std::uint64_t limit_bytes) {
  if (required_bytes == 0 && limit_bytes == 0) return;
  Object<Out> range(object.begin("capacity_range"));
  range.amount("required_bytes", required_bytes);
  range.amount("limit_bytes", limit_bytes);
}

template <class Out>
void write_source(Object<Out>& object, const CsiContentSource& source) {
  if (source.kind == CsiContentSource::Kind::Nothing) return;
  const bool is_snapshot = source.kind == CsiContentSource::Kind::Snapshot;
  Object<Out> outer(object.begin("volume_content_source"));
  Object<Out> inner(outer.begin(is_snapshot ? "snapshot" : "volume"));
  inner.text(is_snapshot ? "snapshot_id" : "volume_id", source.id);
}

template <class Out>
void write_topologies(Object<Out>& object, const CsiVolumeRequest& request) {
  if (request.requisite.empty() && request.preferred.empty()) return;
  const auto write = [](Out& out, const CsiTopology& topology) {
    Object<Out> inner(out);
    inner.texts("segments", topology);
  };
  Object<Out> requirements(object.begin("accessibility_requirements"));
  list_of(requirements, "requisite", request.requisite, write);
  list_of(requirements, "preferred", request.preferred, write);
}

}  // namespace

SecretBytes create_volume_request(const CsiVolumeRequest& request, const Secrets& secrets) {
  return made([&]<class Out>(Object<Out>& object) {
    object.text("name", request.name);
    write_range(object, request.required_bytes, request.limit_bytes);
    list_of(object, "volume_capabilities", request.capabilities, write_capability<Out>);
    object.texts("parameters", request.parameters);
    object.secrets("secrets", secrets);
    write_source(object, request.source);
    write_topologies(object, request);
  });
}

SecretBytes delete_volume_request(std::string_view volume_id, const Secrets& secrets) {
  return made([&](auto& object) {
    object.text("volume_id", volume_id);
    object.secrets("secrets", secrets);
  });
}

SecretBytes controller_publish_request(const ControllerPublishRequest& request) {
  return made([&](auto& object) {
    object.text("volume_id", request.volume_id);
    object.text("node_id", request.node_id);
    write_capability(object.begin("volume_capability"), request.capability);
    object.flag("readonly", request.read_only);
    object.secrets("secrets", request.secrets);
    object.texts("volume_context", request.volume_context);
  });
}

SecretBytes controller_unpublish_request(std::string_view volume_id, std::string_view node_id,
                                         const Secrets& secrets) {
  return made([&](auto& object) {
    object.text("volume_id", volume_id);
    object.text("node_id", node_id);
    object.secrets("secrets", secrets);
  });
}

SecretBytes controller_expand_request(const ControllerExpandRequest& request) {
  return made([&](auto& object) {
    object.text("volume_id", request.volume_id);
    write_range(object, request.required_bytes, 0);
    object.secrets("secrets", request.secrets);
    write_capability(object.begin("volume_capability"), request.capability);
  });
}

SecretBytes create_snapshot_request(const SnapshotRequest& request) {
  return made([&](auto& object) {
    object.text("source_volume_id", request.source_volume_id);
    object.text("name", request.name);
    object.secrets("secrets", request.secrets);
    object.texts("parameters", request.parameters);
  });
}

SecretBytes delete_snapshot_request(std::string_view snapshot_id, const Secrets& secrets) {
  return made([&](auto& object) {
    object.text("snapshot_id", snapshot_id);
    object.secrets("secrets", secrets);
  });
}

}  // namespace mooring::csi
