#pragma once

#include <string>
#include <vector>

#include "flex/answer.h"
#include "flex/options.h"
#include "kernel/drivers.h"
#include "step/step.h"

namespace mooring {

/// Calls one FlexVolume driver for one step.
class FlexCaller {
 public:
  /// `secrets`: what the driver is told and must not be seen in any message. All but `secrets` are kept by
  /// reference.
  FlexCaller(const FlexProgram& program, std::vector<SecretBytes> secrets, kernel::Drivers& drivers,
             Outcome& outcome)
      : program_(program), secrets_(std::move(secrets)), drivers_(drivers), outcome_(outcome) {}

  /// One call. A command that the driver is known not to support is not called; one that turns out so is
  /// noted in the outcome. Errors: flex::answer_of(); Transient, "DriverMissing" if its program is not there
  /// or cannot be run now, else "SpawnFailed"; what else Drivers::run says.
  Result<flex::Answer> call(flex::Command command, std::vector<SecretBytes> arguments);

 private:
  bool is_unsupported(std::string_view command) const;

  const FlexProgram& program_;
  std::vector<SecretBytes> secrets_;
  kernel::Drivers& drivers_;
  Outcome& outcome_;
};

/// The argument with what a driver is told of the volume; `pod` is nullptr for every call but `mount`.
SecretBytes flex_options(const FlexVolume& volume, const FlexPod* pod);

}  // namespace mooring
