#include "ledger_disk.h"

#include <utility>

namespace mooring::sim {

void LedgerDisk::lose_core() {
  if (writing_ && !is_written_ && random_.chance(2)) commit();
  writing_.reset();
  is_to_be_read_ = false;
}

void LedgerDisk::begin(LedgerTransaction transaction) {
  if (writing_) broken_ = "a transaction was begun beside another";
  writing_ = std::move(transaction);
  is_written_ = false;
}

std::optional<Event> LedgerDisk::work() {
  if (is_to_be_read_) {
    is_to_be_read_ = false;
    return LedgerRead{ledger_};
  }
  if (!writing_) return std::nullopt;
  if (!is_written_ && failure_one_in != 0 && random_.chance(failure_one_in)) {
    if (random_.chance(2)) commit();
    writing_.reset();
    return LedgerRead{ledger_};
  }
  if (!is_written_) {
    commit();
    return std::nullopt;
  }
  const std::uint64_t sequence = writing_->sequence;
  writing_.reset();
  return LedgerWritten{sequence};
}

void LedgerDisk::commit() {
  const Ledger before = ledger_;
  apply(ledger_, writing_->changes);
  is_written_ = true;
  if (!broken_.empty()) return;
  for (const std::string& line : broken_rules(ledger_))
    broken_ = line;
  for (const auto& [key, row] : ledger_.claims) {
    if (!row.is_bound) continue;
    const auto partner = partners_.emplace(row.claim.uid, row.volume.str()).first;
    if (partner->second != row.volume.str())
      broken_ = "the claim " + key.text() + " had " + partner->second + " and has " + row.volume.str();
    const LedgerClaim* known = before.find(key);
    if (known != nullptr && known->is_bound && known->claim.uid == row.claim.uid &&
        row.capacity < known->capacity)
      broken_ = "the claim " + key.text() + " has less than it had";
  }
  check_snapshots(before);
}

/// The request stays what it was, and what a driver said of it is not forgotten.
void LedgerDisk::check_snapshots(const Ledger& before) {
  using State = LedgerSnapshot::State;
  for (const auto& [name, was] : before.snapshots) {
    const auto found = ledger_.snapshots.find(name);
    const bool may_go = was.state == State::Deleting || was.state == State::Released;
    if (found == ledger_.snapshots.end()) {
      if (!may_go) broken_ = name.str() + " is forgotten, and was " + to_string(was.state);
      continue;
    }
    const LedgerSnapshot& row = found->second;
    // Deleted in the same transaction, and begun anew for another one with its uid.
    if (was.state == State::Deleting && row.state == State::Making && row.handle.empty()) continue;
    if (row.snapshot != was.snapshot || row.uid != was.uid || row.driver != was.driver ||
        row.volume != was.volume || row.volume_handle != was.volume_handle ||
        row.parameters != was.parameters || row.is_retained != was.is_retained)
      broken_ = name.str() + " is asked for as another one";
    if (!was.handle.empty() && row.handle != was.handle)
      broken_ = name.str() + " was " + was.handle + ", and is " + row.handle;
    const bool goes_on = row.state == was.state || was.state == State::Making ||
                         (was.state == State::Ready && row.state != State::Making);
    if (!goes_on) broken_ = name.str() + " was " + to_string(was.state) + ", and is " + to_string(row.state);
  }
}

}  // namespace mooring::sim
