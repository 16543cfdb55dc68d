#include "binding/copies.h"

#include <memory>

#include "base/quote.h"

namespace mooring {
namespace {

using manifest::CsiSource;
using manifest::PersistentVolumeClaim;
using manifest::VolumeSnapshot;
using manifest::VolumeSnapshotContent;

Error unavailable(const PersistentVolumeClaim& claim, const std::string& what, std::string remedy) {
  return refusal("DataSourceUnavailable",
                 "claim " + claim.key.text() + " asks for a copy of the " + claim.data_source->kind + " " +
                     quoted_if_needed(claim.data_source->name) + ", " + what,
                 std::move(remedy));
}

/// The space that a copy needs at least.
Result<void> check_room(const PersistentVolumeClaim& claim, const Quantity& needed) {
  if (!(claim.request < needed)) return success();
  return unavailable(claim, "which needs " + needed.text() + ", and for " + claim.request.text(),
                     "raise spec.resources.requests.storage");
}

Error of_other_driver(const PersistentVolumeClaim& claim, const std::string& driver) {
  return unavailable(claim, "which is not the driver " + quoted_if_needed(driver) + "'s",
                     "use a StorageClass of the driver that has it");
}

Result<CsiContentSource> clone_of(const Draft& draft, const PersistentVolumeClaim& claim,
                                  const std::string& driver) {
  const ObjectKey key{claim.key.name_space, ObjectName(claim.data_source->name)};
  const LedgerClaim* row = draft.find(key);
  if (row == nullptr) return unavailable(claim, "which is not there", "make it first");
  const LedgerVolume* volume = row->is_bound ? draft.find(row->volume) : nullptr;
  if (volume == nullptr || row->is_being_deleted || row->is_lost)
    return unavailable(claim, "which has no volume", "see to that claim first");
  const auto* source = std::get_if<CsiSource>(&volume->volume->source);
  if (source == nullptr || source->driver != driver) return of_other_driver(claim, driver);
  if (volume->volume->volume_mode != claim.volume_mode)
    return unavailable(claim, "which has another volumeMode", "ask for the same");
  MOORING_TRY(check_room(claim, volume->volume->capacity));
  return CsiContentSource{CsiContentSource::Kind::Volume, source->volume_handle};
}

/// The content of a snapshot: what it names, or what names it.
std::shared_ptr<const VolumeSnapshotContent> content_of(const ObjectStore& objects, const ObjectKey& key,
                                                        const VolumeSnapshot& snapshot) {
  const auto is_its = [&](const VolumeSnapshotContent& content) {
    const bool is_same = content.snapshot_uid.empty() || content.snapshot_uid == snapshot.uid;
    return content.snapshot == key && is_same;
  };
  if (!snapshot.content.empty()) {
    auto content = objects.find_snapshot_content(snapshot.content);
    return content != nullptr && is_its(*content) ? content : nullptr;
  }
  for (const ObjectName& name : objects.snapshot_contents()) {
    auto content = objects.find_snapshot_content(name);
    if (content != nullptr && is_its(*content)) return content;
  }
  return nullptr;
}

Result<CsiContentSource> restored(const Draft& draft, const PersistentVolumeClaim& claim,
                                  const std::string& driver) {
  const ObjectKey key{claim.key.name_space, ObjectName(claim.data_source->name)};
  const auto snapshot = draft.objects().find_snapshot(key);
  if (snapshot == nullptr) return unavailable(claim, "which is not there", "make it first");
  const auto content = content_of(draft.objects(), key, *snapshot);
  if (content == nullptr || snapshot->is_being_deleted)
    return unavailable(claim, "which is bound to no VolumeSnapshotContent", "see to that snapshot first");
  if (content->driver != driver) return of_other_driver(claim, driver);
  // One that somebody else made is as ready as it will ever be: nobody here keeps its status.
  const bool was_made = !content->volume_handle.empty();
  if (content->snapshot_handle.empty() || (was_made && !content->is_ready))
    return unavailable(claim, "which is not ready to use", "");
  if (content->restore_size) {
    MOORING_TRY(check_room(claim, *content->restore_size));
  }
  return CsiContentSource{CsiContentSource::Kind::Snapshot, content->snapshot_handle};
}

}  // namespace

Result<CsiContentSource> content_source_of(const Draft& draft, const PersistentVolumeClaim& claim,
                                           const std::string& driver) {
  if (!claim.data_source) return CsiContentSource{};
  const manifest::DataSource& source = *claim.data_source;
  if (!source.name_space.empty() && source.name_space != claim.key.name_space.str())
    return unavailable(claim, "which is of another namespace", "copy what is of the claim's own");
  if (source.is_claim()) return clone_of(draft, claim, driver);
  if (source.is_snapshot()) return restored(draft, claim, driver);
  return unavailable(
      claim, "which nobody here can copy",
      "name a PersistentVolumeClaim, or a VolumeSnapshot of the group snapshot.storage.k8s.io");
}

}  // namespace mooring
