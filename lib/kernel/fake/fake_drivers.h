#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/drivers.h"

namespace mooring::kernel {

/// Drivers of a test's or a simulation's own making. Nothing listens, and no program is there, until it says
/// so.
class FakeDrivers : public Drivers {
 public:
  using OnCall = std::function<Result<DriverAnswer>(const DriverCall&)>;
  using OnRun = std::function<Result<ProgramAnswer>(const ProgramCall&)>;

  Result<DriverAnswer> call(const DriverCall& call) override;
  Result<ProgramAnswer> run(const ProgramCall& call) override;

  void set_on_call(OnCall on_call) { on_call_ = std::move(on_call); }
  void set_on_run(OnRun on_run) { on_run_ = std::move(on_run); }
  /// What was called so far, in order.
  std::vector<DriverCall> calls;
  std::vector<ProgramCall> runs;

 private:
  OnCall on_call_;
  OnRun on_run_;
};

}  // namespace mooring::kernel
