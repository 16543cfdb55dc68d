#include "daemon/ledger_database.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "daemon/directory_lock.h"
#include "daemon/ledger_statement.h"

namespace mooring {
namespace {

/// The tables as they were first, version 1...
constexpr const char* first_tables = R"sql(
CREATE TABLE claims (
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  uid TEXT NOT NULL,
  volume TEXT,
  is_bound INTEGER NOT NULL,
  was_chosen INTEGER NOT NULL,
  capacity TEXT NOT NULL,
  is_being_deleted INTEGER NOT NULL,
  is_lost INTEGER NOT NULL,
  owner_kind TEXT NOT NULL,
  owner_namespace TEXT NOT NULL,
  owner_name TEXT NOT NULL,
  owner_uid TEXT NOT NULL,
  delete_when_deleted INTEGER NOT NULL,
  delete_when_scaled INTEGER NOT NULL,
  claim TEXT NOT NULL,
  PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE volumes (
  name TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL
    CHECK (state IN ('Provisioning', 'Available', 'Bound', 'Released', 'Deleting', 'Recycling', 'Failed')),
  claim_namespace TEXT,
  claim_name TEXT,
  claim_uid TEXT,
  was_chosen INTEGER NOT NULL,
  provisioner TEXT NOT NULL,
  parameters TEXT NOT NULL,
  made_capacity TEXT NOT NULL,
  message TEXT NOT NULL,
  volume TEXT NOT NULL,
  CHECK (state NOT IN ('Provisioning', 'Bound') OR (claim_name IS NOT NULL AND claim_uid IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_claim_of_a_volume ON claims (volume) WHERE volume IS NOT NULL AND NOT is_lost;
CREATE UNIQUE INDEX one_volume_of_a_claim ON volumes (claim_namespace, claim_name)
  WHERE state IN ('Provisioning', 'Bound');
PRAGMA application_id = 1299148658;
)sql";
/// ...and what version 2 has besides. It is all that a file of version 1 lacks.
constexpr const char* snapshot_table = R"sql(
CREATE TABLE snapshots (
  name TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  uid TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('Making', 'Ready', 'Released', 'Deleting')),
  driver TEXT NOT NULL,
  volume TEXT NOT NULL,
  volume_handle TEXT NOT NULL,
  class TEXT NOT NULL,
  is_retained INTEGER NOT NULL,
  parameters TEXT NOT NULL,
  secret_namespace TEXT,
  secret_name TEXT,
  handle TEXT,
  restore_size TEXT NOT NULL,
  creation_time TEXT NOT NULL,
  message TEXT NOT NULL,
  CHECK (state NOT IN ('Ready', 'Released') OR handle IS NOT NULL)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
)sql";
constexpr const char* application_id = "1299148658";  // "Moor".
constexpr int schema_version = 2;

Error failed(const char* what, const std::string& path, int errno_value) {
  Error error = system_error(ErrorKind::Transient, "LedgerFailed", what, path, errno_value);
  error.remedy = "the state directory must be there, writable and have space: no claim is bound without it";
  return error;
}

Error damaged(const std::string& path, const std::string& why) {
  Error error =
      refusal("LedgerDamaged", "the ledger of claims is damaged: " + why,
              "stop mooringd, copy " + path +
                  "* aside, then put a backup back or mend a copy (sqlite3 FILE .recover); only if the "
                  "bindings of claims may be forgotten, move the files away");
  error.path = path;
  return error;
}

/// What is in the directory is there after a power cut too.
Result<void> sync_directory(const std::string& path) {
  const kernel::Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || fsync(directory.get()) != 0) return failed("cannot sync the directory", path, errno);
  return success();
}

Result<void> make_directory(const std::string& path) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem)) return success();
  const std::string parent = std::filesystem::path(path).parent_path().string();
  std::filesystem::create_directories(parent, problem);
  if (problem) return failed("cannot make the state directory", path, problem.value());
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return failed("cannot make the state directory", path, errno);
  return sync_directory(parent);
}

}  // namespace

