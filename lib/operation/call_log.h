#pragma once

#include <cstddef>
#include <vector>

#include "facts/csi_call.h"
#include "kernel/drivers.h"

namespace mooring {

/// Drivers, and a note of each call of a CSI driver that was made of them (and none of who registers one):
/// how it ended, and how long it took. Never what was said.
class CallLog final : public kernel::Drivers {
 public:
  /// What an outcome carries at most; no operation makes as many.
  static constexpr std::size_t calls_max = 64;

  /// Both must outlive this.
  CallLog(kernel::Drivers& drivers, std::vector<CsiCallFact>& calls) : drivers_(drivers), calls_(calls) {}

  Result<kernel::DriverAnswer> call(const kernel::DriverCall& call) override;
  Result<kernel::ProgramAnswer> run(const kernel::ProgramCall& call) override { return drivers_.run(call); }

 private:
  kernel::Drivers& drivers_;
  std::vector<CsiCallFact>& calls_;
};

}  // namespace mooring
