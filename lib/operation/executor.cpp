#include "operation/executor.h"

#include <cerrno>

#include "operation/call_log.h"
#include "operation/csi_attach.h"
#include "operation/csi_controller.h"
#include "operation/csi_steps.h"
#include "operation/device_steps.h"
#include "operation/driver_probe.h"
#include "operation/flex_steps.h"
#include "operation/host_path_check.h"
#include "operation/network_steps.h"
#include "operation/proof.h"
#include "operation/publish_files.h"
#include "operation/scan.h"
#include "operation/stamp.h"
#include "operation/sub_paths.h"
#include "operation/usage_steps.h"
#include "operation/volume_directories.h"
#include "step/layout.h"

namespace mooring {
namespace {

Error refusal(std::string reason, std::string message, std::string path, std::string remedy) {
  Error error = mooring::refusal(std::move(reason), std::move(message), std::move(remedy));
  error.path = std::move(path);
  return error;
}

/// Runs steps; each overload does one kind, and notes in `outcome` if it changed the node.
class Runner {
 public:
  Runner(kernel::Kernel kernel, Waiting waiting, Outcome& outcome)
      : kernel_(kernel), waiting_(std::move(waiting)), outcome_(outcome) {}

  Result<void> operator()(const MakePodDirectory& step);
  Result<void> operator()(const MakeDirectory& step);
  Result<void> operator()(const MountTmpfs& step);
  Result<void> operator()(const MountHugetlbfs& step);
  Result<void> operator()(const BindMount& step);
  Result<void> operator()(const Unmount& step);
  Result<void> operator()(const DiscardDirectory& step);
  Result<void> operator()(const EmptyTrash& step);
  Result<void> operator()(const RemovePodDirectory& step);
  Result<void> operator()(const CheckHostPath& step);
  Result<void> operator()(const WatchHostPath& step);
  Result<void> operator()(const ScanTree& step);
  Result<void> operator()(const PublishFiles& step);
  Result<void> operator()(const BindSubPath& step);
  Result<void> operator()(const ReleaseSubPaths& step);
  Result<void> operator()(const UnmountLeftovers& step);
  Result<void> operator()(const ChangeGroup& s) { return change_group(s, kernel_, waiting_, outcome_); }
  Result<void> operator()(const MapGroup& s) { return map_group(s, kernel_, waiting_, outcome_); }
  Result<void> operator()(const AttachDevice& step) { return note(attach_device(step, kernel_)); }
  Result<void> operator()(const DetachDevice& step) { return note(detach_device(step, kernel_)); }
  Result<void> operator()(const FormatDevice& step) { return note(format_device(step, kernel_)); }
  Result<void> operator()(const CheckFileSystem& s) { return note(check_file_system(s, kernel_, outcome_)); }
  Result<void> operator()(const MountDevice& step) { return note(mount_device(step, kernel_)); }
  Result<void> operator()(const GrowFileSystem& step) { return note(grow_file_system(step, kernel_)); }
  Result<void> operator()(const ProveStaged& step) { return prove_staged(step, kernel_); }
  Result<void> operator()(const UnmountDevice& step) { return note(unmount_device(step, kernel_)); }
  Result<void> operator()(const MapDevice& step) { return note(map_device(step, kernel_)); }
  Result<void> operator()(const UnmapDevice& step) { return note(unmap_device(step, kernel_)); }
  Result<void> operator()(const MountNetwork& step) { return note(mount_network(step, kernel_)); }
  Result<void> operator()(const UnmountNetwork& step) { return note(unmount_network(step, kernel_)); }
  Result<void> operator()(const RemoveDirectory& step);
  Result<void> operator()(const LimitDirectory& step) { return note(limit_directory(step, kernel_)); }
  Result<void> operator()(const UnlimitDirectory& step) { return note(unlimit_directory(step, kernel_)); }
  Result<void> operator()(const MakeVolumeDirectory& s) { return note(make_volume_directory(s, kernel_)); }
  Result<void> operator()(const RemoveVolumeDirectory& s) {
    return note(remove_volume_directory(s, kernel_, outcome_));
  }
  Result<void> operator()(const SetAsideVolumeDirectory& s) {
    return note(set_aside_volume_directory(s, kernel_, outcome_));
  }
  Result<void> operator()(const EmptyDirectory& s) { return note(empty_directory(s, kernel_, waiting_)); }
  Result<void> operator()(const PrepareImage& step) { return note(prepare_image(step, kernel_)); }
  Result<void> operator()(const RemoveImage& step) { return note(remove_image(step, kernel_, outcome_)); }
  template <class S>
  requires requires(const S& s, kernel::Kernel kernel, Outcome& o) { run_csi_node(s, kernel, o); }
  Result<void> operator()(const S& s) { return note(run_csi_node(s, kernel_, outcome_)); }
  Result<void> operator()(const PublishCsiController& s) { return note(attach_csi(s, kernel_, outcome_)); }
  Result<void> operator()(const UnpublishCsiController& s) { return note(detach_csi(s, kernel_, outcome_)); }
  Result<void> operator()(const MeasureCsiVolume& s) { return measure_csi_volume(s, kernel_, outcome_); }
  template <class S>
  requires requires(const S& s, kernel::Kernel kernel, Outcome& o) { run_flex(s, kernel, o); }
  Result<void> operator()(const S& s) { return note(run_flex(s, kernel_, outcome_)); }
  template <class S>
  requires requires(const S& s, kernel::Drivers& d, Outcome& o) { run_csi_controller(s, d, o); }
  Result<void> operator()(const S& s) { return note(run_csi_controller(s, kernel_.drivers, outcome_)); }
  Result<void> operator()(const MeasureUsage& step) { return measure_usage(step, kernel_, outcome_); }
  Result<void> operator()(const MeasureDirectory& step) { return measure_directory(step, kernel_, outcome_); }
  Result<void> operator()(const ProbeCsiDriver& s) { return probe_csi_driver(s, kernel_.drivers, outcome_); }
  Result<void> operator()(const NotifyRegistration& s) { return notify_registration(s, kernel_.drivers); }

