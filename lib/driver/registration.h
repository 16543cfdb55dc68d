#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "facts/driver_name.h"

namespace mooring {

// How CSI drivers make themselves known (kubelet-behaviours 15.1): a socket below `<root>/plugins_registry`,
// on which somebody answers GetInfo and hears what became of it. Rules only; core/registrar.h keeps track.

/// What a socket is: another one under the same path is another socket.
struct SocketIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;  ///< When it was made, where its file system knows: inode numbers are given anew.
  friend bool operator==(const SocketIdentity&, const SocketIdentity&) = default;
};

/// A socket in the registry.
struct RegistrySocket {
  std::string path;  ///< Absolute.
  SocketIdentity identity;
  friend bool operator==(const RegistrySocket&, const RegistrySocket&) = default;
};

/// A driver that the configuration names.
struct NamedDriver {
  DriverName name;     ///< Empty: whatever it calls itself.
  std::string socket;  ///< Absolute: its own, not one of the registry; empty: it registers itself.
  std::string controller_socket = {};  ///< Of its controller service, if that is elsewhere.
  friend bool operator==(const NamedDriver&, const NamedDriver&) = default;
};

/// True if a file or directory of this name is looked at in the registry: those that start with '.' are being
/// made.
bool counts_in_registry(std::string_view name);

/// A version of the protocol: "1.9.0".
class DriverVersion {
 public:
  /// As Kubernetes reads it (apimachinery, version.ParseGeneric): two numbers or more with dots between, with
  /// or without a `v` before and anything behind; none starts with a zero that is not all of it. nullopt: it
  /// is no version.
  static std::optional<DriverVersion> parse(std::string_view text);

  std::uint32_t major() const { return parts_.front(); }
  /// Its numbers, with dots.
  std::string text() const;
  /// What one has not, is a zero: "1.2" is "1.2.0".
  friend std::strong_ordering operator<=>(const DriverVersion& one, const DriverVersion& other);
  friend bool operator==(const DriverVersion& one, const DriverVersion& other) {
    return (one <=> other) == std::strong_ordering::equal;
  }

 private:
  std::vector<std::uint32_t> parts_ = {0};
};

/// What a registration socket says of itself (pluginregistration.v1 PluginInfo).
struct RegistrationInfo {
  std::string type;
  std::string name;
  std::string endpoint;  ///< Empty: the registration socket itself.
  std::vector<std::string> versions;
};

/// A registration that may go on.
struct Registration {
  DriverName name;
  std::string endpoint;  ///< Absolute.
  DriverVersion version;
};

/// The highest version of the protocol that both speak; Final, "UnsupportedVersion": there is none. What is
/// no version, and what is of a higher major number than 1, is passed over.
Result<DriverVersion> choose_version(std::string_view driver, const std::vector<std::string>& versions);

/// Checks what a socket at `socket` says of itself. Final errors, in the words of the kubelet: "NoHandler" (a
/// plugin of another type), "BadName", "UnsupportedVersion", "BadEndpoint".
Result<Registration> check_registration(const RegistrationInfo& info, const std::string& socket);

/// Final, "BadName": the name is none that a driver may have (CSI, GetPluginInfo: a domain name of at most 63
/// characters).
Result<void> check_driver_name(const std::string& name);
/// Final, "BadEndpoint": no server can listen there.
Result<void> check_endpoint(const std::string& endpoint);

/// Final, "AlreadyRegistered": a driver of the name is registered with a version that is not lower.
Result<void> check_successor(const DriverName& name, std::string_view registered_version,
                             std::string_view registered_socket, std::string_view version);

/// Words of a driver as they may go into a message: on one line, without control characters, at most 1 KiB.
std::string driver_words(std::string_view text);

}  // namespace mooring
