#include "operation/call_log.h"

namespace mooring {

Result<kernel::DriverAnswer> CallLog::call(const kernel::DriverCall& call) {
  Result<kernel::DriverAnswer> answer = drivers_.call(call);
  // What was never sent, or got lost with who sent it, is no call that a driver answered in some time.
  if (answer && call.method.starts_with("csi.") && calls_.size() < calls_max)
    calls_.push_back({call.driver, call.method, answer.value().code, answer.value().duration_us});
  return answer;
}

}  // namespace mooring
