#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "facts/call_code.h"

namespace mooring::mock_csi {

/// What a test wants of one call; nothing: that the driver does its work.
struct Instruction {
  enum class Crash { Never, Before, After };

  CallCode code = CallCode::Ok;
  std::string message;
  bool does_it = true;  ///< The work is done, also where the answer is an error.
  std::uint32_t delay_ms = 0;
  bool loses_reply = false;  ///< The connection is cut instead of the answer.
  Crash crash = Crash::Never;
  std::size_t garbage_bytes = 0;  ///< The answer's bytes are so many that are no message.
  nlohmann::json response;        ///< Merged into the answer (RFC 7386); null: nothing.
};

/// The script of a mock driver: a JSON file that is read anew for each call, by the last word of its method:
///
///     {"NodeStageVolume": {"code": "INTERNAL", "message": "no such disk", "does_it": true, "delay_ms": 100},
///      "NodePublishVolume": [{"lose_reply": true}, {"crash": "after"}, {}],
///      "NodeGetInfo": {"response": {"node_id": "another"}, "garbage_bytes": 0}}
///
/// An object holds for every call; an array has one for each call since the file last changed, and after its
/// end the driver works as usual. `code` is a name or a number; without `does_it` an error does nothing.
class Script {
 public:
  explicit Script(std::string file) : file_(std::move(file)) {}

  /// What holds for the call that is made now. A file that is not there says nothing; one that is no JSON
  /// ends the driver, because the test is wrong.
  Instruction next(const std::string& method);

 private:
  std::mutex mutex_;
  std::string file_;
  std::string last_text_;
  std::map<std::string, std::size_t> calls_;  ///< Since the file changed.
};

}  // namespace mooring::mock_csi
