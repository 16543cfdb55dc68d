#pragma once

#include <string>

#include "base/result.h"
#include "manifest/objects.h"

namespace mooring {

/// The directory that a pathPattern asks for, below the export:
///
///     ${.PVC.namespace}  ${.PVC.name}  ${.PVC.labels.KEY}  ${.PVC.annotations.KEY}
///
/// A label or annotation that the claim does not have is empty, as in nfs-subdir-external-provisioner; so is
/// the answer if nothing is left of the pattern. A value is one element or a part of one: with a slash in it
/// whoever writes the claim could choose any place below the export. "InvalidPath" for that, for empty, "."
/// and ".." elements, one that Mooring keeps for itself (layout::is_volume_directory), and one that is too
/// long; "InvalidParameters" for another variable.
Result<std::string> directory_of_pattern(const std::string& pattern,
                                         const manifest::PersistentVolumeClaim& claim);

}  // namespace mooring
