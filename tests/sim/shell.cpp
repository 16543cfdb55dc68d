#include "shell.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "operation/executor.h"
#include "wire/message.h"

namespace mooring::sim {

Shell::Shell(kernel::FakeKernel& kernel, Random& random, std::function<void(const std::string&)> trace)
    : kernel_(kernel), random_(random), trace_(std::move(trace)), plugins_(built_in_plugins()) {
  kernel_.set_hook(
      [this](std::string_view call, const std::string&, bool before) { return fault(call, before); });
}

kernel::Fault Shell::fault(std::string_view, bool before) {
  constexpr int errnos[] = {EIO, ENOSPC, EROFS, EACCES, ENOMEM, EBUSY};
  const auto happens = [&](std::uint64_t one_in) { return one_in != 0 && random_.chance(one_in); };
  if (happens(faults.crash_one_in)) return kernel::Fault::crash();
  if (before && happens(faults.hang_one_in)) return kernel::Fault::hang();
  if (happens(faults.errno_one_in)) return kernel::Fault::error(errnos[random_.below(std::size(errnos))]);
  return kernel::Fault::none();
}

void Shell::start(Instant now, std::uint64_t seed) {
  CoreOptions options;
  options.node.name = NodeName("node");
  options.node.root_dir = kernel_.root_dir();
  options.node.allocatable["memory"] = Quantity::from_integer(std::int64_t{1} << 30);
  options.seed = seed;
  core_ = std::make_unique<Core>(options, plugins_);
  kernel_.reopen_root();
  has_told_mounts_ = false;
  RecordsRead read;
  for (const auto& [uid, bytes] : records_) {
    const auto record = decode_record(bytes);
    if (record) {
      read.records.push_back(record.value());
    } else {
      read.unreadable.push_back(uid);
    }
  }
  core_->handle(std::move(read), now);
}

void Shell::kill() {
  core_.reset();
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
  if (!are_mounts_stale()) return;
  told_mounts_ = kernel_.mount_facts();
  told_mounts_made_ = kernel_.mounts_made();
  has_told_mounts_ = true;
  core_->handle(MountsRead{std::make_shared<const MountTable>(MountTable::from_facts(told_mounts_))}, now);
  dispatch(now);
}

void Shell::feed(Event event, Instant now) {
  // As mooringd: a decision to remove stands on the table of this moment.
  const bool may_remove = std::holds_alternative<FileGone>(event) ||
                          std::holds_alternative<FileParsed>(event) ||
                          std::holds_alternative<ListingCompleted>(event);
  if (may_remove && has_told_mounts_) tell_mounts(now);
  core_->handle(std::move(event), now);
  dispatch(now);
}

void Shell::dispatch(Instant now) {
  do_effects(core_->take_effects(now), now);
}

void Shell::do_effects(Effects effects, Instant now) {
  std::vector<Event> consequences;
  for (const PodRecord& record : effects.records_to_write) {
    if (faults.record_one_in == 0 || !random_.chance(faults.record_one_in)) {
      records_[record.uid.str()] = encode_record(record);
      continue;
    }
    Error error;
    error.kind = ErrorKind::Transient;
    error.reason = "RecordFailed";
    error.message = "no space";
    consequences.emplace_back(RecordFailed{record.uid, error});
    std::erase_if(effects.operations, [&](const Operation& operation) {
      if (operation.pod != record.uid) return false;
      Outcome outcome;
      outcome.id = operation.id;
      outcome.error = error;
      consequences.emplace_back(OperationEnded{outcome});
      return true;
    });
  }
  for (const PodUid& uid : effects.records_to_remove)
    records_.erase(uid.str());
  pods_became_ready += effects.pods_ready.size();
  for (const StatusEvent& event : effects.events)
    trace_("  log: " + event.reason + " " + event.object + ": " + event.message);
  for (Operation& operation : effects.operations) {
    // What a worker gets went over the wire.
    const auto decoded = wire::decode(wire::encode(wire::Batch{{operation}}));
    Operation arrived = std::get<wire::Batch>(decoded.value()).operations.front();
    if (arrived.lane == Lane::Teardown) {
      teardown_.push_back(std::move(arrived));
    } else {
      queue_.push_back(std::move(arrived));
    }
  }
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
  try {
    Outcome outcome = execute(operation, kernel_.ports());
    trace_("run " + operation.what + ": " + (outcome.error ? outcome.error->text() : "done"));
    done_.push_back(std::move(outcome));
  } catch (const kernel::FakeCrash&) {
    trace_("run " + operation.what + ": the worker crashed");
    done_.push_back(lost(operation.id));
  } catch (const kernel::FakeHang&) {
    trace_("run " + operation.what + ": the worker hangs");
    stuck_.push_back(operation.id);
    feed(OperationStuck{operation.id, 4711}, now);
  }
}

bool Shell::work(Instant now) {
  const std::size_t choices = queue_.size() + (teardown_.empty() ? 0 : 1) + done_.size();
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
  Operation operation = std::move(teardown_.front());
  teardown_.pop_front();
  run(std::move(operation), now);
  return true;
}

bool Shell::end_stuck(Instant now) {
  if (stuck_.empty()) return false;
  const OperationId id = stuck_.back();
  stuck_.pop_back();
  feed(OperationEnded{lost(id)}, now);
  return true;
}

}  // namespace mooring::sim
