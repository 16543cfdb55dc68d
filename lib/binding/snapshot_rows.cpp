#include <algorithm>
#include <utility>

#include "base/quote.h"
#include "binding/snapshots.h"

// Snapshots as they are written down, and what they stand for.

namespace mooring {

using manifest::VolumeSnapshot;
using manifest::VolumeSnapshotContent;
using State = LedgerSnapshot::State;

ObjectName content_name(const LedgerSnapshot& row) {
  return ObjectName("snapcontent-" + row.uid);
}

const char* to_string(LedgerSnapshot::State state) {
  switch (state) {
    case State::Making:
      return "Making";
    case State::Ready:
      return "Ready";
    case State::Released:
      return "Released";
    case State::Deleting:
      break;
  }
  return "Deleting";
}

ProvisionWork work_of(const LedgerSnapshot& row) {
  CsiVolume volume;
  volume.driver = row.driver;
  volume.handle = row.volume_handle;
  // The name that external-snapshotter gives: the same name is the same snapshot, for ever.
  CsiSnapshotRequest request{"snapshot-" + row.uid, row.parameters};
  switch (row.state) {
    case State::Making:
      return {
          {CreateCsiSnapshot{std::move(volume), std::move(request), {}}}, Lane::Own, row.driver, row.secret};
    case State::Deleting:
      return {{DeleteCsiSnapshot{std::move(volume), row.handle, std::move(request), {}}},
              Lane::Own,
              row.driver,
              row.secret};
    case State::Ready:
    case State::Released:
      break;
  }
  return {};
}

std::string event_object(const LedgerSnapshot& row) {
  return "volumesnapshot/" + row.snapshot.text();
}

bool is_of(const LedgerSnapshot& row, const VolumeSnapshot& snapshot) {
  return row.snapshot == snapshot.key && !snapshot.is_being_deleted && !snapshot.claim.empty() &&
         (snapshot.uid.empty() || snapshot.uid == row.uid);
}

bool is_live(const LedgerSnapshot& row) {
  return row.state == State::Making || row.state == State::Ready;
}

const LedgerSnapshot* row_of(const LedgerSnapshots& rows, const VolumeSnapshot& snapshot) {
  const auto is_its = [&](const auto& entry) { return is_of(entry.second, snapshot); };
  const auto live =
      std::find_if(rows.begin(), rows.end(), [&](const auto& e) { return is_its(e) && is_live(e.second); });
  if (live != rows.end()) return &live->second;
  const auto other = std::find_if(rows.begin(), rows.end(), is_its);
  return other == rows.end() ? nullptr : &other->second;
}

std::shared_ptr<const VolumeSnapshotContent> content_of(const ObjectStore& objects,
                                                        const VolumeSnapshot& snapshot) {
  const auto is_its = [&](const VolumeSnapshotContent& content) {
    const bool is_same = content.snapshot_uid.empty() || content.snapshot_uid == snapshot.uid;
    return content.snapshot == snapshot.key && is_same && !content.is_being_deleted;
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

Result<UsableSnapshot> usable_snapshot(const Ledger& ledger, const ObjectStore& objects,
                                       const VolumeSnapshot& snapshot) {
  const auto unusable = [](const char* reason, const std::string& what, const char* remedy) {
    Error error = refusal(reason, what, remedy);
    error.kind = ErrorKind::Transient;
    return error;
  };
  const LedgerSnapshot* row = row_of(ledger.snapshots, snapshot);
  if (row != nullptr && row->state == State::Ready)
    return UsableSnapshot{row->driver, row->handle, row->restore_size};
  const auto content = row == nullptr ? content_of(objects, snapshot) : nullptr;
  if (content == nullptr && !snapshot.content.empty())
    return unusable("SnapshotContentMissing",
                    "whose VolumeSnapshotContent " + quoted_if_needed(snapshot.content.str()) +
                        " is not there, or is another snapshot's",
                    "put its manifest there, with this snapshot as its volumeSnapshotRef");
  // One that somebody else made is as ready as it will ever be: nobody here keeps its status.
  const bool is_made_elsewhere = content != nullptr && !content->volume_handle.empty();
  if (content == nullptr || content->snapshot_handle.empty() || (is_made_elsewhere && !content->is_ready))
    return unusable("SnapshotNotReady", "which is not ready to use", "");
  return UsableSnapshot{DriverName(content->driver), content->snapshot_handle,
                        content->restore_size.value_or(Quantity())};
}

std::set<ObjectName> volumes_being_cut(const LedgerSnapshots& rows) {
  std::set<ObjectName> volumes;
  for (const auto& [name, row] : rows) {
    // Also of one that is to be deleted whose handle nobody knows: it is asked for once more.
    const bool is_asked_for =
        row.state == State::Making || (row.state == State::Deleting && row.handle.empty());
    if (is_asked_for) volumes.insert(row.volume);
  }
  return volumes;
}

}  // namespace mooring
