#include "operation/ownership.h"

#include <cerrno>

namespace mooring {
namespace {

constexpr std::uint32_t group_access = 02770;

std::string in_words(const kernel::GroupReport& report) {
  return std::to_string(report.seen) + " files looked at, " + std::to_string(report.changed) +
         " of them changed";
}

bool is_idmapped(const MountFact& mounted) {
  return ("," + mounted.options + ",").find(",idmapped,") != std::string::npos;
}

/// The root of the volume, as it is seen now, gets the group and its access.
Result<void> give_root(const std::string& path, std::uint32_t group, kernel::Kernel kernel,
                       Outcome& outcome) {
  MOORING_TRY(const auto root, kernel.files.status(path));
  if (!root) return kernel.files.set_owner(path, group, group_access);  // Gone: says so.
  const std::uint32_t mode = root->mode | group_access;
  if (root->group == group && root->mode == mode) return success();
  outcome.changed = true;
  return kernel.files.set_owner(path, group, mode);
}

Result<kernel::GroupReport> walk(const ChangeGroup& step, kernel::Kernel kernel, const Waiting& waiting,
                                 Outcome& outcome) {
  const kernel::GroupChange change{step.group, step.read_only, step.only_on_root_mismatch, step.entries_max};
  kernel::GroupReport told;
  const auto progress = [&](const kernel::GroupReport& report) {
    if (waiting.may_go_on && !waiting.may_go_on()) return false;
    const bool has_moved = report.seen != told.seen || report.changed != told.changed;
    if (has_moved && waiting.tell)
      waiting.tell("giving the volume to group " + std::to_string(step.group) + ": " + in_words(report));
    told = report;
    return true;
  };
  MOORING_TRY(kernel::GroupReport report, kernel.files.change_group(step.path, change, progress));
  outcome.changed = outcome.changed || report.changed != 0;
  if (report.failed != 0) {
    outcome.warnings.push_back(std::to_string(report.failed) + " of " + std::to_string(report.seen) +
                               " files could not be given to group " + std::to_string(step.group) +
                               ", the first: " + report.first_failure);
  }
  return report;
}

}  // namespace

bool is_bind_of_itself(const MountFact& mounted, const std::string& path) {
  return mounted.root.ends_with("/" + path);
}

Result<void> change_group(const ChangeGroup& step, kernel::Kernel kernel, const Waiting& waiting,
                          Outcome& outcome) {
  MOORING_TRY(walk(step, kernel, waiting, outcome));
  return success();
}

Result<void> map_group(const MapGroup& step, kernel::Kernel kernel, const Waiting& waiting,
                       Outcome& outcome) {
  const ChangeGroup one_by_one{step.path, step.group, false, false, step.entries_max};
  MOORING_TRY(const auto mounted, kernel.mounts.at(step.path));
  if (mounted && !is_bind_of_itself(*mounted, step.path)) {
    Error error;
    error.kind = ErrorKind::Final;
    error.reason = "ForeignMount";
    error.message = "a " + mounted->type + " that Mooring did not make is mounted on the volume";
    error.path = step.path;
    error.remedy = "unmount it";
    return error;
  }
  if (mounted && step.bind_only) return success();
  if (mounted && is_idmapped(*mounted)) return give_root(step.path, step.group, kernel, outcome);
  if (mounted) {  // The root comes last: if it is right, a walk before this one came to its end.
    ChangeGroup unless_done = one_by_one;
    unless_done.only_on_root_mismatch = true;
    MOORING_TRY(const kernel::GroupReport report, walk(unless_done, kernel, waiting, outcome));
    if (!report.was_skipped) {
      outcome.warnings.push_back("its groups are not mapped, so its files were given to group " +
                                 std::to_string(step.group) + " one by one");
    }
    return success();
  }
  MOORING_TRY(const auto volume, kernel.files.open_sub_path({step.path, std::nullopt, {}, false}));
  outcome.changed = true;
  const kernel::GroupSwap groups{volume->status().group, step.group};
  if (groups.on_disk != groups.shown) {
    const Result<void> mapped = kernel.mounts.bind_open(*volume, {step.path, groups});
    if (mapped && step.bind_only) return success();
    if (mapped) return give_root(step.path, step.group, kernel, outcome);
    if (mapped.error().reason != "CannotMapGroups") return mapped.error();
    if (!step.bind_only) {
      outcome.warnings.push_back("its groups cannot be mapped, so its files are given to group " +
                                 std::to_string(step.group) + " one by one: " + mapped.error().message);
    }
  }
  // The volume is a mount in any case: whether the groups can be mapped is not for the core to know.
  MOORING_TRY(kernel.mounts.bind_open(*volume, {step.path, std::nullopt}));
  if (step.bind_only) return success();
  return change_group(one_by_one, kernel, waiting, outcome);
}

}  // namespace mooring
