#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "manifest/driver_objects.h"

namespace mooring {

/// What a VolumeSnapshotClass says for one snapshot.
struct SnapshotClass {
  std::map<std::string, std::string> parameters;  ///< For the driver: without the reserved ones.
  std::optional<ObjectKey> secret;                ///< What it is told as secrets.
};

/// As external-snapshotter reads it: the parameters csi.storage.k8s.io/snapshotter-secret-name and -namespace
/// (and snapshotter-list-secret-..., which nobody needs here) are reserved, in which stand
/// ${volumesnapshotcontent.name}, ${volumesnapshot.namespace}, and for names ${volumesnapshot.name}. All else
/// of that prefix is refused: "InvalidParameters".
/// With the annotation mooring.io/extra-create-metadata: "true" the driver is told volumesnapshot/name,
/// volumesnapshot/namespace and volumesnapshotcontent/name of that prefix besides, as with
/// --extra-create-metadata of csi-snapshotter.
Result<SnapshotClass> read_snapshot_class(const manifest::VolumeSnapshotClass& snapshot_class,
                                          const ObjectKey& snapshot, const ObjectName& content);

}  // namespace mooring
