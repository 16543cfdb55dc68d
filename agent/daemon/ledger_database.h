#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "binding/ledger.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// The ledger in one SQLite file, `<state dir>/claims.db`, as docs/decisions/0026-sqlite-ledger.md has it:
///
///     claims      one row for each LedgerClaim, by namespace and name     (ClaimRow)
///     volumes     one row for each LedgerVolume, by name                  (VolumeRow)
///     snapshots   one row for each LedgerSnapshot, by name                (SnapshotRow)
///
/// Unique indices keep out what must never be, whoever writes: two claims that have one volume (but those
/// that are lost), and two volumes that are Provisioning or Bound for one claim.
/// application_id is "Moor", user_version the version of these tables: 2. A file of version 1, which knew no
/// snapshots, becomes one of version 2 when it is opened, with all that it holds.
///
/// Every call may wait for the disk. Errors, but for those of each call:
///     LedgerDamaged (Final)      not what Mooring wrote; it is never changed, nor removed
///     LedgerBusy (Transient)     another process has the file
///     LedgerFailed (Transient)   the disk, or the directory, says no: errno says why
class LedgerDatabase {
 public:
  /// Opens the file, or makes it (0600) with its directory. Nobody else can while this is open. All that it
  /// holds is on the disk then, also what a process wrote that died before it knew.
  /// "LedgerForeign" and "LedgerTooNew" (Final): another program's, or a later Mooring's; unchanged.
  static Result<LedgerDatabase> open(const std::string& state_dir);

  /// All rows.
  Result<Ledger> read();
  /// All of the changes, on the disk when it returns. After an error nobody knows what is on the disk, and
  /// this must be closed and opened again. "LedgerConflict" (Final): an index keeps it out;
  /// "LedgerUnwritable": see encode_row().
  Result<void> write(const LedgerChanges& changes);

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  LedgerDatabase(std::string path, kernel::Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  Result<void> connect();
  Result<void> make_tables();
  Result<void> check_version();
  Result<void> settle();
  Result<void> upgrade();
  Result<void> remove(const char* statement, const std::vector<std::string>& key);
  template <class Key, class Entry>
  Result<void> insert(const std::map<Key, std::optional<Entry>>& changes, const char* statement);
  Result<void> run(const char* statement);
  Result<std::string> ask(const char* query);
  Error error_of(int code) const;

  std::string path_;
  /// Of the file itself. Closed after the connection: closing any descriptor of a file ends the process'
  /// record locks on it (fcntl(2)), which SQLite works with.
  kernel::Descriptor lock_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace mooring
