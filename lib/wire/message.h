#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "step/step.h"

namespace mooring::wire {

/// Both ends are of one build; a different version is refused at the greeting.
inline constexpr std::uint32_t protocol_version = 8;
/// Largest message that goes through the socket itself, below the 212,960 bytes that a SOCK_SEQPACKET socket
/// takes by default; a larger one goes in a memory file whose descriptor is sent (agent/packet).
inline constexpr std::size_t message_size_max = 192 * 1024;
/// Largest message of all: many times what the objects of one volume may hold.
inline constexpr std::size_t large_message_size_max = 64 * 1024 * 1024;

/// Core → worker, first message, with the core's inotify descriptor attached (SCM_RIGHTS).
struct Welcome {
  std::uint32_t version = protocol_version;
  std::string root_dir;  ///< Absolute.
  /// The directory that the core locked, as makedev() and inode number: the root directory is served only
  /// while its path leads to just that.
  std::uint64_t root_device = 0;
  std::uint64_t root_inode = 0;
};

/// Worker → core, answer to Welcome, with a descriptor of the worker's /proc/self/mountinfo attached
/// (SCM_RIGHTS).
struct Hello {
  std::uint32_t version = protocol_version;
  std::int32_t pid = 0;
  std::string
      root_dir;  ///< Absolute and resolved: the prefix by which mountinfo names what lies below the root.
  std::string problem;  ///< Not empty: the worker cannot serve, and why ("wrong mount namespace ...").
};

/// Core → worker: operations to do in order.
struct Batch {
  std::vector<Operation> operations;
};

/// Worker → core: what became of operations, in order.
struct Outcomes {
  std::vector<Outcome> outcomes;
};

using Message = std::variant<Welcome, Hello, Batch, Outcomes>;

/// The bytes of one message, which may hold secrets: wipe them. The caller keeps a batch small enough (see
/// encoded_size()).
std::string encode(const Message& message);
/// The bytes that one operation adds to a batch.
std::size_t encoded_size(const Operation& operation);
/// The message of `bytes`; a message that is cut short, has trailing bytes, an unknown tag or an impossible
/// count is an error (Final, "BadMessage"). Never reads past the end, never allocates more than the bytes can
/// hold.
Result<Message> decode(std::string_view bytes);

}  // namespace mooring::wire
