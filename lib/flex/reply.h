#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "flex/answer.h"

namespace mooring::flex {

/// What a driver wrote, as it is written there.
struct Reply {
  std::string status;  ///< May be anything.
  Answer answer;
};

/// Reads exactly one JSON object, as Go's encoding/json does into a struct: keys in any case, the last one
/// counts of several, null changes nothing, unknown ones are ignored whatever they hold. Final,
/// "BadDriverAnswer": anything else. Memory does not grow with how deep it nests.
Result<Reply> parse_reply(std::string_view output);

}  // namespace mooring::flex