Result<LedgerDatabase> LedgerDatabase::open(const std::string& state_dir) {
  const std::string path = state_dir + "/claims.db";
  MOORING_TRY(make_directory(state_dir));
  struct stat about {};
  if (lstat(path.c_str(), &about) != 0) {
    if (errno != ENOENT) return failed("cannot look at the ledger", path, errno);
    // A log without its file: SQLite would play it into the new one.
    if (lstat((path + "-wal").c_str(), &about) == 0 && about.st_size > 0)
      return damaged(path, "the file is missing, and its log claims.db-wal is there");
    // Made whole beside it, and then renamed: a file of this name that has nothing in it is a damaged one.
    const std::string beside = path + ".new";
    for (const char* suffix : {"", "-journal", "-wal", "-shm"})
      unlink((beside + suffix).c_str());
    const kernel::Descriptor file(
        ::open(beside.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return failed("cannot make the ledger", path, errno);
    LedgerDatabase fresh(beside, {});
    MOORING_TRY(fresh.connect());
    MOORING_TRY(fresh.make_tables());
    fresh.database_.reset();
    if (rename(beside.c_str(), path.c_str()) != 0) return failed("cannot make the ledger", path, errno);
    MOORING_TRY(sync_directory(state_dir));
  }
  kernel::Descriptor lock(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!lock || fstat(lock.get(), &about) != 0) return failed("cannot open the ledger", path, errno);
  if (!S_ISREG(about.st_mode)) return damaged(path, "it is no file");
  if (about.st_size == 0) return damaged(path, "the file is empty");
  if (!lock_directory(lock.get())) {
    if (errno != EWOULDBLOCK) return failed("cannot lock the ledger", path, errno);
    Error busy = refusal("LedgerBusy", "another mooringd has the ledger of claims",
                         "end it first, or give this one another --state-dir");
    busy.kind = ErrorKind::Transient;
    busy.path = path;
    return busy;
  }
  LedgerDatabase database(path, std::move(lock));
  MOORING_TRY(database.connect());
  MOORING_TRY(database.check_version());
  if ((about.st_mode & 0027) != 0 && fchmod(database.lock_.get(), about.st_mode & 0750) != 0)
    return failed("cannot keep others from the ledger", path, errno);
  MOORING_TRY(database.settle());
  MOORING_TRY(database.upgrade());
  return database;
}

Result<void> LedgerDatabase::connect() {
  sqlite3* database = nullptr;
  const int code =
      sqlite3_open_v2(path_.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(database);
  if (code != SQLITE_OK) return error_of(code);
  sqlite3_extended_result_codes(database, 1);
  constexpr int patience_ms = 5000;  // For a person who looks at it with sqlite3(1).
  sqlite3_busy_timeout(database, patience_ms);
  return run("PRAGMA synchronous = EXTRA");
}

Result<void> LedgerDatabase::make_tables() {
  MOORING_TRY(run("BEGIN IMMEDIATE"));
  MOORING_TRY(run(first_tables));
  MOORING_TRY(run(snapshot_table));
  return run("COMMIT");
}

/// Adds what a file of an earlier version lacks; its rows stay as they are. A crash before the end leaves the
/// earlier version.
Result<void> LedgerDatabase::upgrade() {
  MOORING_TRY(run("BEGIN IMMEDIATE"));
  MOORING_TRY(const std::string version, ask("PRAGMA user_version"));
  if (version == "1") {
    MOORING_TRY(run(snapshot_table));
  }
  return run("COMMIT");
}

/// Changes nothing: the file may be anybody's.
Result<void> LedgerDatabase::check_version() {
  MOORING_TRY(const std::string application, ask("PRAGMA application_id"));
  if (application != application_id) {
    Error error =
        refusal("LedgerForeign", "the file is a database of another program, and no ledger of claims",
                "move it away, or give mooringd another --state-dir");
    error.path = path_;
    return error;
  }
  MOORING_TRY(const std::string version, ask("PRAGMA user_version"));
  const long long number = std::stoll(version);
  if (number >= 1 && number <= schema_version) return success();
  if (number < schema_version) return damaged(path_, "its tables have the version " + version);
  Error error = refusal("LedgerTooNew",
                        "the ledger of claims has the version " + version +
                            ", and this mooringd knows up to " + std::to_string(schema_version),
                        "run the version of Mooring that wrote it, or a later one");
  error.path = path_;
  return error;
}

Result<void> LedgerDatabase::settle() {
  MOORING_TRY(run("PRAGMA journal_mode = WAL"));
  // What a process that was killed has written may still be in memory only. It is read and acted upon now, so
  // it must be on the disk first: the log goes into the file, and the file is synced.
  MOORING_TRY(const std::string is_busy, ask("PRAGMA wal_checkpoint(FULL)"));
  if (is_busy != "0") return error_of(SQLITE_BUSY);
  MOORING_TRY(const std::string found, ask("PRAGMA quick_check(1)"));
  if (found != "ok") return damaged(path_, found);
  return success();
}

Result<Ledger> LedgerDatabase::read() {
  Ledger ledger;
  MOORING_TRY(run("BEGIN"));
  const auto as_damaged = [&](const Error& error) { return damaged(path_, error.message); };
  Statement claims(database_.get(), select_claims);
  while (claims.step() == SQLITE_ROW) {
    Result<LedgerClaim> claim = decode_row(claims.claim_row());
    if (!claim) return as_damaged(claim.error());
    const ObjectKey key = claim.value().claim.key;
    ledger.claims.emplace(key, std::move(claim).value());
  }
  if (claims.code() != SQLITE_DONE) return error_of(claims.code());
  Statement volumes(database_.get(), select_volumes);
  while (volumes.step() == SQLITE_ROW) {
    Result<LedgerVolume> volume = decode_row(volumes.volume_row());
    if (!volume) return as_damaged(volume.error());
    const ObjectName name = volume.value().volume->name;
    ledger.volumes.emplace(name, std::move(volume).value());
  }
  if (volumes.code() != SQLITE_DONE) return error_of(volumes.code());
  Statement snapshots(database_.get(), select_snapshots);
  while (snapshots.step() == SQLITE_ROW) {
    Result<LedgerSnapshot> snapshot = decode_row(snapshots.snapshot_row());
    if (!snapshot) return as_damaged(snapshot.error());
    const ObjectName name = content_name(snapshot.value());
    ledger.snapshots.emplace(name, std::move(snapshot).value());
  }
  if (snapshots.code() != SQLITE_DONE) return error_of(snapshots.code());
  MOORING_TRY(run("COMMIT"));
  return ledger;
}

Result<void> LedgerDatabase::write(const LedgerChanges& changes) {
  MOORING_TRY(run("BEGIN IMMEDIATE"));
  // First all that goes: an index must not see the old row of one beside the new row of another.
  for (const auto& change : changes.claims) {
    MOORING_TRY(remove(delete_claim, {change.first.name_space.str(), change.first.name.str()}));
  }
  for (const auto& change : changes.volumes) {
    MOORING_TRY(remove(delete_volume, {change.first.str()}));
  }
  for (const auto& change : changes.snapshots) {
    MOORING_TRY(remove(delete_snapshot, {change.first.str()}));
  }
  MOORING_TRY(insert(changes.claims, insert_claim));
  MOORING_TRY(insert(changes.volumes, insert_volume));
  MOORING_TRY(insert(changes.snapshots, insert_snapshot));
  return run("COMMIT");
}

Result<void> LedgerDatabase::remove(const char* statement, const std::vector<std::string>& key) {
  Statement remove(database_.get(), statement);
  for (const std::string& part : key)
    remove.bind_all(part);
  if (remove.step() != SQLITE_DONE) return error_of(remove.code());
  return success();
}

/// The rows of the changes that stay.
template <class Key, class Entry>
Result<void> LedgerDatabase::insert(const std::map<Key, std::optional<Entry>>& changes,
                                    const char* statement) {
  for (const auto& [key, entry] : changes) {
    if (!entry) continue;
    MOORING_TRY(const auto row, encode_row(key, *entry));
    Statement insert(database_.get(), statement);
    insert.bind(row);
    if (insert.step() != SQLITE_DONE) return error_of(insert.code());
  }
  return success();
}

Result<void> LedgerDatabase::run(const char* statement) {
  const int code = sqlite3_exec(database_.get(), statement, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code);
  return success();
}

Result<std::string> LedgerDatabase::ask(const char* query) {
  Statement statement(database_.get(), query);
  if (statement.step() != SQLITE_ROW) return error_of(statement.code());
  return statement.text(0);
}

Error LedgerDatabase::error_of(int code) const {
  const std::string what = database_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database_.get());
  const int errno_value = database_ == nullptr ? 0 : sqlite3_system_errno(database_.get());
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR:  // A table or a column is missing.
    case SQLITE_MISMATCH:
      return damaged(path_, what);
    case SQLITE_CONSTRAINT: {
      Error error =
          refusal("LedgerConflict", "the ledger of claims keeps out a change: " + what,
                  "this is a mistake in Mooring: report it with what mooringctl get pv,pvc -A shows");
      error.path = path_;
      return error;
    }
    case SQLITE_BUSY:
    case SQLITE_LOCKED: {
      Error error = refusal("LedgerBusy", "another process has the ledger of claims locked: " + what,
                            "end it (a sqlite3 with an open transaction?)");
      error.kind = ErrorKind::Transient;
      error.path = path_;
      return error;
    }
    default:
      break;
  }
  const int cause = (code & 0xFF) == SQLITE_FULL ? ENOSPC : errno_value;
  return failed(("the ledger of claims cannot be read or written: " + what).c_str(), path_, cause);
}

}  // namespace mooring
