#include <fmt/format.h>

#include <algorithm>

#include "base/quote.h"
#include "claims.h"
#include "details.h"

namespace mooring::ctl {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string cause(const std::string& reason, const std::string& message) {
  return reason.empty() || message.empty() ? reason + message : reason + ": " + message;
}

std::string painted(const std::string& phase) {
  const bool is_good = phase == "Bound" || phase == "Available" || phase == "Ready";
  return is_good ? paint_good(clean(phase)) : paint_bad(clean(phase));
}

/// The lines on work that failed.
std::string tries(std::uint32_t attempts, const std::optional<WallTime>& next) {
  std::string out;
  if (attempts > 0) out += field("tries", fmt::format("{} failed", attempts));
  if (next) out += field("next try", next_try(next) + " (" + rfc3339(*next) + ")");
  return out;
}

std::string class_text(const ClaimStatus& claim) {
  if (!claim.storage_class) return "none: it names none, and there is no default";
  return claim.storage_class->empty() ? "none" : *claim.storage_class;
}

std::size_t count_of(const std::vector<ClaimStatus>& claims, const char* phase) {
  return static_cast<std::size_t>(
      std::count_if(claims.begin(), claims.end(), [&](const auto& claim) { return claim.phase == phase; }));
}

}  // namespace

std::string claim_advice(const ClaimStatus& claim) {
  if (!claim.action.empty()) return claim.action;
  if (claim.phase == "Bound") return "nothing";
  if (claim.phase == "Terminating") return "end the pods that use it; then it goes by itself";
  if (claim.phase == "Lost")
    return "remove the claim and make it anew: it gets another volume, and what the old one held is "
           "untouched";
  if (claim.reason == "WaitForFirstConsumer") return "nothing: it gets its volume when a pod uses it";
  if (claim.next_retry || claim.attempts > 0) return "remove the cause; Mooring tries again by itself";
  return "add a PersistentVolume that fits, or name a class whose provisioner this node has "
         "(mooringctl get sc)";
}

std::string claim_details(const ClaimStatus& claim) {
  std::string out =
      "claim " + clean(claim.name_space.str() + "/" + claim.name.str()) + ": " + painted(claim.phase) + "\n";
  const std::string why = cause(claim.reason, claim.message);
  if (!why.empty()) out += field(claim.phase == "Bound" ? "note" : "cause", why);
  out += tries(claim.attempts, claim.next_retry);
  if (claim.phase != "Bound" || !claim.action.empty()) out += field("what to do", claim_advice(claim));
  out += field("volume", claim.volume.empty() ? "none yet" : claim.volume);
  if (!claim.capacity.empty()) out += field("capacity", claim.capacity);
  out += field("asks for", claim.request + ", " + joined(claim.access_modes) +
                               (claim.volume_mode.empty() ? "" : ", " + claim.volume_mode));
  out += field("class", class_text(claim));
  out += field("used by", claim.users.empty() ? "no pod" : joined(claim.users));
  if (!claim.owner.empty()) out += field("owner", claim.owner);
  if (!claim.origin.empty() || claim.owner.empty())
    out += field("manifest", claim.origin.empty() ? "none holds it any more" : claim.origin);
  out += field("uid", claim.uid.empty() ? "none yet" : claim.uid);
  return out;
}

std::string persistent_volume_details(const PersistentVolumeStatus& volume) {
  std::string out = "volume " + clean(volume.name.str()) + ": " + painted(volume.phase) + "\n";
  const std::string why = cause(volume.reason, volume.message);
  const bool is_well = volume.phase == "Bound" || volume.phase == "Available";
  if (!why.empty()) out += field(is_well ? "note" : "cause", why);
  out += tries(volume.attempts, volume.next_retry);
  if (!volume.action.empty()) out += field("what to do", volume.action);
  out += field("claim", volume.claim.empty() ? "none" : volume.claim);
  out += field("capacity", volume.capacity);
  out += field("modes",
               joined(volume.access_modes) + (volume.volume_mode.empty() ? "" : ", " + volume.volume_mode));
  out += field("class", volume.storage_class.empty() ? "none" : volume.storage_class);
  out += field("reclaimed", volume.reclaim_policy);
  out += field("source", volume.source.empty() ? volume.plugin : volume.source);
  if (!volume.mount_options.empty()) out += field("options", joined(volume.mount_options));
  if (!volume.provisioner.empty()) out += field("made by", volume.provisioner);
  if (!volume.origin.empty() || volume.provisioner.empty())
    out += field("manifest", volume.origin.empty() ? "none holds it any more" : volume.origin);
  return out;
}

