#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_bytes.h"
#include "csi_call/call.h"

namespace mooring::csi_call {

/// A driver's words as they may be told to people: the secrets that the request carried are not in them, they
/// are on one line without control characters, and have 1 KiB at most.
std::string words_to_tell(std::string words, const std::vector<SecretBytes>& secrets);

using Caller = std::function<Answer(const Call&)>;

/// All that mooring-csi does: takes what it was told on its standard input, has the call made by `caller`,
/// and gives what it says on its standard output (both formats: kernel/linux/linux_drivers.h).
/// InvalidArgument: nothing was sent, because the input is not what it should be. Unknown: the driver
/// answered with what is no such message.
std::string serve_one(std::string_view input, const Caller& caller);

}  // namespace mooring::csi_call
