#pragma once

#include <string>
#include <vector>

#include "ask.h"
#include "claims.h"
#include "tables.h"

namespace mooring::ctl {

// The commands on claims, PersistentVolumes and StorageClasses.

/// `KIND/NAME`, taken apart.
struct ObjectReference {
  Kind kind = Kind::Pods;
  std::string name;  ///< May hold a slash, as POD/VOLUME does.
};
/// Reads `KIND/NAME`; an error has the reason "Usage".
Result<ObjectReference> parse_object_reference(const std::string& text);

bool is_storage(Kind kind);

/// The claims and snapshots that a question is about, and all volumes.
struct Storage {
  std::vector<ClaimStatus> claims;
  std::vector<PersistentVolumeStatus> volumes;
  std::vector<VolumeSnapshotStatus> snapshots;  ///< Of the same namespaces as the claims.
};
Result<std::vector<ClaimStatus>> ask_claims(Client& client, const Options& options, Scope scope);
Result<std::vector<VolumeSnapshotStatus>> ask_snapshots(Client& client, const Options& options, Scope scope);
/// Nothing if the daemon does not tell: one of before knew no claims.
Storage ask_storage(Client& client, const Options& options, Scope scope);
/// The claim that the pod's volume is of; nullptr: none that is known.
const ClaimStatus* find_claim(const std::vector<ClaimStatus>& claims, const PodStatus& pod,
                              const VolumeStatus& volume);
/// The lists of all claims, volumes and classes, for `dump`.
void append_storage(Json& json, Client& client);

ExitStatus get_storage(const Options& options, Kind kind);
ExitStatus describe_storage(const Options& options, Kind kind);
ExitStatus explain_storage(const Options& options, const ObjectReference& object);
ExitStatus wait_for_claim(const Options& options, const ObjectReference& object);

}  // namespace mooring::ctl
