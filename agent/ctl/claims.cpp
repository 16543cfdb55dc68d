#include "claims.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mooring::ctl {
namespace {

/// The colour of a claim's or volume's phase.
Phase color_of(const std::string& phase) {
  if (phase == "Bound" || phase == "Available") return Phase::Ready;
  if (phase == "Ready") return Phase::Ready;
  return phase == "Lost" || phase == "Failed" ? Phase::Stuck : Phase::Pending;
}

std::string cause(const std::string& reason, const std::string& message) {
  return reason.empty() || message.empty() ? reason + message : reason + ": " + message;
}

std::string parameters_text(const std::map<std::string, std::string>& parameters) {
  std::string text;
  for (const auto& [key, value] : parameters)
    text += (text.empty() ? "" : ",") + key + "=" + value;
  return text;
}

}  // namespace

std::string short_access_modes(const std::vector<std::string>& modes) {
  constexpr std::array<std::pair<const char*, const char*>, 4> names{{{"ReadWriteOnce", "RWO"},
                                                                      {"ReadOnlyMany", "ROX"},
                                                                      {"ReadWriteMany", "RWX"},
                                                                      {"ReadWriteOncePod", "RWOP"}}};
  std::string text;
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : ",") + word; };
  for (const auto& [name, word] : names) {
    if (std::find(modes.begin(), modes.end(), name) != modes.end()) add(word);
  }
  for (const std::string& mode : modes) {  // What a newer daemon may tell.
    if (std::none_of(names.begin(), names.end(), [&](const auto& name) { return mode == name.first; }))
      add(mode);
  }
  return text;
}

bool is_in_trouble(const ClaimStatus& claim) {
  return claim.phase != "Bound" && !(claim.phase == "Pending" && claim.reason == "WaitForFirstConsumer");
}

bool is_in_trouble(const PersistentVolumeStatus& volume) {
  return volume.phase == "Failed" || volume.attempts > 0;
}

bool is_in_trouble(const VolumeSnapshotStatus& snapshot) {
  return snapshot.phase != "Ready" && snapshot.phase != "Released";
}

std::string claim_table(const std::vector<ClaimStatus>& claims, bool with_namespace, bool is_wide) {
  std::vector<std::string> head;
  if (with_namespace) head.emplace_back("NAMESPACE");
  head.insert(head.end(), {"NAME", "STATUS", "VOLUME", "CAPACITY", "ACCESS MODES", "STORAGECLASS"});
  if (is_wide) head.insert(head.end(), {"VOLUMEMODE", "REASON", "MESSAGE"});
  Table table(head);
  for (const ClaimStatus& claim : claims) {
    std::vector<std::string> cells;
    if (with_namespace) cells.push_back(claim.name_space.str());
    const std::size_t painted = cells.size() + 1;
    cells.insert(cells.end(),
                 {claim.name.str(), claim.phase, claim.volume, claim.capacity,
                  short_access_modes(claim.access_modes), claim.storage_class.value_or(std::string())});
    if (is_wide) cells.insert(cells.end(), {claim.volume_mode, claim.reason, claim.message});
    table.row(std::move(cells), painted, color_of(claim.phase));
  }
  return table.text();
}

std::string persistent_volume_table(const std::vector<PersistentVolumeStatus>& volumes, bool is_wide) {
  std::vector<std::string> head{"NAME",   "CAPACITY", "ACCESS MODES", "RECLAIM POLICY",
                                "STATUS", "CLAIM",    "STORAGECLASS", "REASON"};
  if (is_wide) head.insert(head.end(), {"VOLUMEMODE", "SOURCE", "MESSAGE"});
  constexpr std::size_t status_column = 4;
  Table table(head);
  for (const PersistentVolumeStatus& volume : volumes) {
    std::vector<std::string> cells{
        volume.name.str(),     volume.capacity, short_access_modes(volume.access_modes),
        volume.reclaim_policy, volume.phase,    volume.claim,
        volume.storage_class,  volume.reason};
    if (is_wide) cells.insert(cells.end(), {volume.volume_mode, volume.source, volume.message});
    table.row(std::move(cells), status_column, color_of(volume.phase));
  }
  return table.text();
}

