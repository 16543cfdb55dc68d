#include <cerrno>

#include "csi/requests.h"
#include "operation/csi_calls.h"
#include "operation/csi_steps.h"
#include "operation/device_checks.h"
#include "operation/device_links.h"
#include "operation/proof.h"
#include "step/layout.h"

namespace mooring {
namespace {

using kernel::FileType;

constexpr std::uint32_t place_mode = 0640;

/// A pod's directory of the volume is its own, with its data in it; a raw device's is of all its pods.
CsiPlace place_of(const std::string& path, const std::string& data) {
  return {path, data, parent_of(path)};
}

/// What the driver published for a raw device, bound and linked (kubelet-behaviours 15.5).
class DeviceMapper {
 public:
  DeviceMapper(const std::string& published, const CsiDeviceMap& map, kernel::Kernel kernel)
      : published_(published), map_(map), kernel_(kernel) {}

  Result<void> run() {
    MOORING_TRY(find_device());
    MOORING_TRY(const bool is_there, is_bound());
    if (!is_there) {
      MOORING_TRY(bind());
    }
    MOORING_TRY(link_device(map_.link, map_.place, kernel_.files));
    return success();
  }

 private:
  Error not_a_device(const std::string& what) const {
    Error error = refusal("NotADevice", "the driver published " + what + ", and not a block device",
                          "see whether the driver can do volumeMode: Block");
    error.path = published_;
    return error;
  }

  Result<void> find_device() {
    // What may wait for a server is no device, and is not asked.
    MOORING_TRY(const auto mounted, kernel_.mounts.listed_at(published_));
    if (mounted && !is_local_file_system(mounted->type))
      return not_a_device("a mount of type " + mounted->type);
    MOORING_TRY(const auto there, kernel_.files.status(published_));
    if (!there) return not_a_device("nothing");
    if (there->type != FileType::BlockDevice) return not_a_device("a " + std::string(to_string(there->type)));
    device_ = *there;
    return success();
  }

  Result<bool> is_bound() {
    MOORING_TRY(const auto mounted, kernel_.mounts.listed_at(map_.place));
    if (!mounted) return false;
    MOORING_TRY(const auto there, kernel_.files.status(map_.place));
    if (there && there->device == device_.device && there->inode == device_.inode) return true;
    Error error = refusal("ForeignMount", "something else is bound where the device of the pod belongs",
                          "end the pod, and unmount what is left there");
    error.path = map_.place;
    return error;
  }

  Result<void> bind() {
    MOORING_TRY(kernel_.files.make_directory(parent_of(map_.place), layout::private_mode));
    MOORING_TRY(const auto there, kernel_.files.status(map_.place));
    if (there && !is_empty_file(*there)) return something_else(map_.place, "the device of the pod");
    if (!there) {
      MOORING_TRY(kernel_.files.write_file(map_.place, "", place_mode));
    }
    MOORING_TRY(const std::string source, kernel_.mounts.listed_path(published_));
    const Result<void> bound = kernel_.mounts.bind({source, map_.place, false, false});
    // The return code is a hint: what is there now decides.
    MOORING_TRY(const bool is_there, is_bound());
    if (is_there) return success();
    if (!bound) return bound.error();
    return obstacle("MountFailed", "binding the device succeeded, and it is not bound", map_.place,
                    "see if something on the node unmounts it");
  }

  const std::string& published_;
  const CsiDeviceMap& map_;
  kernel::Kernel kernel_;
  kernel::FileStatus device_;
};

/// Undoes what DeviceMapper did; what is gone already is no error.
Result<bool> unmap(const CsiDeviceMap& map, kernel::Kernel kernel) {
  MOORING_TRY(bool is_changed, unlink_device(map.link, kernel.files));
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(map.place));
  if (mounted) {
    is_changed = true;
    const Result<void> unmounted = kernel.mounts.unmount(map.place);
    MOORING_TRY(const auto left, kernel.mounts.listed_at(map.place));
    if (left && !unmounted) return unmounted.error();
    if (left) {
      return obstacle("MountedBelow", left->source + " lies under what was unmounted", map.place,
                      "unmount it; Mooring goes on by itself then");
    }
  }
  MOORING_TRY(const auto there, kernel.files.status(map.place));
  if (there && !is_empty_file(*there)) return something_else(map.place, "the device of the pod");
  if (there) {
    MOORING_TRY(kernel.files.remove_file(map.place));
  }
  is_changed = is_changed || there.has_value();
  for (const std::string& directory :
       {parent_of(map.place), parent_of(map.link), parent_of(parent_of(map.link))}) {
    MOORING_TRY(const bool is_removed, remove_unless_shared(directory, kernel.files));
    is_changed = is_changed || is_removed;
  }
  return is_changed;
}

/// The driver said Ok. What the table says decides: without a mount the pod would write to the node's own
/// disk, and nothing of it would ever come to the volume.
Result<void> check_published(const PublishCsiVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  if (step.map) return DeviceMapper(step.path, *step.map, kernel).run();
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(step.path));
  if (!mounted) {
    Error error = obstacle(
        "NotMounted", "driver " + step.volume.driver.str() + " published the volume, and nothing is mounted",
        step.path, "see the driver's log, and whether it runs in the node's mount namespace");
    error.kind = ErrorKind::Uncertain;
    return error;
  }
  if (step.read_only && !mounted->is_read_only()) {
    outcome.warnings.push_back(
        "driver " + step.volume.driver.str() +
        " published the volume writable, and it was asked for read-only: containers get "
        "it read-only all the same");
  }
  return success();
}

