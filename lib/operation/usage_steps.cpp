#include "operation/usage_steps.h"

#include "operation/proof.h"
#include "operation/volume_directories.h"

namespace mooring {

Result<bool> limit_directory(const LimitDirectory& step, kernel::Kernel kernel) {
  if (!step.base.empty()) return limit_volume_directory(step, kernel);
  MOORING_TRY(check_not_foreign(step.path, kernel.files));
  return kernel.files.limit_directory(step.path, step.size_bytes);
}

Result<bool> unlimit_directory(const UnlimitDirectory& step, kernel::Kernel kernel) {
  MOORING_TRY(check_not_foreign(step.path, kernel.files));
  return kernel.files.unlimit_directory(step.path);
}

Result<void> measure_usage(const MeasureUsage& step, kernel::Kernel kernel, Outcome& outcome) {
  MOORING_TRY(outcome.usage, kernel.mounts.usage(step.path));
  return success();
}

/// What there is and what is left is the file system's, or the project's if that is limited: statfs(2) says
/// so of a directory that has one. What is used is the directory's own.
Result<void> measure_directory(const MeasureDirectory& step, kernel::Kernel kernel, Outcome& outcome) {
  MOORING_TRY(FileSystemUsage usage, kernel.mounts.usage(step.path));
  MOORING_TRY(const kernel::DirectoryUsage own, kernel.files.directory_usage(step.path));
  usage.used_bytes = own.used_bytes;
  usage.inodes_used = own.inodes_used;
  outcome.usage = usage;
  outcome.is_enforced = own.is_enforced;
  return success();
}

}  // namespace mooring
