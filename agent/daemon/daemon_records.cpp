#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/daemon.h"

namespace mooring {

/// What waited for a record that could not be written is not started.
void Daemon::refuse_operations(Effects& effects, const Error& why,
                               const std::function<bool(const Operation&)>& waits_for_it) {
  std::erase_if(effects.operations, [&](const Operation& operation) {
    if (!waits_for_it(operation)) return false;
    Outcome outcome;
    outcome.id = operation.id;
    outcome.error = why;
    handle(OperationEnded{std::move(outcome)});
    return true;
  });
}

/// Removes the records of what is gone; a removal that failed is tried again.
template <class Name>
void Daemon::remove_records(std::set<Name>& names) {
  std::erase_if(names, [this](const Name& name) {
    const Result<void> removed = records_.remove(name);
    if (!removed && removed.error().text() != last_record_problem_) {
      last_record_problem_ = removed.error().text();
      spdlog::warn("{}", last_record_problem_);
    }
    return removed.has_value();
  });
}

/// Records come first: nothing is done for a pod or a device whose record could not be written.
void Daemon::write_records(Effects& effects) {
  records_to_remove_.insert(effects.records_to_remove.begin(), effects.records_to_remove.end());
  device_records_to_remove_.insert(effects.device_records_to_remove.begin(),
                                   effects.device_records_to_remove.end());
  for (const DeviceRecord& record : effects.device_records_to_write) {
    device_records_to_remove_.erase(record.key);
    const Result<void> written = records_.write(record);
    if (written) continue;
    handle(DeviceRecordFailed{record.key, written.error()});
    refuse_operations(effects, written.error(),
                      [&](const Operation& operation) { return operation.device == record.key; });
  }
  for (const PodRecord& record : effects.records_to_write) {
    records_to_remove_.erase(record.uid);
    const Result<void> written = records_.write(record);
    if (written) continue;
    handle(RecordFailed{record.uid, written.error()});
    refuse_operations(effects, written.error(),
                      [&](const Operation& operation) { return operation.pod == record.uid; });
  }
  remove_records(records_to_remove_);
  remove_records(device_records_to_remove_);
}

/// Whoever could not write tries again when a while has passed: a disk that is full stays full for longer
/// than a plan takes.
void Daemon::ledger_was_read(Result<Ledger> ledger) {
  const bool is_too_early = ledger_failures_ != 0 && !std::exchange(is_ledger_read_again_, false);
  if (!ledger) {
    if (!is_too_early) ++ledger_failures_;
    handle(LedgerRead{std::move(ledger)});
    return read_ledger_later();
  }
  if (is_too_early) return read_ledger_later();
  handle(LedgerRead{std::move(ledger)});
}

void Daemon::read_ledger_later() {
  constexpr auto pause_first = std::chrono::milliseconds(500);
  constexpr std::uint32_t doublings_max = 7;
  ledger_timer_.expires_after(pause_first * (1U << std::min(ledger_failures_, doublings_max)));
  ledger_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    is_ledger_read_again_ = true;
    ledger_.read();
  });
}

/// Somebody has made room, or mended it, and does not want to wait for the next try.
void Daemon::retry_ledger() {
  if (ledger_timer_.cancel() == 0) return;
  is_ledger_read_again_ = true;
  ledger_.read();
}

}  // namespace mooring
