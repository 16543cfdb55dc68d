#include "shell.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "operation/executor.h"
#include "wire/message.h"

namespace mooring::sim {

Shell::Shell(kernel::FakeKernel& kernel, Random& random, std::function<void(const std::string&)> trace)
    : kernel_(kernel),
      random_(random),
      trace_(std::move(trace)),
      plugins_(built_in_plugins()),
      ledger_(random) {
  kernel_.set_hook([this](std::string_view call, const std::string& path, bool before) {
    if (observer) observer(call, path, before);
    return fault(call, before);
  });
}

kernel::Fault Shell::fault(std::string_view call, bool before) {
  constexpr int errnos[] = {EIO, ENOSPC, EROFS, EACCES, ENOMEM, EBUSY};
  const auto happens = [&](std::uint64_t one_in) { return one_in != 0 && random_.chance(one_in); };
  if (call == "format.half" && happens(faults.format_one_in)) return kernel::Fault::crash();
  if (happens(faults.crash_one_in)) return kernel::Fault::crash();
  if (before && happens(faults.hang_one_in)) {
    is_hang_a_fault_ = true;
    return kernel::Fault::hang();
  }
  if (happens(faults.errno_one_in)) return kernel::Fault::error(errnos[random_.below(std::size(errnos))]);
  return kernel::Fault::none();
}

void Shell::start(Instant now, std::uint64_t seed) {
  CoreOptions options;
  options.node.name = NodeName("node");
  options.node.labels["kubernetes.io/hostname"] = "node";
  options.node.root_dir = kernel_.root_dir();
  options.node.allocatable["memory"] = Quantity::from_integer(std::int64_t{1} << 30);
  options.seed = seed;
  core_ = std::make_unique<Core>(options, plugins_);
  kernel_.reopen_root();
  has_told_mounts_ = false;
  are_mounts_to_confirm_ = false;
  told_devices_ = device_facts();
  RecordsRead read;
  for (const auto& [uid, bytes] : records_) {
    const auto record = decode_record(bytes);
    if (record) {
      read.records.push_back(record.value());
    } else {
      read.unreadable.push_back(uid);
    }
  }
  for (const auto& [key, bytes] : device_records_) {
    const auto record = decode_device_record(bytes);
    if (record) {
      read.devices.push_back(record.value());
    } else {
      read.unreadable.push_back(key);
    }
  }
  core_->handle(std::move(read), now);
  ledger_.open();
  // Who has no claims has nothing to wait for.
  if (ledger_.is_empty()) core_->handle(*ledger_.work(), now);
}

void Shell::lose_records() {
  records_.clear();
  device_records_.clear();
}

void Shell::kill() {
  core_.reset();
  ledger_.lose_core();
  queue_.clear();
  teardown_.clear();
  done_.clear();
  stuck_.clear();
  pods_.clear();
}

bool Shell::are_mounts_stale() const {
  return !has_told_mounts_ || told_mounts_made_ != kernel_.mounts_made() ||
         told_mounts_ != kernel_.mount_facts();
}

bool Shell::has_news_of(const PodUid& pod) const {
  return std::any_of(done_.begin(), done_.end(), [&](const Outcome& outcome) {
    return pods_.at(static_cast<std::uint64_t>(outcome.id)) == pod;
  });
}

void Shell::tell_mounts(Instant now) {
  const bool is_stale = are_mounts_stale();
  if (!is_stale && !are_mounts_to_confirm_) return;
  are_mounts_to_confirm_ = false;
  if (is_stale) {
    told_mounts_ = kernel_.mount_facts();
    told_mounts_made_ = kernel_.mounts_made();
    has_told_mounts_ = true;
    told_table_ = std::make_shared<const MountTable>(MountTable::from_facts(told_mounts_));
  }
  core_->handle(MountsRead{told_table_}, now);
  dispatch(now);
}

std::vector<DeviceFacts> Shell::device_facts() const {
  std::vector<DeviceFacts> facts;
  for (const auto& [node, device] : kernel_.disks().devices())
    facts.push_back(device.facts);
  return facts;
}

bool Shell::tell_devices(Instant now) {
  std::vector<DeviceFacts> facts = device_facts();
  if (facts == told_devices_) return false;
  told_devices_ = std::move(facts);
  feed(DevicesChanged{}, now);
  return true;
}

void Shell::feed(Event event, Instant now) {
  // As mooringd: a decision to remove stands on the table of this moment.
  const bool may_remove = std::holds_alternative<FileGone>(event) ||
                          std::holds_alternative<FileParsed>(event) ||
                          std::holds_alternative<ListingCompleted>(event);
  if (may_remove && has_told_mounts_) tell_mounts(now);
  if (const auto* ended = std::get_if<OperationEnded>(&event)) {
    are_mounts_to_confirm_ = has_told_mounts_;
    if (on_ended) on_ended(ended->outcome.id);
  }
  core_->handle(std::move(event), now);
  dispatch(now);
}

void Shell::dispatch(Instant now) {
  do_effects(core_->take_effects(now), now);
}

/// Records come first: nothing is done for a pod or a device whose record could not be written.
void Shell::write_records(Effects& effects, std::vector<Event>& consequences) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "RecordFailed";
  error.message = "no space";
  const auto fails = [&] { return faults.record_one_in != 0 && random_.chance(faults.record_one_in); };
  const auto refuse_if = [&](const auto& waits_for_it) {
    std::erase_if(effects.operations, [&](const Operation& operation) {
      if (!waits_for_it(operation)) return false;
      Outcome outcome;
      outcome.id = operation.id;
      outcome.error = error;
      consequences.emplace_back(OperationEnded{outcome});
      return true;
    });
  };
  for (const DeviceRecord& record : effects.device_records_to_write) {
    if (!fails()) {
      device_records_[record.key.str()] = encode_device_record(record);
      continue;
    }
    consequences.emplace_back(DeviceRecordFailed{record.key, error});
    refuse_if([&](const Operation& operation) { return operation.device == record.key; });
  }
  for (const PodRecord& record : effects.records_to_write) {
    if (!fails()) {
      records_[record.uid.str()] = encode_record(record);
      continue;
    }
    consequences.emplace_back(RecordFailed{record.uid, error});
    refuse_if([&](const Operation& operation) { return operation.pod == record.uid; });
  }
}

