#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/core.h"

namespace mooring::sim {

/// The ledger's file, which survives the core and reboots, and the thread that writes it: a transaction is on
/// disk a while after it was given, whole or not at all, and the core is told of it later still, or never.
class LedgerDisk {
 public:
  explicit LedgerDisk(Random& random) : random_(random) {}

  /// A new core: it is to be told what is on disk.
  void open() { is_to_be_read_ = true; }
  /// The core is gone; what was being written may be on disk or not.
  void lose_core();
  void begin(LedgerTransaction transaction);
  bool has_work() const { return is_to_be_read_ || writing_.has_value(); }
  /// Does one thing of the thread; what the core is told of it, if anything.
  std::optional<Event> work();

  const Ledger& ledger() const { return ledger_; }
  bool is_empty() const {
    return ledger_.claims.empty() && ledger_.volumes.empty() && ledger_.snapshots.empty();
  }
  /// The first rule that what is on disk ever broke; empty: none.
  const std::string& broken() const { return broken_; }

  std::uint64_t failure_one_in = 0;  ///< A write that nobody knows the end of; 0: never.

 private:
  void commit();
  void check_snapshots(const Ledger& before);

  Random& random_;
  Ledger ledger_;
  std::optional<LedgerTransaction> writing_;
  bool is_written_ = false;
  bool is_to_be_read_ = false;
  std::map<std::string, std::string> partners_;  ///< Of each claim that was ever bound, by uid.
  std::string broken_;
};

}  // namespace mooring::sim
