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
}

}  // namespace mooring::sim
