#pragma once

#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

// How the steps of FlexVolume drivers are done. Each answers true if it changed something, or may have.

Result<bool> run_flex(const ProbeFlexDriver& step, kernel::Kernel kernel, Outcome& outcome);
Result<bool> run_flex(const StageFlexVolume& step, kernel::Kernel kernel, Outcome& outcome);
Result<bool> run_flex(const UnstageFlexVolume& step, kernel::Kernel kernel, Outcome& outcome);
Result<bool> run_flex(const GrowFlexVolume& step, kernel::Kernel kernel, Outcome& outcome);
Result<bool> run_flex(const PublishFlexVolume& step, kernel::Kernel kernel, Outcome& outcome);
Result<bool> run_flex(const UnpublishFlexVolume& step, kernel::Kernel kernel, Outcome& outcome);

/// A call that was to mount something at `path`, where nothing was mounted before, failed: unmounts what it
/// left, so that nobody takes half of it for the whole. The error, Uncertain if something is left.
Error unmount_failed(Error error, const std::string& path, kernel::Kernel kernel);
/// The same, and removes the directory if it is empty.
Error undo_failed_mount(Error error, const std::string& path, kernel::Kernel kernel);

/// Unmounts what is mounted at `path` without asking its file system anything; nothing there is success.
/// True if there was something.
Result<bool> unmount_by_default(const std::string& path, kernel::Mounts& mounts);

/// After a driver said that it unmounted: "StillMounted" if something is listed at `path` all the same.
Result<void> check_unmounted(const FlexProgram& program, const std::string& path, kernel::Mounts& mounts);

}  // namespace mooring
