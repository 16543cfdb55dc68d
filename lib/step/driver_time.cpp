#include "step/driver_time.h"

#include <variant>

namespace mooring {
namespace {

/// Of one step.
struct CallTime {
  std::uint32_t operator()(const StageCsiVolume& s) const { return s.volume.deadline_ms; }
  /// What no pod knows of any more is unpublished first; one such target is as many as there usually are, and
  /// what was done is not done again.
  std::uint32_t operator()(const UnstageCsiVolume& s) const {
    return (s.published.empty() ? 1 : 2) * s.volume.deadline_ms;
  }
  std::uint32_t operator()(const PublishCsiVolume& s) const { return s.volume.deadline_ms; }
  std::uint32_t operator()(const UnpublishCsiVolume& s) const { return s.volume.deadline_ms; }
  std::uint32_t operator()(const ExpandCsiVolume& s) const { return s.volume.deadline_ms; }
  std::uint32_t operator()(const MeasureCsiVolume& s) const { return s.volume.deadline_ms; }
  /// What turns out to be unfit is deleted again, and what is to be deleted may have to be asked for first.
  std::uint32_t operator()(const CreateCsiVolume& s) const { return 2 * s.volume.deadline_ms; }
  std::uint32_t operator()(const DeleteCsiVolume& s) const { return 2 * s.volume.deadline_ms; }
  std::uint32_t operator()(const ExpandCsiController& s) const { return s.volume.deadline_ms; }
  std::uint32_t operator()(const CreateCsiSnapshot& s) const { return s.volume.deadline_ms; }
  std::uint32_t operator()(const DeleteCsiSnapshot& s) const { return 2 * s.volume.deadline_ms; }
  /// Twice: it may have to be detached under the node's former name first.
  std::uint32_t operator()(const PublishCsiController& s) const { return 2 * s.volume.deadline_ms; }
  std::uint32_t operator()(const UnpublishCsiController& s) const { return s.volume.deadline_ms; }
  std::uint32_t operator()(const ProbeFlexDriver& s) const { return s.program.deadline_ms; }
  /// Attach, waitforattach, mountdevice, and isattached or detach after a failure.
  std::uint32_t operator()(const StageFlexVolume& s) const { return 4 * s.program.deadline_ms; }
  std::uint32_t operator()(const UnstageFlexVolume& s) const { return 2 * s.program.deadline_ms; }
  std::uint32_t operator()(const GrowFlexVolume& s) const { return 2 * s.program.deadline_ms; }
  /// What fails is undone by `unmount`.
  std::uint32_t operator()(const PublishFlexVolume& s) const { return 2 * s.program.deadline_ms; }
  std::uint32_t operator()(const UnpublishFlexVolume& s) const { return s.program.deadline_ms; }
  template <class Other>
  std::uint32_t operator()(const Other&) const {
    return 0;
  }
};

}  // namespace

std::uint32_t driver_time_ms(const std::vector<Step>& steps) {
  std::uint32_t time_ms = 0;
  for (const Step& step : steps)
    time_ms += std::visit(CallTime(), step);
  return time_ms;
}

}  // namespace mooring
