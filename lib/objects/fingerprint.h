#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "manifest/pod.h"

namespace mooring {

/// A 64-bit FNV-1a hash (Fowler, Noll, Vo): stable over machines and builds, unlike std::hash. Not for
/// security.
std::uint64_t stable_hash(std::string_view bytes);

/// A hash of all that Mooring reads of a pod but its name, uid and origin: equal for equal content.
std::uint64_t fingerprint(const manifest::Pod& pod);

/// `count` letters in Kubernetes' safe alphabet ("bcdfghjklmnpqrstvwxz2456789", apimachinery's rand) for a
/// number.
std::string safe_letters(std::uint64_t number, std::size_t count);

}  // namespace mooring
