#pragma once

#include <string>

#include "manifest/objects.h"

namespace mooring::manifest {

/// The object as a JSON document on one line, as Kubernetes writes it: apiVersion, kind, metadata, spec.
/// parse_file() reads an equal object from it, but for where it stands. So is every object that the parser
/// gave; one that was made otherwise must be such that the parser would take it (access modes, a source that
/// a PersistentVolume may have).
std::string encode(const PersistentVolume& volume);
/// Likewise; the owner is no part of a manifest and is left out.
std::string encode(const PersistentVolumeClaim& claim);

}  // namespace mooring::manifest
