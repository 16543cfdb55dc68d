#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

#include "daemon/ledger_rows.h"

namespace mooring {

// The statements of LedgerDatabase, with the columns in the order in which bind() and ..._row() have them.

inline constexpr const char* select_claims =
    "SELECT namespace, name, uid, volume, is_bound, was_chosen, capacity, is_being_deleted, is_lost, "
    "owner_kind, "
    "owner_namespace, owner_name, owner_uid, delete_when_deleted, delete_when_scaled, claim FROM claims";
inline constexpr const char* insert_claim =
    "INSERT INTO claims (namespace, name, uid, volume, is_bound, was_chosen, capacity, is_being_deleted, "
    "is_lost, "
    "owner_kind, owner_namespace, owner_name, owner_uid, delete_when_deleted, delete_when_scaled, claim) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr const char* delete_claim = "DELETE FROM claims WHERE namespace = ? AND name = ?";
inline constexpr const char* select_volumes =
    "SELECT name, state, claim_namespace, claim_name, claim_uid, was_chosen, provisioner, parameters, "
    "made_capacity, "
    "message, volume FROM volumes";
inline constexpr const char* insert_volume =
    "INSERT INTO volumes (name, state, claim_namespace, claim_name, claim_uid, was_chosen, provisioner, "
    "parameters, "
    "made_capacity, message, volume) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr const char* delete_volume = "DELETE FROM volumes WHERE name = ?";

inline constexpr const char* select_snapshots =
    "SELECT name, namespace, snapshot, uid, state, driver, volume, volume_handle, class, is_retained, "
    "parameters, secret_namespace, secret_name, handle, restore_size, creation_time, message FROM snapshots";
inline constexpr const char* insert_snapshot =
    "INSERT INTO snapshots (name, namespace, snapshot, uid, state, driver, volume, volume_handle, class, "
    "is_retained, parameters, secret_namespace, secret_name, handle, restore_size, creation_time, message) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr const char* delete_snapshot = "DELETE FROM snapshots WHERE name = ?";

/// A prepared statement, for as long as it is used. An error stays: step() gives it again.
class Statement {
 public:
  Statement(sqlite3* database, const char* text) {
    code_ = sqlite3_prepare_v2(database, text, -1, &statement_, nullptr);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  /// SQLITE_ROW, SQLITE_DONE or an error's code.
  int step() {
    if (code_ == SQLITE_OK || code_ == SQLITE_ROW) code_ = sqlite3_step(statement_);
    return code_;
  }
  int code() const { return code_; }

  template <class... T>
  void bind_all(const T&... values) {
    (add(values), ...);
  }
  void bind(const ClaimRow& row);
  void bind(const VolumeRow& row);
  void bind(const SnapshotRow& row);

  /// Of the row that step() found. NULL is an empty text.
  std::string text(int column) const;
  ClaimRow claim_row() const;
  VolumeRow volume_row() const;
  SnapshotRow snapshot_row() const;

 private:
  /// A text that is NULL in the file if it is empty.
  struct Optional {
    const std::string& text;
  };
  void add(const std::string& value);
  void add(const Optional& value);
  void add(bool value);
  bool flag(int column) const { return sqlite3_column_int(statement_, column) != 0; }
  void note(int code) {
    if (code_ == SQLITE_OK) code_ = code;
  }

  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
  int bound_ = 0;
};

}  // namespace mooring
