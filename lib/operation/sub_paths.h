#pragma once

#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

/// Does a BindSubPath. True if something was changed.
Result<bool> bind_sub_path(const BindSubPath& step, kernel::Kernel kernel);

/// Unmounts and removes all below `pods/<uid>/volume-subpaths/<volume>`, and the directory above it if that
/// is empty then. What is mounted below a part goes with it, and stays in the volume that the part is of.
/// Something there that is no subPath mount (its name is no number, or it has content) stays and is named
/// ("NotEmpty"). True if something was changed.
Result<bool> release_sub_paths(const PodUid& uid, const VolumeName& volume, kernel::Kernel kernel);

/// The same for all volumes of a pod.
Result<bool> release_all_sub_paths(const PodUid& uid, kernel::Kernel kernel);

}  // namespace mooring
