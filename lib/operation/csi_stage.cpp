#include <cerrno>
#include <string>
#include <vector>

#include "csi/answers.h"
#include "csi/requests.h"
#include "operation/csi_calls.h"
#include "operation/csi_steps.h"
#include "operation/device_checks.h"
#include "operation/device_links.h"
#include "step/csi_layout.h"
#include "step/layout.h"

namespace mooring {
namespace {

/// The staging directory of a file system lies beside its data, in a directory of the volume's own; that of a
/// raw device lies among those of others.
CsiPlace place_of(const std::string& path, const std::string& data) {
  const std::string directory = parent_of(data);
  return {path, data, parent_of(path) == directory ? directory : std::string()};
}

Result<bool> make_place(const StageCsiVolume& step, kernel::Kernel kernel) {
  const std::string directory = parent_of(step.data);
  MOORING_TRY(const bool is_made, kernel.files.make_directory(directory, layout::private_mode));
  const std::string text = csi::encode_volume_data({step.volume.driver, step.volume.handle});
  MOORING_TRY(const bool is_written, put_volume_data(step.data, text, kernel.files));
  // What is mounted there is not asked whether it is a directory.
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(step.path));
  if (mounted) return is_made || is_written;
  MOORING_TRY(const bool is_new, kernel.files.make_directory(step.path, layout::private_mode));
  return is_made || is_written || is_new;
}

/// True if nothing of the volume is there, so that no driver was ever asked for it.
Result<bool> is_nothing_there(const UnstageCsiVolume& step, kernel::Kernel kernel) {
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(step.path));
  if (mounted) return false;
  MOORING_TRY(const auto path, kernel.files.status(step.path));
  MOORING_TRY(const auto data, kernel.files.status(step.data));
  return !path && !data;
}

Error has_a_pod(const std::string& path) {
  return obstacle("StillMounted", "a pod has the device that is to be unstaged", path,
                  "end what uses it, and unmount it; Mooring tries again");
}

/// What is in a directory, by path; nothing if it is not there.
Result<std::vector<std::string>> places_in(const std::string& directory, kernel::Files& files) {
  std::vector<std::string> places;
  if (directory.empty()) return places;
  const auto entries = files.list(directory);
  if (!entries && entries.error().errno_value == ENOENT) return places;
  if (!entries) return entries.error();
  for (const auto& entry : entries.value())
    places.push_back(directory + "/" + entry.name);
  return places;
}

/// Removes what a reboot left of pods that never come back: their records are gone, and the links that a scan
/// finds are made last. The driver is asked all the same: it may remember what the node does not.
Result<bool> remove_orphans(const UnstageCsiVolume& step, kernel::Kernel kernel) {
  MOORING_TRY(const auto bound, places_in(step.bound, kernel.files));
  MOORING_TRY(const auto targets, places_in(step.published, kernel.files));
  for (const auto* places : {&bound, &targets}) {
    for (const std::string& path : *places) {
      MOORING_TRY(const auto mounted, kernel.mounts.listed_at(path));
      if (mounted) return has_a_pod(path);
    }
  }
  for (const std::string& path : bound) {
    MOORING_TRY(remove_place({path, {}, {}}, kernel.files));
  }
  for (const std::string& path : targets) {
    MOORING_TRY(const std::string told, told_path(path, kernel.mounts));
    MOORING_TRY(const kernel::DriverAnswer answer,
                call_csi(step.volume, csi::unpublish_method, csi::unpublish_request(step.volume.handle, told),
                         kernel.drivers));
    if (answer.code != CallCode::Ok)
      return csi::call_error(csi::Call::Unpublish, step.volume.driver, answer.code, answer.message);
    const CsiPlace place{path, {}, {}};
    MOORING_TRY(check_not_mounted(place, "driver " + step.volume.driver.str() + " unpublished the volume",
                                  kernel.mounts));
    MOORING_TRY(remove_place(place, kernel.files));
  }
  return !bound.empty() || !targets.empty();
}

}  // namespace

