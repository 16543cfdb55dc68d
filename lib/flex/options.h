#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/secret_bytes.h"

namespace mooring::flex {

/// What every call with options tells a driver of the volume (kubelet-behaviours 16).
struct VolumeOptions {
  std::string name;                            ///< kubernetes.io/pvOrVolumeName.
  std::string file_system_type;                ///< kubernetes.io/fsType; may be empty.
  bool read_only = false;                      ///< kubernetes.io/readwrite: "ro" or "rw".
  std::map<std::string, std::string> options;  ///< The manifest's own; they win over all others.
};

/// What only `mount` tells it besides.
struct PodOptions {
  std::string name;
  std::string name_space;
  std::string uid;
  std::string service_account;
  std::optional<std::int64_t> fs_group;
  std::map<std::string, SecretBytes> secrets;  ///< Of secretRef, by key; told in base64.
};

/// The argument: one JSON object whose values are all strings, its keys sorted. `pod` is nullptr for every
/// call but `mount`.
SecretBytes options_json(const VolumeOptions& volume, const PodOptions* pod);

/// Standard base64 (RFC 4648, section 4) with its padding.
SecretBytes encode_base64(const SecretBytes& bytes);

}  // namespace mooring::flex
