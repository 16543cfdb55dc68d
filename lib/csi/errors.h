#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "facts/call_code.h"
#include "facts/driver_name.h"

namespace mooring::csi {

/// What a call was about; the errors of some mean less than those of others.
enum class Call : std::uint8_t { Stage, Publish, Unpublish, Unstage, Expand, Stats };

/// What follows from the answer of a driver (kubelet-behaviours 15.4).
///
///     | code                                                       | is_final | kind      | keeps_files |
///     | Ok                                                         | yes      | -         | yes         |
///     | Cancelled, DeadlineExceeded, Unavailable,                  | no       | Uncertain | yes         |
///     |   ResourceExhausted, Aborted                               |          |           |             |
///     | InvalidArgument, Unimplemented, OutOfRange                 | yes      | Final     | no          |
///     | every other                                                | yes      | Transient | no          |
///
/// Final is that the driver is surely not at it any more, so that nothing is there and nothing has to be
/// undone. What is worth another try soon is another question: a driver's Internal may be over in a second,
/// an argument that it refuses stays the same until somebody changes a manifest.
struct Verdict {
  bool is_final = true;
  ErrorKind kind = ErrorKind::Transient;
  /// The directory and its vol_data.json stay, and the way down is gone in any case. Of the way up alone: on
  /// the way down they stay until the driver says Ok.
  bool keeps_files = false;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};
Verdict verdict_of(CallCode code);

/// As gRPC spells it: "FailedPrecondition". A number that has no name is one of a driver that makes up its
/// own; it is final, as in the kubelet.
std::string_view to_string(CallCode code);
std::string_view to_string(Call call);

/// The error of a call that did not end with Ok: "StageFailed", "PublishFailed" and so on, with the driver,
/// the code and its own words, bounded and cleaned.
Error call_error(Call call, const DriverName& driver, CallCode code, std::string_view message);

/// Transient, "DriverNotRegistered": nobody listens under this name.
Error not_registered(const DriverName& driver);

}  // namespace mooring::csi
