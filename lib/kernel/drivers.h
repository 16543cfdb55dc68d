#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "facts/call_code.h"
#include "facts/driver_name.h"

namespace mooring::kernel {

/// One call of a driver that listens on a socket: a CSI driver, or whoever registers one.
struct DriverCall {
  std::string socket;   ///< Absolute.
  std::string method;   ///< "csi.v1.Node/NodeStageVolume".
  SecretBytes request;  ///< JSON, as protobuf maps its messages to it, with the names of the .proto.
  std::uint32_t deadline_ms = 0;  ///< For connecting and the answer together.
  DriverName driver = {};         ///< Whose socket it is, as far as that is known; it changes nothing.
};

/// What came of a call. `code` says who knows what: see CallCode, and csi/errors.h for what follows from it.
struct DriverAnswer {
  CallCode code = CallCode::Ok;
  std::string message;   ///< The driver's own words, bounded; of anything but Ok.
  std::string response;  ///< JSON, as the request; of Ok. May hold secrets of a created volume's context.
  std::uint64_t duration_us = 0;  ///< How long it took to know.
};

/// One call of a driver that is a program (FlexVolume).
struct ProgramCall {
  std::string program;  ///< Absolute.
  std::vector<SecretBytes> arguments;
  std::uint32_t deadline_ms = 0;
  std::size_t output_bytes_max = 0;  ///< More is not kept, and `is_too_long`.
};

/// How it ended.
struct ProgramAnswer {
  int status = 0;        ///< Its exit status; -1 if a signal ended it.
  int signal = 0;        ///< 0: none.
  bool is_late = false;  ///< It was killed at its deadline, with all that it had started.
  bool is_too_long = false;
  std::string output;  ///< Both streams as they came.
};

/// Drivers outside: programs and servers that somebody else wrote, which may hang, crash and answer anything.
class Drivers {
 public:
  virtual ~Drivers() = default;

  /// Calls, and waits until the deadline at most. Whatever the driver did is an answer: nobody listens
  /// (Unavailable), no answer in time (DeadlineExceeded), an answer that is none (Unavailable, which says
  /// so). Transient, "SpawnFailed": nothing was sent. Uncertain, "DriverCallLost": the process that called
  /// ended.
  virtual Result<DriverAnswer> call(const DriverCall& call) = 0;
  /// Runs, and waits until the deadline at most. Transient, "SpawnFailed", with errno: it was not started
  /// (ENOENT: it is gone; EACCES: it is not executable; ETXTBSY: it is being written). Transient,
  /// "DriverServiceUnavailable": who is to run it cannot be reached. Uncertain, "DriverCallLost": it was run,
  /// and nobody says what came of it.
  virtual Result<ProgramAnswer> run(const ProgramCall& call) = 0;
};

}  // namespace mooring::kernel
