#pragma once

#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

// How the steps on volumes of CSI drivers are done (kubelet-behaviours 15). Each answers true if it changed
// something. What a driver mounted is never looked at, only listed: it may be on a server that is gone.

Result<bool> stage_csi_volume(const StageCsiVolume& step, kernel::Kernel kernel);
Result<bool> unstage_csi_volume(const UnstageCsiVolume& step, kernel::Kernel kernel);
Result<bool> publish_csi_volume(const PublishCsiVolume& step, kernel::Kernel kernel, Outcome& outcome);
Result<bool> unpublish_csi_volume(const UnpublishCsiVolume& step, kernel::Kernel kernel);
Result<bool> expand_csi_volume(const ExpandCsiVolume& step, kernel::Kernel kernel, Outcome& outcome);

/// The same, each under one name.
inline Result<bool> run_csi_node(const StageCsiVolume& s, kernel::Kernel kernel, Outcome&) {
  return stage_csi_volume(s, kernel);
}
inline Result<bool> run_csi_node(const UnstageCsiVolume& s, kernel::Kernel kernel, Outcome&) {
  return unstage_csi_volume(s, kernel);
}
inline Result<bool> run_csi_node(const PublishCsiVolume& s, kernel::Kernel kernel, Outcome& outcome) {
  return publish_csi_volume(s, kernel, outcome);
}
inline Result<bool> run_csi_node(const UnpublishCsiVolume& s, kernel::Kernel kernel, Outcome&) {
  return unpublish_csi_volume(s, kernel);
}
inline Result<bool> run_csi_node(const ExpandCsiVolume& s, kernel::Kernel kernel, Outcome& outcome) {
  return expand_csi_volume(s, kernel, outcome);
}

Result<void> measure_csi_volume(const MeasureCsiVolume& step, kernel::Kernel kernel, Outcome& outcome);

}  // namespace mooring
