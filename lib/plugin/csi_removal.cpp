#include <utility>

#include "csi/errors.h"
#include "csi/names.h"
#include "csi/requests.h"
#include "plugin/csi_shapes.h"
#include "plugin/csi_volume.h"
#include "step/csi_layout.h"
#include "step/layout.h"

namespace mooring {
namespace {

/// A volume as it is known when no recipe is there.
CsiVolume known_volume(const layout::CsiVolumeName& name, const DriverSet& drivers) {
  CsiVolume volume{name.driver, {}, name.handle, csi::call_deadline_ms};
  if (const CsiDriver* driver = drivers.find_csi(name.driver)) volume.socket = driver->socket;
  return volume;
}

/// The volume as far as records tell; what they do not tell is empty.
layout::CsiVolumeName name_of(const Remains& remains) {
  if (remains.shape.starts_with(ephemeral_shape)) {
    return {DriverName(remains.shape.substr(ephemeral_shape.size())),
            csi::inline_handle(remains.pod, VolumeName(remains.directory.str()))};
  }
  if (auto shared = layout::parse_csi_key(remains.device)) return *std::move(shared);
  if (remains.shape.starts_with(persistent_shape))
    return {DriverName(remains.shape.substr(persistent_shape.size())), {}};
  return {};
}

std::vector<Step> device_removal(const Remains& remains, const layout::CsiVolumeName& name) {
  UnpublishCsiVolume unpublish;
  unpublish.volume = known_volume(name, remains.drivers);
  unpublish.path = layout::csi_block_target(remains.directory, remains.pod);
  unpublish.map = CsiDeviceMap{layout::csi_block_map(remains.directory) + "/" + remains.pod.str(),
                               layout::device(remains.pod, layout::csi_plugin(), remains.directory)};
  return {std::move(unpublish)};
}

}  // namespace

std::vector<Step> CsiPlugin::removal(const Remains& remains) const {
  const auto shared = layout::parse_csi_key(remains.device);
  if (remains.shape == raw_shape && shared) return device_removal(remains, *shared);
  UnpublishCsiVolume unpublish;
  unpublish.path = layout::csi_target(remains.pod, remains.directory);
  unpublish.data = layout::csi_target_data(remains.pod, remains.directory);
  const layout::CsiVolumeName name = name_of(remains);
  unpublish.volume = known_volume(name, remains.drivers);
  if (name.driver.empty()) {
    for (const auto& [driver, facts] : remains.drivers.csi)
      unpublish.sockets.emplace(driver.str(), facts.socket);
  }
  return {std::move(unpublish)};
}

std::optional<MeasureCsiVolume> CsiPlugin::measurement(const Remains& remains) const {
  const layout::CsiVolumeName name = name_of(remains);
  const CsiDriver* driver = remains.drivers.find_csi(name.driver);
  if (driver == nullptr || !driver->node.volume_stats || name.handle.empty()) return std::nullopt;
  const bool is_block = remains.shape == raw_shape;
  const bool is_staged = driver->node.stage_unstage && !remains.device.empty();
  MeasureCsiVolume measure;
  measure.volume = known_volume(name, remains.drivers);
  measure.path = is_block ? layout::csi_block_target(remains.directory, remains.pod)
                          : layout::csi_target(remains.pod, remains.directory);
  if (is_staged) {
    measure.staged_path =
        is_block ? layout::csi_block_staged(remains.directory) : layout::csi_staged(name.driver, name.handle);
  }
  return measure;
}

std::vector<Step> CsiPlugin::unstage(const DeviceRemains& remains) const {
  const auto name = layout::parse_csi_key(remains.key);
  if (!name || remains.staged_path.empty()) return {};
  const CsiDriver* driver = remains.drivers.find_csi(name->driver);
  UnstageCsiVolume unstage;
  unstage.volume = known_volume(*name, remains.drivers);
  unstage.path = remains.staged_path;
  // Of a driver that is gone nobody knows: it is asked when it is back.
  unstage.calls_driver = driver == nullptr || driver->node.stage_unstage;
  const auto directory = layout::parse_csi_block_staged(remains.staged_path);
  unstage.data =
      directory ? layout::csi_block_data(*directory) : layout::csi_staged_data(name->driver, name->handle);
  if (directory) {
    unstage.published = layout::csi_block_published(*directory);
    unstage.bound = layout::csi_block_map(*directory);
  }
  std::vector<Step> steps{std::move(unstage)};
  if (directory) {
    for (const std::string& path :
         {layout::csi_block_map(*directory), layout::csi_block_published(*directory),
          layout::csi_block_root(*directory)})
      steps.emplace_back(RemoveDirectory{path});
  }
  return steps;
}

/// Unstaging once more looks at what is there: nothing is detached while anything of the volume is.
std::vector<Step> CsiPlugin::detach(const DeviceRemains& remains) const {
  std::vector<Step> steps = unstage(remains);
  if (remains.attachment == nullptr) return steps;
  const CsiAttachment& attachment = *remains.attachment;
  UnpublishCsiController detach;
  detach.volume = {attachment.driver, {}, attachment.handle, csi::call_deadline_ms};
  if (const CsiDriver* driver = remains.drivers.find_csi(attachment.driver))
    detach.volume.socket = driver->controller_endpoint();
  detach.node_id = attachment.node_id;
  detach.stamp = layout::csi_attachment({attachment.driver, attachment.handle});
  steps.emplace_back(std::move(detach));
  return steps;
}

}  // namespace mooring
