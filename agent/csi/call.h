#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/secret_bytes.h"
#include "csi_call/messages.h"
#include "facts/call_code.h"

namespace mooring::csi_call {

/// The largest message that a driver may answer: gRPC's own default, which all of them are written for.
constexpr std::size_t message_bytes_max = 4UL * 1024 * 1024;

struct Call {
  std::string socket;  ///< Absolute.
  Method method;
  SecretBytes request;  ///< As it is sent.
  std::chrono::milliseconds deadline{0};
};

struct Answer {
  CallCode code = CallCode::Ok;
  std::string message;   ///< The driver's, as it came; or why there is none.
  std::string response;  ///< As it was sent; of Ok.
};

/// Connects, calls, and waits until the deadline at most. There is one attempt: whether to call again is not
/// decided here. Unavailable: nobody listens, or the connection broke. DeadlineExceeded: no answer in time.
/// ResourceExhausted: the answer is larger than message_bytes_max.
///
/// The connection's authority is "localhost", as of all Unix sockets: servers refuse one that holds a path.
Answer call(const Call& call);

}  // namespace mooring::csi_call
