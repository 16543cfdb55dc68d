#include "daemon/ledger_statement.h"

namespace mooring {

void Statement::add(const std::string& value) {
  // The texts outlive the statement's steps (nullptr: SQLITE_STATIC).
  note(sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), nullptr, SQLITE_UTF8));
}

void Statement::add(const Optional& value) {
  if (value.text.empty()) {
    note(sqlite3_bind_null(statement_, ++bound_));
  } else {
    add(value.text);
  }
}

void Statement::add(bool value) {
  note(sqlite3_bind_int(statement_, ++bound_, value ? 1 : 0));
}

void Statement::bind(const ClaimRow& row) {
  bind_all(row.name_space, row.name, row.uid, Optional{row.volume}, row.is_bound, row.was_chosen,
           row.capacity, row.is_being_deleted, row.is_lost, row.owner_kind, row.owner_namespace,
           row.owner_name, row.owner_uid, row.delete_when_deleted, row.delete_when_scaled, row.claim);
}

void Statement::bind(const VolumeRow& row) {
  bind_all(row.name, row.state, Optional{row.claim_namespace}, Optional{row.claim_name},
           Optional{row.claim_uid}, row.was_chosen, row.provisioner, row.parameters, row.made_capacity,
           row.message, row.volume);
}

void Statement::bind(const SnapshotRow& row) {
  bind_all(row.name, row.name_space, row.snapshot, row.uid, row.state, row.driver, row.volume,
           row.volume_handle, row.snapshot_class, row.is_retained, row.parameters,
           Optional{row.secret_namespace}, Optional{row.secret_name}, Optional{row.handle}, row.restore_size,
           row.creation_time, row.message);
}

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

ClaimRow Statement::claim_row() const {
  return {text(0), text(1), text(2),  text(3),  flag(4),  flag(5),  text(6),  flag(7),
          flag(8), text(9), text(10), text(11), text(12), flag(13), flag(14), text(15)};
}

VolumeRow Statement::volume_row() const {
  return {text(0), text(1), text(2), text(3), text(4), flag(5), text(6), text(7), text(8), text(9), text(10)};
}

SnapshotRow Statement::snapshot_row() const {
  return {text(0), text(1),  text(2),  text(3),  text(4),  text(5),  text(6),  text(7), text(8),
          flag(9), text(10), text(11), text(12), text(13), text(14), text(15), text(16)};
}

}  // namespace mooring
