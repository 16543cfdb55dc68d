#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "facts/device.h"
#include "operation/format_stamp.h"
#include "step/device_steps.h"

namespace mooring {

enum class FormatDecision : std::uint8_t {
  Use,            ///< The file system that is asked for is there.
  Format,         ///< The device is proven blank, and may be formatted.
  FormatAgain,    ///< What is there is what an earlier formatting by Mooring left unfinished.
  CompleteStamp,  ///< The file system is there, and the stamp does not say so yet.
};

/// Decides what may be done to a device. The one place where data can be lost, so it demands proof: only a
/// device of which every sign says that it is blank is formatted, if its volume says that it may be, and was
/// never formatted before. The one exception is FormatAgain: data that nothing recognises, on what is proven
/// to be the device that Mooring began to format and never handed out. Anything else that is not just the
/// file system that is asked for is an error ("DeviceNotBlank", "FilesystemMismatch", "DeviceUnreadable",
/// "DeviceAmbivalent", "DeviceHasPartitions", "FormatForbidden", "UnformattedReadOnly", "FormattedBefore",
/// "FilesystemDamaged", "UnsupportedFileSystem"), which says what was found and what a person can do. Final,
/// but for what could not be read: reading may work later.
Result<FormatDecision> decide_format(const FormatDevice& step, const DeviceFacts& device,
                                     const DeviceContent& content, const std::optional<FormatStamp>& stamp);

}  // namespace mooring
