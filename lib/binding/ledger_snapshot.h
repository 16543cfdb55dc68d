#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/quantity.h"
#include "facts/driver_name.h"

namespace mooring {

/// A snapshot that Mooring had its driver cut, or will have. It is all that is needed to cut and to delete
/// it, without the VolumeSnapshot, its class or its claim, which may be gone by then.
///
///     Making ──cut, and ready to use──▶ Ready ──manifest gone, Delete──▶ Deleting ──deleted──▶ (no row)
///        │                                └─────manifest gone, Retain──▶ Released
///        └──manifest gone──▶ Deleting (Retain: Released, if the driver has said what it calls it)
///
/// A Released one has no row any more when a VolumeSnapshotContent of the manifests names its handle.
struct LedgerSnapshot {
  enum class State : std::uint8_t { Making, Ready, Released, Deleting };
  ObjectKey snapshot;  ///< Whose it is...
  std::string uid;     ///< ...with the manifest's uid, or one that was drawn for it. Never empty.
  State state = State::Making;
  DriverName driver;
  ObjectName volume;                              ///< The PersistentVolume that it is of...
  std::string volume_handle;                      ///< ...as the driver names that.
  std::string snapshot_class;                     ///< Empty: of none.
  bool is_retained = false;                       ///< deletionPolicy Retain.
  std::map<std::string, std::string> parameters;  ///< As CreateSnapshot was first asked.
  std::optional<ObjectKey> secret;                ///< What the driver is told as secrets.
  std::string handle;         ///< What the driver calls it; empty: nobody knows, it may be there or not.
  Quantity restore_size;      ///< The least that a volume made from it needs; 0: the driver does not say.
  std::string creation_time;  ///< RFC 3339; empty: the driver does not say.
  std::string message;        ///< Why the driver refuses to cut it; empty: it does not.
  friend bool operator==(const LedgerSnapshot&, const LedgerSnapshot&) = default;
};

/// "snapcontent-<uid>": the name of the row, as that of the VolumeSnapshotContent in a cluster.
ObjectName content_name(const LedgerSnapshot& row);
/// "Making", "Ready", "Released" or "Deleting".
const char* to_string(LedgerSnapshot::State state);

using LedgerSnapshots = std::map<ObjectName, LedgerSnapshot>;

}  // namespace mooring
