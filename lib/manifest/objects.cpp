#include "manifest/objects.h"

#include <algorithm>
#include <tuple>

namespace mooring::manifest {
namespace {

// Every field but the origin. One that is forgotten here would be a change that nobody sees.

auto fields_of(const PersistentVolume& v) {
  return std::tie(v.name, v.labels, v.annotations, v.capacity, v.access_modes, v.volume_mode,
                  v.reclaim_policy, v.storage_class, v.mount_options, v.node_affinity, v.claim, v.source,
                  v.is_being_deleted, v.first_access_mode);
}

auto fields_of(const PersistentVolumeClaim& c) {
  return std::tie(c.key, c.uid, c.labels, c.annotations, c.access_modes, c.volume_mode, c.request,
                  c.storage_class, c.volume_name, c.match_labels, c.match_expressions, c.has_selector,
                  c.is_being_deleted, c.owner, c.data_source, c.first_access_mode);
}

auto fields_of(const StorageClass& s) {
  return std::tie(s.name, s.annotations, s.provisioner, s.parameters, s.reclaim_policy, s.binding_mode,
                  s.allow_volume_expansion, s.mount_options, s.is_default);
}

auto fields_of(const CsiDriverObject& d) {
  return std::tie(d.name, d.attach_required, d.pod_info_on_mount, d.lifecycles, d.fs_group_policy,
                  d.requires_republish, d.selinux_mount, d.token_requests, d.token_in_secrets);
}

auto fields_of(const VolumeAttachment& a) {
  return std::tie(a.name, a.attacher, a.node, a.persistent_volume, a.is_attached, a.metadata, a.attach_error,
                  a.is_being_deleted);
}

auto fields_of(const VolumeSnapshot& s) {
  return std::tie(s.key, s.uid, s.annotations, s.snapshot_class, s.claim, s.content, s.is_being_deleted);
}

auto fields_of(const VolumeSnapshotClass& c) {
  return std::tie(c.name, c.annotations, c.driver, c.deletion_policy, c.parameters, c.is_default);
}

auto fields_of(const VolumeSnapshotContent& c) {
  return std::tie(c.name, c.annotations, c.driver, c.deletion_policy, c.snapshot_class, c.volume_handle,
                  c.snapshot_handle, c.snapshot, c.snapshot_uid, c.is_ready, c.restore_size,
                  c.is_being_deleted);
}

}  // namespace

std::vector<AccessMode> in_order(const std::set<AccessMode>& modes, std::optional<AccessMode> first) {
  std::vector<AccessMode> all(modes.begin(), modes.end());
  const auto found = first ? std::find(all.begin(), all.end(), *first) : all.end();
  if (found != all.end()) std::rotate(all.begin(), found, std::next(found));
  return all;
}

bool operator==(const PersistentVolume& one, const PersistentVolume& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const PersistentVolumeClaim& one, const PersistentVolumeClaim& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const StorageClass& one, const StorageClass& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const CsiDriverObject& one, const CsiDriverObject& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const VolumeAttachment& one, const VolumeAttachment& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const VolumeSnapshot& one, const VolumeSnapshot& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const VolumeSnapshotClass& one, const VolumeSnapshotClass& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const VolumeSnapshotContent& one, const VolumeSnapshotContent& other) {
  return fields_of(one) == fields_of(other);
}

bool operator==(const EphemeralSource& one, const EphemeralSource& other) {
  return one.claim_template == other.claim_template || *one.claim_template == *other.claim_template;
}

}  // namespace mooring::manifest
