#include "operation/device_checks.h"
#include "operation/flex_call.h"
#include "operation/flex_steps.h"
#include "operation/proof.h"
#include "step/layout.h"

// FlexVolume volumes of one pod: `mount` and `unmount`.

namespace mooring {
namespace {

using flex::Command;
using kernel::UnmountForce;

std::vector<SecretBytes> secrets_of(const FlexPod& pod) {
  std::vector<SecretBytes> secrets;
  for (const FlexSecret& secret : pod.secrets)
    secrets.push_back(secret.value);
  return secrets;
}

/// What a driver without `mount` has staged: a mount, or a directory that it wrote into. An empty directory
/// is neither, and what a pod wrote there would be lost to its volume.
Result<void> check_staged_somehow(const PublishFlexVolume& step, kernel::Kernel kernel) {
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(step.staged_path));
  if (mounted) return success();
  const auto entries = kernel.files.list(step.staged_path);
  if (entries && !entries.value().empty()) return success();
  return obstacle("NotStaged",
                  "the driver does not support mount, and nothing is mounted at " + step.staged_path,
                  step.path, "Mooring mounts it again; see what unmounts it, or what the driver can do");
}

/// `mount` is not supported: what is staged is bound. It is read-only where the mount of the device is.
Result<void> mount_by_default(const PublishFlexVolume& step, kernel::Kernel kernel) {
  if (step.staged_path.empty()) {
    Error error = refusal("MountNotSupported",
                          "the FlexVolume driver " + step.program.driver.str() +
                              " supports neither mount nor attach, so it cannot make volumes",
                          "see to the driver: its `mount` answers \"Not supported\"");
    error.path = step.path;
    return error;
  }
  MOORING_TRY(check_staged_somehow(step, kernel));
  MOORING_TRY(const std::string source, kernel.mounts.listed_path(step.staged_path));
  return kernel.mounts.bind({source, step.path, step.volume.read_only, false});
}

}  // namespace

Error unmount_failed(Error error, const std::string& path, kernel::Kernel kernel) {
  const auto left = kernel.mounts.listed_at(path);
  if (left && left.value()) {
    static_cast<void>(kernel.mounts.unmount_unseen(path, UnmountForce::None));
    const auto now = kernel.mounts.listed_at(path);
    if (!now || now.value()) {
      error.kind = ErrorKind::Uncertain;
      error.message += "; what it left mounted there could not be unmounted";
    }
  }
  if (error.path.empty()) error.path = path;
  return error;
}

Error undo_failed_mount(Error error, const std::string& path, kernel::Kernel kernel) {
  error = unmount_failed(std::move(error), path, kernel);
  // What it wrote there instead stays: removing the directory fails then.
  const auto now = kernel.mounts.listed_at(path);
  if (now && !now.value()) static_cast<void>(kernel.files.remove_directory(path));
  return error;
}

Result<bool> unmount_by_default(const std::string& path, kernel::Mounts& mounts) {
  MOORING_TRY(const auto there, mounts.listed_at(path));
  if (!there) return false;
  const Result<void> unmounted = mounts.unmount_unseen(path, UnmountForce::None);
  // The return code is a hint: what is listed there now decides.
  const auto now = mounts.listed_at(path);
  if (!unmounted && (!now || now.value())) return unmounted.error();
  return true;
}

Result<void> check_unmounted(const FlexProgram& program, const std::string& path, kernel::Mounts& mounts) {
  MOORING_TRY(const auto left, mounts.listed_at(path));
  if (!left) return success();
  Error error =
      obstacle("StillMounted",
               "the FlexVolume driver " + program.driver.str() + " says that it unmounted it, and " +
                   left->source + " (" + left->type + ") is mounted there",
               path, "unmount it, or see to the driver; Mooring tries again");
  error.kind = ErrorKind::Uncertain;
  return error;
}

namespace {

/// What the driver mounted before it failed, or before nobody heard that it did not, it has to undo itself:
/// there may be more to it than the mount. If it cannot, the mount stays, and with it the driver's turn to
/// unmount it.
Error undo_by_driver(Error error, const PublishFlexVolume& step, FlexCaller& caller, kernel::Kernel kernel) {
  const auto left = kernel.mounts.listed_at(step.path);
  const auto path = kernel.mounts.listed_path(step.path);
  if (left && left.value() && path) {
    const Result<flex::Answer> undone = caller.call(Command::Unmount, {SecretBytes(path.value())});
    if (!undone) {
      error.kind = ErrorKind::Uncertain;
      error.message += "; what it left mounted there could not be unmounted: " + undone.error().message;
      if (error.path.empty()) error.path = step.path;
      return error;
    }
  }
  return undo_failed_mount(std::move(error), step.path, kernel);
}

}  // namespace

Result<bool> run_flex(const PublishFlexVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  // What is listed is not asked anything: its server may be gone.
  MOORING_TRY(const auto there, kernel.mounts.listed_at(step.path));
  if (there) return false;
  MOORING_TRY(kernel.files.make_directory(step.path, layout::private_mode));
  MOORING_TRY(const std::string path, kernel.mounts.listed_path(step.path));
  FlexCaller caller(step.program, secrets_of(step.pod), kernel.drivers, outcome);
  const Result<flex::Answer> answer =
      caller.call(Command::Mount, {SecretBytes(path), flex_options(step.volume, &step.pod)});
  if (!answer) return undo_by_driver(answer.error(), step, caller, kernel);
  if (answer.value().is_supported) return true;  // Mounted or not: it may have written into the directory.
  const Result<void> bound = mount_by_default(step, kernel);
  if (!bound) return undo_failed_mount(bound.error(), step.path, kernel);
  return true;
}

Result<bool> run_flex(const UnpublishFlexVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  MOORING_TRY(const auto there, kernel.mounts.listed_at(step.path));
  if (!there) {
    MOORING_TRY(const auto status, kernel.files.status(step.path));
    if (!status) return false;
  }
  MOORING_TRY(check_not_foreign(step.path, kernel.files));
  MOORING_TRY(const std::string path, kernel.mounts.listed_path(step.path));
  FlexCaller caller(step.program, {}, kernel.drivers, outcome);
  MOORING_TRY(const flex::Answer answer, caller.call(Command::Unmount, {SecretBytes(path)}));
  if (!answer.is_supported) {
    MOORING_TRY(unmount_by_default(step.path, kernel.mounts));
  }
  MOORING_TRY(check_unmounted(step.program, step.path, kernel.mounts));
  // The driver may have removed it. What it left in it is not Mooring's to remove.
  MOORING_TRY(remove_if_empty(step.path, kernel.files));
  return true;
}

}  // namespace mooring