 private:
  Result<bool> is_ready_for(const std::string& path, std::string_view type);
  Result<void> after_mount(Result<void> mounted, const std::string& path, std::string_view type);
  Result<bool> is_bound(const BindMount& step, const MountFact& mounted);
  bool is_gone(const std::string& path);
  /// Notes if a step changed something.
  Result<void> note(Result<bool> is_changed);

  kernel::Kernel kernel_;
  Waiting waiting_;
  Outcome& outcome_;
};

Result<void> Runner::operator()(const MakePodDirectory& step) {
  const Stamp stamp{step.uid, step.name_space, step.name};
  const std::string path = layout::stamp(step.uid);
  MOORING_TRY(const bool is_new, kernel_.files.make_directory(layout::pod(step.uid), layout::private_mode));
  if (!is_new) {
    const Result<std::string> there = kernel_.files.read_file(path, stamp_size_max);
    if (there && decode_stamp(there.value()) == stamp) return success();
    if (!there && there.error().errno_value != ENOENT) return there.error();
    if (there) {  // An earlier pod of the same uid under another name, or a stamp that a crash cut short.
      MOORING_TRY(kernel_.files.remove_file(path));
    } else {
      MOORING_TRY(check_not_foreign(step.uid, kernel_.files));
    }
  }
  MOORING_TRY(const bool is_made, kernel_.files.create_file(path, encode_stamp(stamp), 0640));
  outcome_.changed = outcome_.changed || is_made;
  return success();
}

Result<void> Runner::operator()(const MakeDirectory& step) {
  MOORING_TRY(const bool is_made, kernel_.files.make_directory(step.path, step.mode));
  outcome_.changed = outcome_.changed || is_made;
  return success();
}

/// True if a new `type` may be mounted on `path`; false if one is there. Never covers another mount or data.
Result<bool> Runner::is_ready_for(const std::string& path, std::string_view type) {
  MOORING_TRY(const auto mounted, kernel_.mounts.at(path));
  if (mounted && mounted->type == type) return false;
  if (mounted) {
    return refusal("ForeignMount",
                   "a " + mounted->type + " that Mooring did not make is mounted where the volume's " +
                       std::string(type) + " belongs",
                   path, "unmount it");
  }
  MOORING_TRY(const auto entries, kernel_.files.list(path));
  if (entries.empty()) return true;
  return refusal(
      "DirectoryNotEmpty",
      "the directory under the mount holds data (" + entries.front().name + "), which the mount would hide",
      path, "move the data away, or remove it if nobody needs it");
}

/// The return code of a mount is a hint: what lies there now decides.
Result<void> Runner::after_mount(Result<void> mounted, const std::string& path, std::string_view type) {
  outcome_.changed = true;
  if (mounted) return mounted;
  const auto there = kernel_.mounts.at(path);
  return there && there.value() && there.value()->type == type ? Result<void>(success()) : mounted;
}

Result<void> Runner::operator()(const MountTmpfs& step) {
  MOORING_TRY(const bool is_needed, is_ready_for(step.path, "tmpfs"));
  if (!is_needed) return success();
  return after_mount(kernel_.mounts.mount_tmpfs(step.path, {step.size_bytes, step.mode, step.is_secret}),
                     step.path, "tmpfs");
}

Result<void> Runner::operator()(const MountHugetlbfs& step) {
  MOORING_TRY(const bool is_needed, is_ready_for(step.path, "hugetlbfs"));
  if (is_needed) {
    return after_mount(kernel_.mounts.mount_hugetlbfs(step.path, step.page_size_bytes), step.path,
                       "hugetlbfs");
  }
  MOORING_TRY(const std::uint64_t there_bytes, kernel_.mounts.block_size(step.path));
  if (there_bytes == step.page_size_bytes) return success();
  return refusal("OtherPageSize",
                 "a hugetlbfs with pages of " + std::to_string(there_bytes) +
                     " bytes is mounted where one with " + std::to_string(step.page_size_bytes) + " belongs",
                 step.path, "remove the pod's manifest and put it back");
}

/// True if what is mounted is a bind of just this source, and read-only if that is asked for. A bind of what
/// is read-only itself is read-only in any case.
Result<bool> Runner::is_bound(const BindMount& step, const MountFact& mounted) {
  MOORING_TRY(const auto source, kernel_.files.host_status({step.source, std::nullopt}));
  MOORING_TRY(const auto target, kernel_.files.status(step.target));
  const bool is_same = source && target && source->device == target->device && source->inode == target->inode;
  return is_same && (!step.read_only || mounted.is_read_only());
}

Result<void> Runner::operator()(const BindMount& step) {
  MOORING_TRY(const auto staged, staged_for(step, kernel_));
  MOORING_TRY(const auto mounted, kernel_.mounts.at(step.target));
  if (mounted) {
    MOORING_TRY(const bool is_there, is_bound(step, *mounted));
    if (is_there) return success();
    return refusal("ForeignMount", "something else is mounted where the bind of " + step.source + " belongs",
                   step.target, "unmount it");
  }
  outcome_.changed = true;
  const Result<void> bound = kernel_.mounts.bind({step.source, step.target, step.read_only, step.recursive});
  if (bound && staged) return check_staged(step, *staged, kernel_.mounts);
  if (bound) return bound;
  // The return code is a hint: what lies there now decides.
  const auto now = kernel_.mounts.at(step.target);
  if (!now || !now.value()) return bound;
  const auto is_there = is_bound(step, *now.value());
  return is_there && is_there.value() ? Result<void>(success()) : bound;
}

Result<void> Runner::operator()(const Unmount& step) {
  MOORING_TRY(const auto mounted, kernel_.mounts.at(step.path));
  if (!mounted) return success();
  bool is_ours = step.types.empty();
  for (const std::string& type : step.types)
    is_ours = is_ours || (type == "bind" ? is_bind_of_itself(*mounted, step.path) : type == mounted->type);
  if (!is_ours) {
    return refusal("ForeignMount", "a " + mounted->type + " that Mooring did not make is mounted there",
                   step.path, "unmount it");
  }
  MOORING_TRY(check_not_foreign(step.path, kernel_.files));
  const Result<void> unmounted = kernel_.mounts.unmount(step.path);
  outcome_.changed = true;
  // The return code is a hint: what lies there now decides.
  const auto now = kernel_.mounts.at(step.path);
  if (!unmounted && unmounted.error().reason != "NotMounted" && (!now || now.value())) return unmounted;
  MOORING_TRY(const auto left, now);
  if (!left) return success();
  Error error =
      refusal("MountedBelow", "another mount (" + left->type + ") lies under the one that was unmounted",
              step.path, "unmount it; Mooring goes on by itself then");
  error.kind = ErrorKind::Transient;
  return error;
}

Result<void> Runner::note(Result<bool> is_changed) {
  if (!is_changed) return std::move(is_changed).error();
  outcome_.changed = outcome_.changed || is_changed.value();
  return success();
}

Result<void> Runner::operator()(const RemoveDirectory& step) {
  MOORING_TRY(check_not_foreign(step.path, kernel_.files));
  outcome_.changed = true;
  return remove_empty(step.path, kernel_.files);
}

/// True only if there is certainly nothing at `path`.
bool Runner::is_gone(const std::string& path) {
  const auto status = kernel_.files.status(path);
  return status && !status.value();
}

Result<void> Runner::operator()(const DiscardDirectory& step) {
  MOORING_TRY(const auto status, kernel_.files.status(step.path));
  if (!status) return success();
  if (status->is_mount_root) {
    Error error = refusal("MountedBelow", "something is mounted on the directory that is to be removed",
                          step.path, "unmount it; Mooring goes on by itself then");
    error.kind = ErrorKind::Transient;
    return error;
  }
  MOORING_TRY(check_not_foreign(step.path, kernel_.files));
  outcome_.changed = true;
  const Result<void> removed = kernel_.files.remove_directory(step.path);
  if (removed || removed.error().errno_value != ENOTEMPTY) return removed;
  MOORING_TRY(kernel_.files.make_directory(std::string(layout::trash), 0700));
  const Result<void> moved = kernel_.files.rename(step.path, layout::trash_entry(step.trash_name));
  // An error is a hint: what is not there any more was moved.
  if (!moved && !is_gone(step.path)) return moved;
  outcome_.trash_entry = step.trash_name;
  return success();
}

Result<void> Runner::operator()(const EmptyTrash& step) {
  if (!layout::is_path_element(step.name)) {
    return refusal("BadName", "not the name of an entry of the trash: " + step.name, {}, {});
  }
  if (is_gone(layout::trash_entry(step.name))) return success();
  outcome_.changed = true;
  return kernel_.files.remove_tree(layout::trash_entry(step.name));
}

Result<void> Runner::operator()(const RemovePodDirectory& step) {
  MOORING_TRY(check_not_foreign(step.uid, kernel_.files));
  MOORING_TRY(const bool is_released, release_all_sub_paths(step.uid, kernel_));
  outcome_.changed = outcome_.changed || is_released;
  MOORING_TRY(note(remove_left_device_links(step.uid, kernel_)));
  for (const std::string& parent : {layout::volumes(step.uid), layout::devices(step.uid)}) {
    const auto plugins = kernel_.files.list(parent);
    if (!plugins && plugins.error().errno_value == ENOENT) continue;
    if (!plugins) return plugins.error();
    for (const auto& plugin : plugins.value()) {
      if (plugin.type == kernel::FileType::Directory) {
        MOORING_TRY(remove_empty(parent + "/" + plugin.name, kernel_.files));
      }
    }
    MOORING_TRY(remove_empty(parent, kernel_.files));
  }
  // The stamp goes last of all files: while anything is left, the directory stays provably Mooring's.
  const std::string pod = layout::pod(step.uid);
  const auto entries = kernel_.files.list(pod);
  if (!entries) {
    if (entries.error().errno_value == ENOENT) return success();
    return entries.error();
  }
  for (const auto& entry : entries.value()) {
    if (entry.name != layout::stamp_name && !layout::is_stamp_leftover(entry.name))
      return remove_empty(pod, kernel_.files);
  }
  outcome_.changed = true;
  for (const auto& entry : entries.value()) {
    if (!layout::is_stamp_leftover(entry.name)) continue;
    MOORING_TRY(kernel_.files.remove_file(pod + "/" + entry.name));
  }
  MOORING_TRY(kernel_.files.remove_file(layout::stamp(step.uid)));
  return remove_empty(pod, kernel_.files);
}

Result<void> Runner::operator()(const CheckHostPath& step) {
  MOORING_TRY(const bool is_made, check_host_path(step, kernel_.files));
  outcome_.changed = outcome_.changed || is_made;
  return success();
}

Result<void> Runner::operator()(const WatchHostPath& step) {
  MOORING_TRY(outcome_.watches, kernel_.files.watch_host({step.path, step.confined_to}));
  return success();
}

Result<void> Runner::operator()(const ScanTree&) {
  MOORING_TRY(TreeFacts tree, scan_tree(kernel_));
  outcome_.tree = std::move(tree);
  return success();
}

Result<void> Runner::operator()(const PublishFiles& step) {
  MOORING_TRY(const bool is_changed, publish_files(step, kernel_.files));
  outcome_.changed = outcome_.changed || is_changed;
  return success();
}

Result<void> Runner::operator()(const BindSubPath& step) {
  MOORING_TRY(const bool is_changed, bind_sub_path(step, kernel_));
  outcome_.changed = outcome_.changed || is_changed;
  return success();
}

Result<void> Runner::operator()(const ReleaseSubPaths& step) {
  MOORING_TRY(check_not_foreign(step.uid, kernel_.files));
  MOORING_TRY(const bool is_changed, release_sub_paths(step.uid, step.volume, kernel_));
  outcome_.changed = outcome_.changed || is_changed;
  return success();
}

Result<void> Runner::operator()(const UnmountLeftovers& step) {
  // What is listed is there: it is not asked, its server may be gone.
  MOORING_TRY(const auto listed, kernel_.mounts.listed_at(step.path));
  if (!listed && is_gone(step.path)) return success();
  MOORING_TRY(check_not_foreign(step.path, kernel_.files));
  MOORING_TRY(const std::uint32_t unmounted,
              kernel_.mounts.unmount_below(step.path, step.kept, kernel::Leftovers::All));
  outcome_.changed = outcome_.changed || unmounted != 0;
  return success();
}

}  // namespace

Outcome execute(const Operation& operation, kernel::Kernel kernel, const std::function<bool()>& may_go_on,
                const TellProgress& tell) {
  Outcome outcome;
  outcome.id = operation.id;
  CallLog drivers(kernel.drivers, outcome.csi_calls);
  Runner runner({kernel.files, kernel.mounts, kernel.devices, drivers}, {may_go_on, tell}, outcome);
  for (const Step& step : operation.steps) {
    if (may_go_on && !may_go_on()) {
      outcome.error = refusal("CoreGone", "the core that asked for it is gone", {}, {});
      return outcome;
    }
    Result<void> done = std::visit(runner, step);
    if (!done) {
      Error error = std::move(done).error();
      if (error.step.empty()) error.step = describe(step);
      outcome.error = std::move(error);
      return outcome;
    }
    ++outcome.steps_done;
  }
  return outcome;
}

}  // namespace mooring
