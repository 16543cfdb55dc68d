#include "manifest/objects.h"

#include <tuple>

namespace mooring::manifest {
namespace {

// Every field but the origin. One that is forgotten here would be a change that nobody sees.

auto fields_of(const PersistentVolume& v) {
  return std::tie(v.name, v.labels, v.annotations, v.capacity, v.access_modes, v.volume_mode,
                  v.reclaim_policy, v.storage_class, v.mount_options, v.node_affinity, v.claim, v.source,
                  v.is_being_deleted);
}

auto fields_of(const PersistentVolumeClaim& c) {
  return std::tie(c.key, c.uid, c.labels, c.annotations, c.access_modes, c.volume_mode, c.request,
                  c.storage_class, c.volume_name, c.match_labels, c.match_expressions, c.has_selector,
                  c.is_being_deleted, c.owner);
}

auto fields_of(const StorageClass& s) {
  return std::tie(s.name, s.annotations, s.provisioner, s.parameters, s.reclaim_policy, s.binding_mode,
                  s.allow_volume_expansion, s.mount_options, s.is_default);
}

}  // namespace

bool operator==(const PersistentVolume& one, const PersistentVolume& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const PersistentVolumeClaim& one, const PersistentVolumeClaim& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const StorageClass& one, const StorageClass& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const EphemeralSource& one, const EphemeralSource& other) {
  return one.claim_template == other.claim_template || *one.claim_template == *other.claim_template;
}

}  // namespace mooring::manifest
