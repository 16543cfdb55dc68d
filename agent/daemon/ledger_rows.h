#pragma once

#include <string>

#include "base/result.h"
#include "binding/ledger.h"

namespace mooring {

/// A row of the table `claims`. `claim` is the claim itself as JSON (manifest::encode); what else a person
/// looks for stands beside it. What is derived from it (namespace, name, uid) must say the same.
struct ClaimRow {
  std::string name_space;
  std::string name;
  std::string uid;
  std::string volume;  ///< Empty (NULL in the file): it has none.
  bool is_bound = false;
  bool was_chosen = false;
  std::string capacity;  ///< A quantity.
  bool is_being_deleted = false;
  bool is_lost = false;
  std::string owner_kind;  ///< "", "StatefulSet" or "Pod".
  std::string owner_namespace;
  std::string owner_name;
  std::string owner_uid;
  bool delete_when_deleted = false;
  bool delete_when_scaled = false;
  std::string claim;
};

/// A row of the table `volumes`. `volume` is the PersistentVolume as JSON; its claimRef stands in the columns
/// claim_... too.
struct VolumeRow {
  std::string name;
  /// "Provisioning", "Available", "Bound", "Released", "Deleting", "Recycling" or "Failed".
  std::string state;
  std::string claim_namespace;
  std::string claim_name;  ///< Empty (NULL in the file, and so the other two): no claim.
  std::string claim_uid;
  bool was_chosen = false;
  std::string provisioner;
  std::string parameters;     ///< A JSON object of strings.
  std::string made_capacity;  ///< A quantity.
  std::string message;
  std::string volume;
};

/// A row of the table `snapshots`.
struct SnapshotRow {
  std::string name;        ///< "snapcontent-<uid>".
  std::string name_space;  ///< Of the VolumeSnapshot...
  std::string snapshot;    ///< ...and its name.
  std::string uid;
  std::string state;  ///< "Making", "Ready", "Released" or "Deleting".
  std::string driver;
  std::string volume;
  std::string volume_handle;
  std::string snapshot_class;
  bool is_retained = false;
  std::string parameters;  ///< A JSON object of strings.
  std::string
      secret_namespace;  ///< Where the secret is, never what it holds; empty (NULL in the file): none.
  std::string secret_name;
  std::string handle;        ///< Empty (NULL in the file): nobody knows it.
  std::string restore_size;  ///< A quantity.
  std::string creation_time;
  std::string message;
};

/// The row of what the ledger says. It was read back and compared before it is given: "LedgerUnwritable"
/// (Final) is what could not be read again as it is.
Result<ClaimRow> encode_row(const ObjectKey& key, const LedgerClaim& claim);
Result<VolumeRow> encode_row(const ObjectName& name, const LedgerVolume& volume);
Result<SnapshotRow> encode_row(const ObjectName& name, const LedgerSnapshot& snapshot);

/// "LedgerDamaged" (Final): the row cannot be one that encode_row() gave; the message names row and cause.
Result<LedgerClaim> decode_row(const ClaimRow& row);
Result<LedgerVolume> decode_row(const VolumeRow& row);
Result<LedgerSnapshot> decode_row(const SnapshotRow& row);

}  // namespace mooring
