#include "kernel/fake/fake_drivers.h"

#include <cerrno>

namespace mooring::kernel {

Result<DriverAnswer> FakeDrivers::call(const DriverCall& call) {
  calls.push_back(call);
  if (on_call_) return on_call_(call);
  return DriverAnswer{CallCode::Unavailable, "nobody listens on " + call.socket, ""};
}

Result<ProgramAnswer> FakeDrivers::run(const ProgramCall& call) {
  runs.push_back(call);
  if (on_run_) return on_run_(call);
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "SpawnFailed";
  error.message = "no such program";
  error.path = call.program;
  error.errno_value = ENOENT;
  return error;
}

}  // namespace mooring::kernel