Result<bool> stage_csi_volume(const StageCsiVolume& step, kernel::Kernel kernel) {
  if (step.calls_driver && step.volume.socket.empty()) return csi::not_registered(step.volume.driver);
  MOORING_TRY(const bool is_made, make_place(step, kernel));
  if (!step.calls_driver) return is_made;
  MOORING_TRY(const std::string path, told_path(step.path, kernel.mounts));
  MOORING_TRY(const kernel::DriverAnswer answer,
              call_csi(step.volume, csi::stage_method,
                       csi::stage_request({step.volume.handle, step.publish_context, path, step.capability,
                                           step.secrets, step.volume_context}),
                       kernel.drivers));
  if (answer.code == CallCode::Ok) return true;
  if (!csi::verdict_of(answer.code).keeps_files && !step.may_be_there)
    clean_up(place_of(step.path, step.data), kernel);
  return csi::call_error(csi::Call::Stage, step.volume.driver, answer.code, answer.message);
}

Result<bool> unstage_csi_volume(const UnstageCsiVolume& step, kernel::Kernel kernel) {
  const CsiPlace place = place_of(step.path, step.data);
  MOORING_TRY(const bool had_orphans, remove_orphans(step, kernel));
  MOORING_TRY(const bool is_nothing, is_nothing_there(step, kernel));
  if (!is_nothing && step.calls_driver) {
    MOORING_TRY(const std::string path, told_path(step.path, kernel.mounts));
    MOORING_TRY(const kernel::DriverAnswer answer,
                call_csi(step.volume, csi::unstage_method, csi::unstage_request(step.volume.handle, path),
                         kernel.drivers));
    if (answer.code != CallCode::Ok)
      return csi::call_error(csi::Call::Unstage, step.volume.driver, answer.code, answer.message);
  }
  MOORING_TRY(
      check_not_mounted(place, "driver " + step.volume.driver.str() + " unstaged the volume", kernel.mounts));
  MOORING_TRY(const bool is_removed, remove_place(place, kernel.files));
  return had_orphans || is_removed || (!is_nothing && step.calls_driver);
}

Result<bool> expand_csi_volume(const ExpandCsiVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  if (!step.is_supported) {
    return refusal("ExpandUnsupported",
                   "driver " + step.volume.driver.str() + " does not support node expansion (EXPAND_VOLUME)",
                   "the volume stays usable as it is; make it larger where it is stored");
  }
  MOORING_TRY(const std::string path, told_path(step.path, kernel.mounts));
  MOORING_TRY(const std::string staged, told_path(step.staged_path, kernel.mounts));
  MOORING_TRY(const kernel::DriverAnswer answer,
              call_csi(step.volume, csi::expand_method,
                       csi::expand_request({step.volume.handle, path, step.required_bytes, staged,
                                            step.capability, step.secrets}),
                       kernel.drivers));
  if (answer.code == CallCode::Ok) return true;
  Error error = csi::call_error(csi::Call::Expand, step.volume.driver, answer.code, answer.message);
  const bool is_in_use = answer.code == CallCode::FailedPrecondition;
  if (!is_in_use && !(step.may_be_refused && csi::verdict_of(answer.code).is_final)) return error;
  outcome.warnings.push_back((is_in_use ? "the volume is in use and stays as large as it is: "
                                        : "the volume stays as large as it is: ") +
                             error.message);
  return false;
}

Result<void> measure_csi_volume(const MeasureCsiVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  MOORING_TRY(const std::string path, told_path(step.path, kernel.mounts));
  MOORING_TRY(const std::string staged, told_path(step.staged_path, kernel.mounts));
  MOORING_TRY(const kernel::DriverAnswer answer,
              call_csi(step.volume, csi::stats_method, csi::stats_request(step.volume.handle, path, staged),
                       kernel.drivers));
  if (answer.code != CallCode::Ok) {
    Error error = csi::call_error(csi::Call::Stats, step.volume.driver, answer.code, answer.message);
    // A question changes nothing, whoever answers it or not.
    if (error.kind == ErrorKind::Uncertain) error.kind = ErrorKind::Transient;
    // Who does not answer for this volume answers for no other one either.
    const bool is_silent = answer.code == CallCode::DeadlineExceeded || answer.code == CallCode::Unavailable;
    if (is_silent) error.reason = "DriverNotAnswering";
    return error;
  }
  MOORING_TRY(csi::StatsAnswer stats, csi::volume_stats(answer.response));
  outcome.usage = stats.usage;
  outcome.condition = std::move(stats.condition);
  return success();
}

}  // namespace mooring