std::string storage_class_details(const StorageClassStatus& storage_class) {
  std::string out =
      "class " + clean(storage_class.name.str()) + (storage_class.is_default ? " (default)" : "") + "\n";
  if (!storage_class.message.empty()) out += field("problem", storage_class.message);
  out += field("made by", storage_class.provisioner);
  out += field("reclaims", storage_class.reclaim_policy);
  out += field("binds", storage_class.binding_mode);
  out += field("can grow", storage_class.allow_volume_expansion ? "yes" : "no");
  if (!storage_class.mount_options.empty()) out += field("options", joined(storage_class.mount_options));
  out += field("manifest", storage_class.origin.empty() ? "none: it is built in" : storage_class.origin);
  if (storage_class.parameters.empty()) return out;
  out += "  parameters:\n";
  for (const auto& [key, value] : storage_class.parameters)
    out += "    " + clean(key) + ": " + clean(value) + "\n";
  return out;
}

std::string snapshot_details(const VolumeSnapshotStatus& snapshot) {
  std::string out = "snapshot " + clean(snapshot.name_space.str() + "/" + snapshot.name.str()) + ": " +
                    painted(snapshot.phase) + "\n";
  const std::string why = cause(snapshot.reason, snapshot.message);
  if (!why.empty()) out += field(is_in_trouble(snapshot) ? "cause" : "note", why);
  out += tries(snapshot.attempts, snapshot.next_retry);
  if (!snapshot.action.empty()) out += field("what to do", snapshot.action);
  if (!snapshot.claim.empty()) out += field("claim", snapshot.claim);
  if (!snapshot.volume.empty()) out += field("volume", snapshot.volume);
  out += field("content", snapshot.content.empty() ? "none yet" : snapshot.content);
  if (!snapshot.driver.empty()) out += field("driver", snapshot.driver);
  if (!snapshot.handle.empty()) out += field("handle", snapshot.handle);
  if (!snapshot.creation_time.empty()) out += field("cut at", snapshot.creation_time);
  if (!snapshot.restore_size.empty()) out += field("restores to", snapshot.restore_size + " at least");
  out += field("class", snapshot.snapshot_class.empty() ? "none" : snapshot.snapshot_class);
  if (!snapshot.deletion_policy.empty()) out += field("deletion", snapshot.deletion_policy);
  out += field("manifest", snapshot.origin.empty() ? "none holds it any more" : snapshot.origin);
  out += field("uid", snapshot.uid.empty() ? "none yet" : snapshot.uid);
  return out;
}

std::string claim_story(const ClaimStatus& claim) {
  const std::string why = cause(claim.reason, claim.message);
  if (claim.phase == "Bound" && why.empty()) return {};
  return field("claim is", claim.phase + (why.empty() ? "" : ": " + why) + "; more: mooringctl -n " +
                               claim.name_space.str() + " explain pvc/" + claim.name.str());
}

std::string claim_counts(const std::vector<ClaimStatus>& claims) {
  std::string text = fmt::format("{} of {} claims bound", count_of(claims, "Bound"), claims.size());
  if (const std::size_t pending = count_of(claims, "Pending"); pending > 0)
    text += fmt::format(", {} pending", pending);
  if (const std::size_t lost = count_of(claims, "Lost"); lost > 0) text += fmt::format(", {} lost", lost);
  return text;
}

Json claim_counts_json(const std::vector<ClaimStatus>& claims) {
  return {{"total", claims.size()},
          {"bound", count_of(claims, "Bound")},
          {"pending", count_of(claims, "Pending")},
          {"lost", count_of(claims, "Lost")}};
}

}  // namespace mooring::ctl
