#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "driver/drivers.h"

namespace mooring::flex {

/// The commands of the protocol (kubelet-behaviours 16).
enum class Command : std::uint8_t {
  Init,
  GetVolumeName,
  Attach,
  IsAttached,
  WaitForAttach,
  MountDevice,
  UnmountDevice,
  Mount,
  Unmount,
  Detach,
  ExpandVolume,
  ExpandFs,
};
/// As a driver is called: "waitforattach".
std::string_view to_string(Command command);

/// More than this is no answer.
inline constexpr std::size_t output_bytes_max = 1U << 20U;
/// Of a driver's words in an error.
inline constexpr std::size_t words_bytes_max = 1024;

/// A driver's good answer.
struct Answer {
  bool is_supported = true;  ///< False: "Not supported"; the default is done instead, and nothing else here
                             ///< counts.
  std::string message;
  std::string device_path;          ///< "device"; of attach and waitforattach.
  std::string volume_name;          ///< "volumeName"; of getvolumename.
  std::optional<bool> is_attached;  ///< "attached"; of isattached.
  FlexCapabilities capabilities;    ///< Of init; what it leaves out is as by default.
  std::int64_t new_size_bytes = 0;  ///< "volumeNewSize"; 0: it did not say.
};

/// How a call ended, and what the driver wrote: both streams as they came.
struct End {
  int status = 0;  ///< Its exit status; -1 if a signal ended it.
  int signal = 0;  ///< 0: none.
  bool is_late = false;
  bool is_too_long = false;
  std::string_view output;
};

/// What the end of a call means. The output must be exactly one JSON object: keys in any case, the last one
/// counts of several, unknown ones are ignored, and the status is "Success", "Not supported" or a failure.
/// Errors have the driver's own words, bounded and clean, without any of the `secrets` that it was told:
///
///     "DriverFailed"        Transient   it says so: "mount command failed, status: Failure, reason: ..."
///     "DriverTimeout"       Uncertain   it was killed at its deadline
///     "DriverAnswerTooLong" Uncertain   more than output_bytes_max
///     "BadDriverAnswer"     Uncertain   not one JSON object, or a field of the wrong type
///     "DriverExitError"     Uncertain   it says Success, and ended as if it had failed
Result<Answer> answer_of(Command command, const End& end, const std::vector<SecretBytes>& secrets = {});

/// A driver's words as they may stand in a message: the secrets taken out, plain and in base64, without
/// control characters, and bounded.
std::string words_of(std::string_view text, const std::vector<SecretBytes>& secrets = {});

}  // namespace mooring::flex
