#pragma once

#include "wire/controller_fields.h"
#include "wire/message.h"

namespace mooring::wire {

// One description of each struct's fields serves encoding, decoding and sizing: `archive(a, b, c)` visits
// them in order. A struct without an overload here does not compile into a message.

template <class A>
void fields(A& a, MakePodDirectory& s) {
  a(s.uid, s.name_space, s.name);
}
template <class A>
void fields(A& a, MakeDirectory& s) {
  a(s.path, s.mode);
}
template <class A>
void fields(A& a, MountTmpfs& s) {
  a(s.path, s.size_bytes, s.mode, s.is_secret);
}
template <class A>
void fields(A& a, PublishedFile& s) {
  a(s.path, s.mode, s.bytes);
}
template <class A>
void fields(A& a, LivePart& s) {
  a(s.name, s.path);
}
template <class A>
void fields(A& a, PublishFiles& s) {
  a(s.path, s.version, s.files, s.mount_points, s.group, s.live_parts);
}
template <class A>
void fields(A& a, MountHugetlbfs& s) {
  a(s.path, s.page_size_bytes);
}
template <class A>
void fields(A& a, BindMount& s) {
  a(s.source, s.target, s.read_only, s.recursive);
}
template <class A>
void fields(A& a, BindSubPath& s) {
  a(s.volume, s.host_path, s.confined_to, s.path, s.target, s.may_create, s.asked_by, s.propagation);
}
template <class A>
void fields(A& a, ReleaseSubPaths& s) {
  a(s.uid, s.volume);
}
template <class A>
void fields(A& a, UnmountLeftovers& s) {
  a(s.path, s.kept);
}
template <class A>
void fields(A& a, ChangeGroup& s) {
  a(s.path, s.group, s.read_only, s.only_on_root_mismatch, s.entries_max);
}
template <class A>
void fields(A& a, MapGroup& s) {
  a(s.path, s.group, s.bind_only, s.entries_max);
}
template <class A>
void fields(A& a, Unmount& s) {
  a(s.path, s.types);
}
template <class A>
void fields(A& a, DiscardDirectory& s) {
  a(s.path, s.trash_name);
}
template <class A>
void fields(A& a, EmptyTrash& s) {
  a(s.name);
}
template <class A>
void fields(A& a, RemovePodDirectory& s) {
  a(s.uid);
}
template <class A>
void fields(A& a, CheckHostPath& s) {
  a(s.path, s.type, s.confined_to);
}
template <class A>
void fields(A& a, WatchHostPath& s) {
  a(s.path, s.confined_to);
}
template <class A>
void fields(A& a, DeviceName& n) {
  a(n.kind, n.value);
}
template <class A>
void fields(A& a, AttachDevice& s) {
  a(s.device, s.image_size_bytes, s.read_only, s.stamp);
}
template <class A>
void fields(A& a, DetachDevice& s) {
  a(s.device);
}
template <class A>
void fields(A& a, FormatDevice& s) {
  a(s.device, s.path, s.stamp, s.type, s.policy, s.read_only);
}
template <class A>
void fields(A& a, CheckFileSystem& s) {
  a(s.device, s.path, s.type);
}
template <class A>
void fields(A& a, MountDevice& s) {
  a(s.device, s.path, s.type, s.options, s.read_only);
}
template <class A>
void fields(A& a, GrowFileSystem& s) {
  a(s.device, s.path, s.type, s.image_size_bytes);
}
template <class A>
void fields(A& a, ProveStaged& s) {
  a(s.device, s.path);
}
template <class A>
void fields(A& a, UnmountDevice& s) {
  a(s.path, s.device);
}
template <class A>
void fields(A& a, MapDevice& s) {
  a(s.device, s.directory, s.pod, s.link, s.read_only);
}
template <class A>
void fields(A& a, UnmapDevice& s) {
  a(s.directory, s.pod, s.link);
}
template <class A>
void fields(A& a, MountNetwork& s) {
  a(s.path, s.type, s.source, s.options, s.read_only);
}
template <class A>
void fields(A& a, UnmountNetwork& s) {
  a(s.path, s.policy, s.attempt);
}
template <class A>
void fields(A& a, RemoveDirectory& s) {
  a(s.path);
}
template <class A>
void fields(A& a, MeasureUsage& s) {
  a(s.path);
}
template <class A>
void fields(A& a, LimitDirectory& s) {
  a(s.path, s.size_bytes, s.base);
}
template <class A>
void fields(A& a, UnlimitDirectory& s) {
  a(s.path);
}
template <class A>
void fields(A& a, MeasureDirectory& s) {
  a(s.path);
}
template <class A>
void fields(A& a, MakeVolumeDirectory& s) {
  a(s.base, s.directory, s.volume, s.mode, s.memory, s.token, s.base_memory);
}
template <class A>
void fields(A& a, RemoveVolumeDirectory& s) {
  a(s.base, s.directory, s.volume, s.memory, s.token, s.base_memory);
}
template <class A>
void fields(A& a, SetAsideVolumeDirectory& s) {
  a(s.base, s.directory, s.volume, s.to, s.token, s.base_memory);
}
template <class A>
void fields(A& a, EmptyDirectory& s) {
  a(s.path);
}
template <class A>
void fields(A& a, PrepareImage& s) {
  a(s.path, s.volume, s.token, s.base_memory);
}
template <class A>
void fields(A& a, RemoveImage& s) {
  a(s.path, s.image_stamp, s.format_stamp, s.volume, s.token);
}
template <class A>
void fields(A& a, FlexProgram& p) {
  a(p.driver, p.program, p.unsupported, p.deadline_ms);
}
template <class A>
void fields(A& a, FlexOption& o) {
  a(o.key, o.value);
}
template <class A>
void fields(A& a, FlexVolume& v) {
  a(v.name, v.file_system_type, v.read_only, v.options);
}
template <class A>
void fields(A& a, FlexSecret& s) {
  a(s.key, s.value);
}
template <class A>
void fields(A& a, FlexPod& p) {
  a(p.uid, p.name_space, p.name, p.service_account, p.fs_group, p.secrets);
}
template <class A>
void fields(A& a, ProbeFlexDriver& s) {
  a(s.program);
}
template <class A>
void fields(A& a, StageFlexVolume& s) {
  a(s.program, s.volume, s.node, s.path, s.format_stamp);
}
template <class A>
void fields(A& a, UnstageFlexVolume& s) {
  a(s.program, s.volume_name, s.node, s.path);
}
template <class A>
void fields(A& a, GrowFlexVolume& s) {
  a(s.program, s.volume, s.path, s.size_bytes, s.has_file_system);
}
template <class A>
void fields(A& a, PublishFlexVolume& s) {
  a(s.program, s.volume, s.pod, s.path, s.staged_path);
}
template <class A>
void fields(A& a, UnpublishFlexVolume& s) {
  a(s.program, s.path);
}
template <class A>
void fields(A& a, FlexProbe& p) {
  a(p.attach, p.selinux_relabel, p.supports_metrics, p.fs_group, p.requires_fs_resize);
}
template <class A>
void fields(A& a, FlexUnsupported& u) {
  a(u.driver, u.command);
}
template <class A>
void fields(A& a, FileSystemUsage& u) {
  a(u.capacity_bytes, u.used_bytes, u.available_bytes, u.inodes, u.inodes_used, u.inodes_free);
}
template <class A>
void fields(A&, ScanTree&) {}
template <class A>
void fields(A& a, CsiVolume& v) {
  a(v.driver, v.socket, v.handle, v.deadline_ms);
}
template <class A>
void fields(A& a, CsiCapability& c) {
  a(c.is_block, c.fs_type, c.mount_flags, c.volume_mount_group, c.access_mode);
}
template <class A>
void fields(A& a, CsiCondition& c) {
  a(c.is_abnormal, c.message);
}
template <class A>
void fields(A& a, CsiCallFact& c) {
  a(c.driver, c.method, c.code, c.duration_us);
}
template <class A>
void fields(A& a, CsiDeviceMap& m) {
  a(m.place, m.link);
}
template <class A>
void fields(A& a, StageCsiVolume& s) {
  a(s.volume, s.path, s.data, s.calls_driver, s.capability, s.publish_context, s.volume_context, s.secrets,
    s.may_be_there);
}
template <class A>
void fields(A& a, UnstageCsiVolume& s) {
  a(s.volume, s.path, s.data, s.calls_driver, s.published, s.bound);
}
template <class A>
void fields(A& a, PublishCsiVolume& s) {
  a(s.volume, s.path, s.data, s.data_text, s.staged_path, s.read_only, s.capability, s.publish_context,
    s.volume_context, s.secrets, s.map, s.tokens, s.may_be_there);
}
template <class A>
void fields(A& a, UnpublishCsiVolume& s) {
  a(s.volume, s.path, s.data, s.map, s.sockets);
}
template <class A>
void fields(A& a, ExpandCsiVolume& s) {
  a(s.volume, s.path, s.staged_path, s.required_bytes, s.may_be_refused, s.is_supported, s.capability,
    s.secrets);
}
template <class A>
void fields(A& a, MeasureCsiVolume& s) {
  a(s.volume, s.path, s.staged_path);
}
template <class A>
void fields(A& a, ProbeCsiDriver& s) {
  a(s.socket, s.is_registration, s.expected, s.controllers);
}
template <class A>
void fields(A& a, NotifyRegistration& s) {
  a(s.socket, s.is_registered, s.error);
}
template <class A>
void fields(A& a, CsiNodeCapabilities& c) {
  a(c.stage_unstage, c.volume_stats, c.expand, c.volume_condition, c.single_node_multi_writer,
    c.volume_mount_group);
}
template <class A>
void fields(A& a, CsiControllerCapabilities& c) {
  a(c.create_delete_volume, c.publish_unpublish_volume, c.publish_read_only, c.create_delete_snapshot,
    c.clone_volume, c.expand_volume, c.single_node_multi_writer);
}
template <class A>
void fields(A& a, CsiDriver& d) {
  a(d.name, d.socket, d.version, d.vendor_version, d.node_id, d.topology, d.volumes_max, d.node, d.controller,
    d.expands_online, d.controller_socket);
}
template <class A>
void fields(A& a, Operation& o) {
  a(o.id, o.pod, o.device, o.lane, o.deadline_ms, o.what, o.steps);
}
template <class A>
void fields(A& a, Error& e) {
  a(e.kind, e.reason, e.message, e.step, e.path, e.errno_value, e.remedy, e.context);
}
template <class A>
void fields(A& a, FoundVolume& v) {
  a(v.plugin, v.directory, v.is_mount_root);
}
template <class A>
void fields(A& a, FoundPod& p) {
  a(p.uid, p.has_stamp, p.name_space, p.name, p.volumes, p.strangers);
}
template <class A>
void fields(A& a, TreeFacts& t) {
  a(t.pods, t.trash, t.attachments);
}
template <class A>
void fields(A& a, Outcome& o) {
  a(o.id, o.steps_done, o.error, o.changed, o.tree, o.is_partial, o.trash_entry, o.watches, o.progress,
    o.warnings, o.usage, o.is_enforced, o.condition, o.flex_probe, o.flex_unsupported, o.csi_driver,
    o.csi_made, o.csi_calls);
}
template <class A>
void fields(A& a, Welcome& m) {
  a(m.version, m.root_dir, m.root_device, m.root_inode);
}
template <class A>
void fields(A& a, Hello& m) {
  a(m.version, m.pid, m.root_dir, m.problem);
}
template <class A>
void fields(A& a, Batch& m) {
  a(m.operations);
}
template <class A>
void fields(A& a, Outcomes& m) {
  a(m.outcomes);
}

}  // namespace mooring::wire