void Shell::do_effects(Effects effects, Instant now) {
  std::vector<Event> consequences;
  write_records(effects, consequences);
  for (const PodUid& uid : effects.records_to_remove)
    records_.erase(uid.str());
  for (const VolumeKey& key : effects.device_records_to_remove)
    device_records_.erase(key.str());
  pods_became_ready += effects.pods_ready.size();
  for (const StatusEvent& event : effects.events)
    trace_("  log: " + event.reason + " " + event.object + ": " + event.message);
  for (Operation& operation : effects.operations) {
    // What a worker gets went over the wire.
    const auto decoded = wire::decode(wire::encode(wire::Batch{{operation}}));
    Operation arrived = std::get<wire::Batch>(decoded.value()).operations.front();
    if (on_started) on_started(arrived);
    if (arrived.lane == Lane::Teardown) {
      teardown_.push_back(std::move(arrived));
    } else {
      queue_.push_back(std::move(arrived));
    }
  }
  if (effects.ledger) ledger_.begin(std::move(*effects.ledger));
  for (const int watch : effects.watches_to_remove)
    kernel_.remove_watch(watch);
  for (Event& event : consequences)
    core_->handle(std::move(event), now);
  if (!consequences.empty()) dispatch(now);
}

Outcome Shell::lost(OperationId id) const {
  Outcome outcome;
  outcome.id = id;
  Error error;
  error.kind = ErrorKind::Uncertain;
  error.reason = "WorkerLost";
  error.message = "the worker was lost";
  outcome.error = error;
  return outcome;
}

void Shell::run(Operation operation, Instant now) {
  pods_[static_cast<std::uint64_t>(operation.id)] = operation.pod;
  ++operations_run;
  is_hang_a_fault_ = false;
  try {
    Outcome outcome = execute(operation, kernel_.ports());
    trace_("run " + operation.what + ": " + (outcome.error ? outcome.error->text() : "done"));
    done_.push_back(std::move(outcome));
  } catch (const kernel::FakeCrash&) {
    trace_("run " + operation.what + ": the worker crashed");
    done_.push_back(lost(operation.id));
  } catch (const kernel::FakeHang&) {
    trace_("run " + operation.what + ": the worker hangs");
    stuck_.push_back({operation.id, operation.lane, operation.what});
    if (!is_hang_a_fault_) waited_for_server.push_back(stuck_.back());
    feed(OperationStuck{operation.id, 4711}, now);
  }
}

bool Shell::work(Instant now) {
  const std::size_t choices =
      queue_.size() + (teardown_.empty() ? 0 : 1) + done_.size() + (ledger_.has_work() ? 1 : 0);
  if (choices == 0 || !is_running()) return false;
  std::size_t choice = random_.below(choices);
  if (choice < queue_.size()) {
    if (random_.chance(8)) {  // What takes long tells how far it is.
      feed(OperationProgress{queue_[choice].id, std::to_string(operations_run) + " files looked at"}, now);
    }
    Operation operation = std::move(queue_[choice]);
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(choice));
    run(std::move(operation), now);
    return true;
  }
  choice -= queue_.size();
  if (choice < done_.size()) {
    Outcome outcome = std::move(done_[choice]);
    done_.erase(done_.begin() + static_cast<std::ptrdiff_t>(choice));
    feed(OperationEnded{std::move(outcome)}, now);
    return true;
  }
  choice -= done_.size();
  if (choice != 0 || teardown_.empty()) {
    if (auto event = ledger_.work()) feed(std::move(*event), now);
    return true;
  }
  Operation operation = std::move(teardown_.front());
  teardown_.pop_front();
  run(std::move(operation), now);
  return true;
}

bool Shell::end_stuck(Instant now) {
  if (stuck_.empty()) return false;
  const OperationId id = stuck_.back().id;
  stuck_.pop_back();
  feed(OperationEnded{lost(id)}, now);
  return true;
}

void Shell::end_stuck_local(Instant now) {
  end_stuck_if([](const StuckOperation& stuck) { return stuck.lane != Lane::Own; }, now);
}

void Shell::end_stuck_if(const std::function<bool(const StuckOperation&)>& ends, Instant now) {
  std::vector<OperationId> ended;
  std::erase_if(stuck_, [&](const StuckOperation& stuck) {
    const bool does_end = ends(stuck);
    if (does_end) ended.push_back(stuck.id);
    return does_end;
  });
  for (const OperationId id : ended)
    feed(OperationEnded{lost(id)}, now);
}

}  // namespace mooring::sim
