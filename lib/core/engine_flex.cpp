#include <algorithm>

#include "core/engine.h"
#include "step/driver_time.h"

// FlexVolume drivers: programs that come, go and are replaced while the node runs.

namespace mooring {
namespace {

bool waits_for_driver(const std::unique_ptr<Failure>& failure) {
  return failure && (failure->reason == "DriverNotFound" || failure->reason == "DriverMissing");
}

}  // namespace

/// A driver is killed at its own deadline, and the worker lives to tell of it.
void Core::Engine::allow_for_drivers(Operation& operation) const {
  const std::uint32_t deadline_ms = driver_time_ms(operation.steps);
  if (deadline_ms == 0) return;
  const bool may_check_disk =
      std::any_of(operation.steps.begin(), operation.steps.end(),
                  [](const Step& step) { return std::holds_alternative<StageFlexVolume>(step); });
  const std::uint32_t rest_ms = may_check_disk ? options_.stage_deadline_ms : options_.local_deadline_ms;
  operation.deadline_ms = std::max(operation.deadline_ms, deadline_ms + rest_ms);
}

void Core::Engine::on(FlexProgramsListed& event, Instant now) {
  if (flex_drivers_.on_listed(event.programs, now.monotonic)) flex_drivers_changed();
  effects_.drivers_changed = true;
}

void Core::Engine::flex_drivers_changed() {
  drivers_.flex = flex_drivers_.usable();
  for (auto& [uid, pod] : work_) {
    for (VolumeWork& work : pod.volumes) {
      // What an earlier run left may wait for its device, and was never told that there is no driver.
      const bool has_no_recipe = work.wanted_shape && work.wanted_shape->empty();
      if (!waits_for_driver(work.failure) && !has_no_recipe) continue;
      work.is_refused = false;
      work.wanted_shape.reset();
      work.backoff.hurry();
      dirty_.insert(uid);
    }
  }
  for (auto& [key, work] : device_work_) {
    if (!waits_for_driver(work.failure)) continue;
    work.backoff.hurry();
    dirty_devices_.insert(key);
  }
}

void Core::Engine::start_flex_probes(Instant now) {
  for (const FlexProgramFact& program : flex_drivers_.take_due(now.monotonic)) {
    Operation operation;
    operation.lane = Lane::Own;
    operation.deadline_ms = options_.own_deadline_ms;
    operation.what = "ask FlexVolume driver " + program.driver.str();
    operation.steps = {ProbeFlexDriver{{program.driver, program.program, {}, options_.flex_timeout_ms}}};
    InFlight what;
    what.doing = Doing::ProbeDriver;
    what.driver = program.driver;
    start(std::move(operation), std::move(what));
  }
}

void Core::Engine::flex_probe_ended(const InFlight& what, const Outcome& outcome, Instant now) {
  const std::string object = "driver/" + what.driver.str();
  const Error* before = flex_drivers_.problem_of(what.driver);
  const std::string told = before == nullptr ? std::string() : before->message;
  Result<FlexCapabilities> answer = FlexCapabilities();
  if (outcome.error) {
    answer = *outcome.error;
  } else if (outcome.flex_probe) {
    const FlexProbe& can = *outcome.flex_probe;
    answer = FlexCapabilities{can.attach, can.selinux_relabel, can.supports_metrics, can.fs_group,
                              can.requires_fs_resize};
  }
  const bool is_changed = flex_drivers_.on_probed(
      what.driver, answer, now.monotonic, {options_.backoff_first, options_.backoff_longest}, random_);
  effects_.drivers_changed = true;
  if (is_changed) flex_drivers_.on_used(what.driver, last_operation_);
  if (is_changed) flex_drivers_changed();
  const Error* problem = flex_drivers_.problem_of(what.driver);
  if (problem != nullptr && problem->message != told) log(now, true, "DriverFailed", object, problem->text());
  if (is_changed && problem == nullptr) {
    log(now, false, "DriverReady", object,
        std::string("the FlexVolume driver can be used") +
            (drivers_.find_flex(what.driver)->capabilities.attach ? "" : "; it attaches nothing"));
  }
}

/// True for a volume that its driver mounted, and that can be asked how full it is.
bool Core::Engine::is_measurable_by_driver(const ActualVolume& volume, const std::string& path) const {
  if (volume.shape != flex_shape) return false;
  const FlexDriver* driver = drivers_.find_flex(DriverName(volume.plugin.str()));
  return driver != nullptr && driver->capabilities.supports_metrics &&
         mounts_->top_at(options_.node.root_dir + "/" + path) != nullptr;
}

/// Also of an operation that failed: what the driver does not support it will not support the next time.
void Core::Engine::note_unsupported(const Outcome& outcome) {
  bool is_news = false;
  const auto operation = static_cast<std::uint64_t>(outcome.id);
  for (const FlexUnsupported& found : outcome.flex_unsupported)
    is_news = flex_drivers_.on_unsupported(found.driver, found.command, operation) || is_news;
  if (is_news) drivers_.flex = flex_drivers_.usable();
}

void Core::Engine::add_flex_drivers(std::vector<DriverStatus>& out) const {
  for (const FlexDrivers::View& view : flex_drivers_.all()) {
    DriverStatus status;
    status.kind = "FlexVolume";
    status.name = view.program.driver.str();
    status.socket = view.program.program;
    status.state = view.driver == nullptr    ? "Waiting"
                   : view.problem != nullptr ? "NotAnswering"
                                             : "Registered";
    if (view.driver != nullptr) {
      const FlexCapabilities& can = view.driver->capabilities;
      const std::pair<bool, const char*> names[] = {{can.attach, "attach"},
                                                    {can.selinux_relabel, "selinuxRelabel"},
                                                    {can.supports_metrics, "supportsMetrics"},
                                                    {can.fs_group, "fsGroup"},
                                                    {can.requires_fs_resize, "requiresFSResize"}};
      for (const auto& [is_there, name] : names) {
        if (is_there) status.capabilities.emplace_back(name);
      }
    }
    if (view.problem != nullptr) {
      status.reason = view.problem->reason;
      status.message = view.problem->message;
      status.action = view.problem->remedy;
      status.attempts = view.attempts;
      if (view.next_try)
        status.next_retry = last_now_.wall + std::max(*view.next_try - last_now_.monotonic, Duration::zero());
    }
    out.push_back(std::move(status));
  }
}

}  // namespace mooring
