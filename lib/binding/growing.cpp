#include <algorithm>
#include <cstdint>

#include "base/quote.h"
#include "binding/draft.h"
#include "binding/words.h"
#include "facts/csi_growth.h"

// Claims and their volumes grow (kubelet-behaviours 1.2, 19).

namespace mooring {
namespace {

using manifest::PersistentVolume;
using State = LedgerVolume::State;

constexpr const char* request_field = "spec.resources.requests.storage";

/// Why the volume may not get larger than it is; empty: it may.
std::string hindrance_of(const Draft& draft, const LedgerVolume& volume) {
  if (volume.provisioner.empty()) {
    return "its volume " + volume.volume->name.str() + " has " + volume.volume->capacity.text() +
           ", and is grown by whoever made it: raise spec.capacity in its manifest then";
  }
  if (draft.world().provisioners.find(volume.provisioner) == nullptr)
    return is_of_driver(volume)
               ? "its driver " + quoted(volume.provisioner) + " is not registered now"
               : "its provisioner " + quoted(volume.provisioner) + " is not configured any more";
  const std::string& name = volume.volume->storage_class;
  const auto storage_class = find_class(draft.objects(), name);
  if (storage_class == nullptr) return "its class " + quoted(name) + " is not there";
  if (!storage_class->allow_volume_expansion)
    return "its class " + quoted(name) + " has not allowVolumeExpansion: true";
  return {};
}

/// The claim asks for more, or less, than it was given.
void follow_request(Draft& draft, const ObjectKey& key, const Quantity& wanted) {
  const LedgerClaim& row = *draft.find(key);
  const LedgerVolume& volume = *draft.find(row.volume);
  const std::string change =
      std::string(request_field) + " " + wanted.text() + " instead of " + row.claim.request.text() + ": ";
  if (wanted < row.claim.request) {
    draft.say(key, {"SpecChangeIgnored", change + "field can not be less than previous value",
                    "write the former value again", true});
    return;
  }
  const bool has_room = !(volume.volume->capacity < wanted);
  const std::string hindrance = has_room ? std::string() : hindrance_of(draft, volume);
  if (!hindrance.empty()) {
    draft.say(key, {"VolumeResizeForbidden", change + hindrance,
                    "write the former value again, or allow it there", true});
    return;
  }
  draft.change(key).claim.request = wanted;
  if (has_room) return;
  LedgerVolume& grown = draft.change(row.volume);
  auto copy = std::make_shared<PersistentVolume>(*grown.volume);
  copy->capacity = wanted;
  grown.volume = std::move(copy);
  grown.message.clear();
  draft.tell(false, "Resizing", event_object(key),
             "its volume " + row.volume.str() + " grows to " + wanted.text());
}

/// True if the volume has its new size only when the node has done its part, which it does when a pod uses
/// it: its file system grows, or its driver says so.
bool grows_with_use(const PersistentVolume& volume) {
  const auto* csi = std::get_if<manifest::CsiSource>(&volume.source);
  if (csi == nullptr) return false;
  if (csi->driver == manifest::block_driver) return volume.volume_mode == manifest::VolumeMode::Filesystem;
  const auto said = volume.annotations.find(node_expansion);
  return said != volume.annotations.end() && said->second == node_expansion_required;
}

bool has_grown(const Draft& draft, const PersistentVolume& volume, const Quantity& capacity) {
  if (!grows_with_use(volume)) return true;
  const auto staged = draft.world().staged_bytes.find(volume.name);
  return staged != draft.world().staged_bytes.end() &&
         staged->second >= static_cast<std::uint64_t>(std::max<std::int64_t>(capacity.rounded_up(), 0));
}

/// The node has done its part for the driver: from now on nothing waits for that.
void note_node_growth(Draft& draft, const ObjectName& name) {
  LedgerVolume& row = draft.change(name);
  if (!is_of_driver(row)) return;
  auto volume = std::make_shared<PersistentVolume>(*row.volume);
  volume->annotations[node_expansion] = node_expansion_done;
  row.volume = std::move(volume);
}

/// What users can rely on follows what was made.
void follow_capacity(Draft& draft, const ObjectKey& key) {
  const LedgerClaim& row = *draft.find(key);
  const LedgerVolume& volume = *draft.find(row.volume);
  const Quantity& made = volume.provisioner.empty() ? volume.volume->capacity : volume.made_capacity;
  if (made > row.capacity) {
    if (has_grown(draft, *volume.volume, made)) {
      const bool is_by_node = grows_with_use(*volume.volume);
      const char* reason = is_by_node ? "FileSystemResizeSuccessful" : "VolumeResizeSuccessful";
      draft.change(key).capacity = made;
      if (is_by_node) note_node_growth(draft, row.volume);
      draft.tell(false, reason, event_object(key), "it has " + made.text() + " now");
    } else {
      draft.say(
          key, {"FileSystemResizePending",
                "its volume has " + made.text() + "; its file system follows when a pod uses it", "", false});
    }
  }
  if (volume.provisioner.empty() || !(volume.volume->capacity > volume.made_capacity)) return;
  if (volume.message.empty()) {
    draft.say(key,
              {"Resizing", "its volume " + row.volume.str() + " grows to " + volume.volume->capacity.text(),
               "", false});
  } else {
    draft.say(key, {"VolumeResizeFailed", volume.message, "", true});
  }
}

}  // namespace

void grow_claims(Draft& draft) {
  for (const ObjectKey& key : draft.claims()) {
    const LedgerClaim& row = *draft.find(key);
    if (!row.is_bound) continue;
    const LedgerVolume* volume = draft.find(row.volume);
    if (volume == nullptr || volume->state != State::Bound) continue;
    const auto manifest = draft.objects().find_claim(key);
    const bool is_its = manifest != nullptr && !row.is_being_deleted && !manifest->is_being_deleted;
    if (is_its && manifest->request != row.claim.request) follow_request(draft, key, manifest->request);
    follow_capacity(draft, key);
  }
}

}  // namespace mooring
