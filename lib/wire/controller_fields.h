#pragma once

#include "step/csi_controller_steps.h"

namespace mooring::wire {

// The fields of what has to do with the controller services of CSI drivers, as wire/fields.h has those of all
// else.

template <class A>
void fields(A& a, CsiContentSource& s) {
  a(s.kind, s.id);
}
template <class A>
void fields(A& a, CsiVolumeRequest& r) {
  a(r.name, r.required_bytes, r.limit_bytes, r.capabilities, r.parameters, r.source, r.requisite,
    r.preferred);
}
template <class A>
void fields(A& a, CsiCreatedVolume& v) {
  a(v.id, v.context, v.capacity_bytes, v.source, v.topology);
}
template <class A>
void fields(A& a, CsiPublishContext& c) {
  a(c.values);
}
template <class A>
void fields(A& a, CsiExpansion& e) {
  a(e.capacity_bytes, e.node_expansion_required);
}
template <class A>
void fields(A& a, CsiSnapshot& s) {
  a(s.id, s.source_volume_id, s.size_bytes, s.creation_time, s.is_ready);
}
template <class A>
void fields(A& a, CsiSnapshotRequest& r) {
  a(r.name, r.parameters);
}
template <class A>
void fields(A& a, ObjectKey& k) {
  a(k.name_space, k.name);
}
template <class A>
void fields(A& a, CsiAttachment& t) {
  a(t.driver, t.handle, t.node_id, t.secret, t.staged_path);
}
template <class A>
void fields(A& a, CreateCsiVolume& s) {
  a(s.volume, s.request, s.secrets);
}
template <class A>
void fields(A& a, DeleteCsiVolume& s) {
  a(s.volume, s.request, s.secrets);
}
template <class A>
void fields(A& a, PublishCsiController& s) {
  a(s.volume, s.node_id, s.capability, s.read_only, s.volume_context, s.secrets, s.stamp, s.secret,
    s.staged_path);
}
template <class A>
void fields(A& a, UnpublishCsiController& s) {
  a(s.volume, s.node_id, s.secrets, s.stamp);
}
template <class A>
void fields(A& a, ExpandCsiController& s) {
  a(s.volume, s.required_bytes, s.capability, s.secrets);
}
template <class A>
void fields(A& a, CreateCsiSnapshot& s) {
  a(s.volume, s.request, s.secrets);
}
template <class A>
void fields(A& a, DeleteCsiSnapshot& s) {
  a(s.volume, s.snapshot_id, s.request, s.secrets);
}

}  // namespace mooring::wire