/// Who the volume is of, if no record says it; a file that says nothing leaves it unknown.
CsiVolume known(const UnpublishCsiVolume& step, kernel::Files& files) {
  CsiVolume volume = step.volume;
  if (!volume.driver.empty() && !volume.handle.empty()) return volume;
  const csi::VolumeData data = read_volume_data(step.data, files);
  if (!volume.driver.empty() && volume.driver != data.driver) return volume;
  volume.driver = data.driver;
  volume.handle = data.volume_handle;
  const auto socket = step.sockets.find(volume.driver.str());
  if (volume.socket.empty() && socket != step.sockets.end()) volume.socket = socket->second;
  return volume;
}

/// True if nothing is there that a driver could have been asked for: its directory comes before the call and
/// goes after everything else.
Result<bool> is_nothing_there(const CsiPlace& place, kernel::Kernel kernel) {
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(place.path));
  if (mounted) return false;
  MOORING_TRY(const auto there, kernel.files.status(place.directory));
  return !there;
}

}  // namespace

Result<bool> publish_csi_volume(const PublishCsiVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  if (step.volume.socket.empty()) return csi::not_registered(step.volume.driver);
  const CsiPlace place = place_of(step.path, step.data);
  MOORING_TRY(kernel.files.make_directory(place.directory, layout::private_mode));
  if (!step.data.empty()) {
    MOORING_TRY(put_volume_data(step.data, step.data_text, kernel.files));
  }
  MOORING_TRY(const std::string path, told_path(step.path, kernel.mounts));
  MOORING_TRY(const std::string staged, told_path(step.staged_path, kernel.mounts));
  MOORING_TRY(
      const kernel::DriverAnswer answer,
      call_csi(step.volume, csi::publish_method,
               csi::publish_request({step.volume.handle, step.publish_context, staged, path, step.capability,
                                     step.read_only, step.secrets, step.volume_context, &step.tokens}),
               kernel.drivers));
  if (answer.code != CallCode::Ok) {
    if (!csi::verdict_of(answer.code).keeps_files && !step.may_be_there) clean_up(place, kernel);
    return csi::call_error(csi::Call::Publish, step.volume.driver, answer.code, answer.message);
  }
  MOORING_TRY(check_published(step, kernel, outcome));
  return true;
}

Result<bool> unpublish_csi_volume(const UnpublishCsiVolume& step, kernel::Kernel kernel) {
  MOORING_TRY(check_not_foreign(parent_of(step.path), kernel.files));
  const CsiPlace place = place_of(step.path, step.data);
  bool is_changed = false;
  if (step.map) {
    MOORING_TRY(is_changed, unmap(*step.map, kernel));
  }
  MOORING_TRY(const bool is_nothing, is_nothing_there(place, kernel));
  if (is_nothing) return is_changed;
  const CsiVolume volume = known(step, kernel.files);
  if (volume.driver.empty() || volume.handle.empty()) {
    MOORING_TRY(check_not_mounted(place, "neither a record nor vol_data.json tells what volume it is",
                                  kernel.mounts));
    return remove_place(place, kernel.files);
  }
  MOORING_TRY(const std::string path, told_path(step.path, kernel.mounts));
  MOORING_TRY(
      const kernel::DriverAnswer answer,
      call_csi(volume, csi::unpublish_method, csi::unpublish_request(volume.handle, path), kernel.drivers));
  if (answer.code != CallCode::Ok)
    return csi::call_error(csi::Call::Unpublish, volume.driver, answer.code, answer.message);
  MOORING_TRY(
      check_not_mounted(place, "driver " + volume.driver.str() + " unpublished the volume", kernel.mounts));
  MOORING_TRY(remove_place(place, kernel.files));
  return true;
}

}  // namespace mooring
