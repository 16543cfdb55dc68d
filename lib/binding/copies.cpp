#include "binding/copies.h"

#include <utility>

#include "base/quote.h"
#include "binding/snapshots.h"

namespace mooring {
namespace {

using manifest::CsiSource;
using manifest::PersistentVolumeClaim;

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

Result<CsiContentSource> restored(const Draft& draft, const PersistentVolumeClaim& claim,
                                  const std::string& driver) {
  const ObjectKey key{claim.key.name_space, ObjectName(claim.data_source->name)};
  const auto snapshot = draft.objects().find_snapshot(key);
  if (snapshot == nullptr) return unavailable(claim, "which is not there", "make it first");
  if (snapshot->is_being_deleted) return unavailable(claim, "which is being deleted", "name another one");
  const auto found = usable_snapshot(draft.ledger(), draft.objects(), *snapshot);
  if (!found) return unavailable(claim, found.error().message, found.error().remedy);
  if (found.value().driver.str() != driver) return of_other_driver(claim, driver);
  MOORING_TRY(check_room(claim, found.value().restore_size));
  return CsiContentSource{CsiContentSource::Kind::Snapshot, found.value().handle};
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

CsiContentSource source_in_use(const LedgerVolume& row) {
  const auto said = [&](const char* name) {
    const auto found = row.parameters.find(name);
    return found == row.parameters.end() ? std::string() : found->second;
  };
  const bool is_open = row.state == LedgerVolume::State::Provisioning || said("handle").empty();
  if (!is_of_driver(row) || !is_open) return {};
  if (std::string id = said("snapshot"); !id.empty())
    return {CsiContentSource::Kind::Snapshot, std::move(id)};
  if (std::string id = said("volume"); !id.empty()) return {CsiContentSource::Kind::Volume, std::move(id)};
  return {};
}

}  // namespace mooring
