#include <algorithm>

#include "objects/counting.h"
#include "objects/store.h"

// What tells of drivers outside: CSIDriver, VolumeAttachment and the objects of snapshots.

namespace mooring {

using manifest::CsiDriverObject;
using manifest::VolumeAttachment;
using manifest::VolumeSnapshot;
using manifest::VolumeSnapshotClass;
using manifest::VolumeSnapshotContent;

void ObjectStore::put_driver_object(const manifest::Object* object, const Identity& identity,
                                    StoreChanges& changes) {
  bool is_other = false;
  if (const auto driver = key_of(identity, "CSIDriver")) {
    is_other = put(csi_drivers_, driver->name, as<CsiDriverObject>(object));
  } else if (const auto attachment = key_of(identity, "VolumeAttachment")) {
    is_other = put(attachments_, attachment->name, as<VolumeAttachment>(object));
  } else if (const auto snapshot = key_of(identity, "VolumeSnapshot")) {
    is_other = put(snapshots_, *snapshot, as<VolumeSnapshot>(object));
  } else if (const auto snapshot_class = key_of(identity, "VolumeSnapshotClass")) {
    is_other = put(snapshot_classes_, snapshot_class->name, as<VolumeSnapshotClass>(object));
  } else if (const auto content = key_of(identity, "VolumeSnapshotContent")) {
    is_other = put(snapshot_contents_, content->name, as<VolumeSnapshotContent>(object));
  }
  changes.drivers = changes.drivers || is_other;
}

std::shared_ptr<const CsiDriverObject> ObjectStore::find_csi_driver(const ObjectName& name) const {
  return get(csi_drivers_, name);
}
std::shared_ptr<const VolumeSnapshot> ObjectStore::find_snapshot(const ObjectKey& key) const {
  return get(snapshots_, key);
}
std::shared_ptr<const VolumeSnapshotClass> ObjectStore::find_snapshot_class(const ObjectName& name) const {
  return get(snapshot_classes_, name);
}
std::shared_ptr<const VolumeSnapshotContent> ObjectStore::find_snapshot_content(
    const ObjectName& name) const {
  return get(snapshot_contents_, name);
}

std::shared_ptr<const VolumeAttachment> ObjectStore::find_attachment(const std::string& driver,
                                                                     const NodeName& node,
                                                                     const ObjectName& volume) const {
  const auto found = std::find_if(attachments_.begin(), attachments_.end(), [&](const auto& entry) {
    const VolumeAttachment& one = *entry.second;
    return one.persistent_volume == volume && one.node == node && one.attacher == driver;
  });
  return found == attachments_.end() ? nullptr : found->second;
}

std::vector<ObjectName> ObjectStore::csi_drivers() const {
  return keys_of(csi_drivers_);
}
std::vector<ObjectKey> ObjectStore::snapshots() const {
  return keys_of(snapshots_);
}
std::vector<ObjectName> ObjectStore::snapshot_classes() const {
  return keys_of(snapshot_classes_);
}
std::vector<ObjectName> ObjectStore::snapshot_contents() const {
  return keys_of(snapshot_contents_);
}

bool ObjectStore::may_hold_csi_driver(const ObjectName& name) const {
  return may_hide(
      [&](const BrokenIdentity& broken) { return broken.kind == "CSIDriver" && broken.key.name == name; });
}

bool ObjectStore::may_hold_attachment() const {
  return may_hide([](const BrokenIdentity& broken) { return broken.kind == "VolumeAttachment"; });
}

bool ObjectStore::may_hold_snapshot(const ObjectKey& key) const {
  return may_hide(
      [&](const BrokenIdentity& broken) { return broken.kind == "VolumeSnapshot" && broken.key == key; });
}

}  // namespace mooring
