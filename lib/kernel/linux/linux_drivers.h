#pragma once

#include <string>
#include <utility>

#include "kernel/drivers.h"

namespace mooring::kernel {

/// Drivers of this node. Calls are made by a program of their own, mooring-csi, one process for each call:
/// whatever a driver does to it, the process that asked for the call lives on.
class LinuxDrivers : public Drivers {
 public:
  /// `csi_program`: the path of mooring-csi. `flex_socket`: where mooring-flex runs programs; empty: this
  /// process runs them itself.
  explicit LinuxDrivers(std::string csi_program, std::string flex_socket = {})
      : csi_program_(std::move(csi_program)), flex_socket_(std::move(flex_socket)) {}

  /// As Drivers::call. mooring-csi keeps the deadline; it is killed two seconds later if it does not.
  Result<DriverAnswer> call(const DriverCall& call) override;
  /// As Drivers::run. The program has no input, the environment of clean_environment(), and a process group
  /// of its own, all of which is killed at the deadline. Who it leaves behind with its output open is waited
  /// for no longer than half a second. With a socket it is run_by_service(), and the environment is that of
  /// the unit that runs it.
  Result<ProgramAnswer> run(const ProgramCall& call) override;

 private:
  std::string csi_program_;
  std::string flex_socket_;
};

/// mooring-csi beside the program that runs (as it is installed), or in the build tree that it is of.
std::string find_csi_program();

/// What mooring-csi is told on its standard input: one line of JSON, {"socket", "method", "deadline_ms"}, and
/// after it the request to its end. Two parts, so that secrets are not escaped and copied once more.
SecretBytes csi_input(const DriverCall& call);

/// What it answered: one line of JSON, {"code", "message", "response_bytes"}, and after it the response.
/// Uncertain, "DriverCallLost": it is not all there.
Result<DriverAnswer> read_csi_output(std::string_view output);

}  // namespace mooring::kernel