std::string storage_class_table(const std::vector<StorageClassStatus>& classes, bool is_wide) {
  std::vector<std::string> head{"NAME", "PROVISIONER", "RECLAIMPOLICY", "VOLUMEBINDINGMODE",
                                "ALLOWVOLUMEEXPANSION"};
  if (is_wide) head.insert(head.end(), {"PARAMETERS", "MANIFEST", "MESSAGE"});
  Table table(head);
  for (const StorageClassStatus& each : classes) {
    std::vector<std::string> cells{each.name.str() + (each.is_default ? " (default)" : ""), each.provisioner,
                                   each.reclaim_policy, each.binding_mode,
                                   each.allow_volume_expansion ? "true" : "false"};
    if (is_wide) {
      cells.insert(cells.end(), {parameters_text(each.parameters),
                                 each.origin.empty() ? "built in" : each.origin, each.message});
    }
    table.row(std::move(cells));
  }
  return table.text();
}

std::string snapshot_table(const std::vector<VolumeSnapshotStatus>& snapshots, bool with_namespace,
                           bool is_wide) {
  std::vector<std::string> head;
  if (with_namespace) head.emplace_back("NAMESPACE");
  head.insert(head.end(), {"NAME", "STATUS", "SOURCEPVC", "RESTORESIZE", "SNAPSHOTCLASS", "SNAPSHOTCONTENT",
                           "CREATIONTIME", "REASON"});
  if (is_wide) head.insert(head.end(), {"DRIVER", "HANDLE", "DELETIONPOLICY", "MESSAGE"});
  Table table(head);
  for (const VolumeSnapshotStatus& each : snapshots) {
    std::vector<std::string> cells;
    if (with_namespace) cells.push_back(each.name_space.str());
    const std::size_t painted = cells.size() + 1;
    cells.insert(cells.end(), {each.name.str(), each.phase, each.claim, each.restore_size,
                               each.snapshot_class, each.content, each.creation_time, each.reason});
    if (is_wide) cells.insert(cells.end(), {each.driver, each.handle, each.deletion_policy, each.message});
    table.row(std::move(cells), painted, color_of(each.phase));
  }
  return table.text();
}

std::string candidate_table(const std::vector<ClaimCandidate>& candidates) {
  Table table({"VOLUME", "WHY NOT"});
  for (const ClaimCandidate& candidate : candidates)
    table.row({candidate.volume, candidate.why_not.empty() ? "it fits" : candidate.why_not});
  return table.text();
}

std::string storage_trouble_table(const std::vector<ClaimStatus>& claims,
                                  const std::vector<PersistentVolumeStatus>& volumes,
                                  const std::vector<VolumeSnapshotStatus>& snapshots) {
  Table table({"STORAGE", "STATUS", "NEXT TRY", "CAUSE"});
  for (const ClaimStatus& claim : claims) {
    if (!is_in_trouble(claim)) continue;
    table.row({"pvc/" + claim.name_space.str() + "/" + claim.name.str(), claim.phase,
               next_try(claim.next_retry), cause(claim.reason, claim.message)},
              1, color_of(claim.phase));
  }
  for (const PersistentVolumeStatus& volume : volumes) {
    if (!is_in_trouble(volume)) continue;
    table.row({"pv/" + volume.name.str(), volume.phase, next_try(volume.next_retry),
               cause(volume.reason, volume.message)},
              1, color_of(volume.phase));
  }
  for (const VolumeSnapshotStatus& snapshot : snapshots) {
    if (!is_in_trouble(snapshot)) continue;
    table.row({"volumesnapshot/" + snapshot.name_space.str() + "/" + snapshot.name.str(), snapshot.phase,
               next_try(snapshot.next_retry), cause(snapshot.reason, snapshot.message)},
              1, color_of(snapshot.phase));
  }
  return table.is_empty() ? std::string() : table.text();
}

}  // namespace mooring::ctl
