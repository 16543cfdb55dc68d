#pragma once

#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "binding/ledger.h"

namespace mooring {

inline ObjectKey claim_key(const std::string& name) {
  return {Namespace("default"), ObjectName(name)};
}

/// A claim that has a volume, or none if `volume` is empty.
inline LedgerClaim ledger_claim(const std::string& name, const std::string& volume = "") {
  LedgerClaim row;
  row.claim.key = claim_key(name);
  row.claim.uid = "uid-of-" + name;
  row.claim.access_modes = {manifest::AccessMode::ReadWriteOnce};
  row.claim.request = Quantity::parse("1Gi").value();
  row.volume = ObjectName(volume);
  row.is_bound = !volume.empty();
  if (row.is_bound) row.capacity = Quantity::parse("2Gi").value();
  return row;
}

/// A volume of a claim; of none if `claim` is empty.
inline LedgerVolume ledger_volume(const std::string& name, const std::string& claim,
                                  LedgerVolume::State state = LedgerVolume::State::Bound) {
  auto volume = std::make_shared<manifest::PersistentVolume>();
  volume->name = ObjectName(name);
  volume->capacity = Quantity::parse("2Gi").value();
  volume->access_modes = {manifest::AccessMode::ReadWriteOnce};
  volume->source = manifest::HostPathSource{"/srv/" + name, ""};
  if (!claim.empty()) volume->claim = manifest::ClaimReference{claim_key(claim), "uid-of-" + claim};
  LedgerVolume row;
  row.volume = std::move(volume);
  row.state = state;
  return row;
}

/// A snapshot that is ready.
inline LedgerSnapshot ledger_snapshot(const std::string& name) {
  LedgerSnapshot row;
  row.snapshot = claim_key(name);
  row.uid = "uid-of-" + name;
  row.state = LedgerSnapshot::State::Ready;
  row.driver = DriverName("d.example.com");
  row.volume = ObjectName("pv");
  row.volume_handle = "vol-1";
  row.handle = "snap-of-" + name;
  return row;
}

/// A claim and the volume that it has.
inline LedgerChanges bound_pair(const std::string& claim, const std::string& volume) {
  LedgerChanges changes;
  changes.claims[claim_key(claim)] = ledger_claim(claim, volume);
  changes.volumes[ObjectName(volume)] = ledger_volume(volume, claim);
  return changes;
}

inline bool is_same(const Ledger& one, const Ledger& other) {
  return one.claims == other.claims && one.volumes == other.volumes && one.snapshots == other.snapshots;
}

/// A directory of the test's own, gone with it.
class StateDirectory {
 public:
  StateDirectory() {
    std::string name = "/tmp/mooring-ledger-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~StateDirectory() { std::filesystem::remove_all(path_); }
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file() const { return path_ + "/claims.db"; }
  /// Runs SQL as a person would with sqlite3(1); false: it failed.
  bool run(const std::string& statement) const {
    sqlite3* database = nullptr;
    const bool is_done = sqlite3_open(file().c_str(), &database) == SQLITE_OK &&
                         sqlite3_exec(database, statement.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
    sqlite3_close(database);
    return is_done;
  }

 private:
  std::string path_;
};

}  // namespace mooring
