#include <cerrno>

#include "operation/device_checks.h"
#include "operation/device_links.h"
#include "operation/device_steps.h"
#include "operation/flex_call.h"
#include "operation/flex_steps.h"
#include "step/layout.h"

// What pods share of a FlexVolume: attached by its driver, and mounted once for the node.

namespace mooring {
namespace {

using flex::Command;

constexpr const char* default_type = "ext4";

class FlexStager {
 public:
  FlexStager(const StageFlexVolume& step, kernel::Kernel kernel, Outcome& outcome)
      : step_(step),
        kernel_(kernel),
        outcome_(outcome),
        caller_(step.program, {}, kernel.drivers, outcome),
        options_(flex_options(step.volume, nullptr)) {}

  Result<bool> run() {
    // The name that it answers is not used, as it never was in Kubernetes; only an error counts.
    MOORING_TRY(caller_.call(Command::GetVolumeName, {options_}));
    MOORING_TRY(const auto there, kernel_.mounts.listed_at(step_.path));
    if (there && is_still_attached()) return false;
    if (!there) {
      MOORING_TRY(mark());
    }
    MOORING_TRY(const std::string device, attach());
    MOORING_TRY(const auto now, kernel_.mounts.listed_at(step_.path));
    if (now) return true;
    const Result<void> mounted = mount(device);
    if (!mounted) return unmount_failed(mounted.error(), step_.path, kernel_);
    return true;
  }

 private:
  /// From here on it may be attached, and stays so whatever fails: after a reboot, or a power cut, this
  /// directory is all that tells of it. It goes when the volume is detached.
  Result<void> mark() {
    MOORING_TRY(const bool is_new, kernel_.files.make_directory(step_.path, layout::private_mode));
    return is_new ? kernel_.files.flush(parent_of(step_.path)) : success();
  }

  /// Of a volume that is mounted. If the driver cannot tell, it is.
  bool is_still_attached() {
    const auto answer = caller_.call(Command::IsAttached, {options_, SecretBytes(step_.node.str())});
    if (!answer) {
      outcome_.warnings.push_back("nobody can tell whether it is still attached: " + answer.error().message);
      return true;
    }
    if (!answer.value().is_supported || answer.value().is_attached != false) return true;
    outcome_.warnings.push_back("it is mounted at " + step_.path + ", and the FlexVolume driver " +
                                step_.program.driver.str() +
                                " says that it is not attached: it is attached again");
    return false;
  }

  /// The device; empty if the driver has none.
  Result<std::string> attach() {
    std::string device;
    MOORING_TRY(const flex::Answer attached,
                caller_.call(Command::Attach, {options_, SecretBytes(step_.node.str())}));
    if (attached.is_supported) device = attached.device_path;
    MOORING_TRY(const flex::Answer waited,
                caller_.call(Command::WaitForAttach, {SecretBytes(device), options_}));
    return waited.is_supported ? waited.device_path : device;
  }

  Result<void> mount(const std::string& device) {
    MOORING_TRY(const std::string path, kernel_.mounts.listed_path(step_.path));
    MOORING_TRY(const flex::Answer answer,
                caller_.call(Command::MountDevice, {SecretBytes(path), SecretBytes(device), options_}));
    if (answer.is_supported || device.empty()) return success();
    return mount_by_default(device);
  }

  /// In the format guard's own way: nothing is formatted that is not proven blank.
  Result<void> mount_by_default(const std::string& device) {
    const DeviceName name{DeviceName::Kind::Path, device};
    const std::string type =
        step_.volume.file_system_type.empty() ? default_type : step_.volume.file_system_type;
    const bool read_only = step_.volume.read_only;
    MOORING_TRY(format_device({name, step_.path, step_.format_stamp, type,
                               read_only ? FormatPolicy::Never : FormatPolicy::IfBlank, read_only},
                              kernel_));
    if (!read_only) {
      MOORING_TRY(check_file_system({name, step_.path, type}, kernel_, outcome_));
    }
    MOORING_TRY(mount_device({name, step_.path, type, {}, read_only}, kernel_));
    return success();
  }

  const StageFlexVolume& step_;
  kernel::Kernel kernel_;
  Outcome& outcome_;
  FlexCaller caller_;
  SecretBytes options_;
};

/// The program of the file system's own: of a device that is mounted.
Result<bool> grow_by_default(const MountFact& mounted, kernel::Kernel kernel) {
  if (!mounted.source.starts_with("/dev/")) return false;
  MOORING_TRY(const DeviceFacts device, kernel.devices.find({DeviceName::Kind::Path, mounted.source}));
  return kernel.devices.grow_file_system(device, mounted.type, mounted.mount_point);
}

/// "NotEmpty": what the driver left in it is not Mooring's to remove, and nothing is detached under it.
Result<void> check_empty(const std::string& path, kernel::Files& files) {
  const auto entries = files.list(path);
  if (!entries && entries.error().errno_value == ENOENT) return success();
  if (!entries) return entries.error();
  if (entries.value().empty()) return success();
  MOORING_TRY(remove_if_empty(path, files));
  return success();
}

}  // namespace

Result<bool> run_flex(const ProbeFlexDriver& step, kernel::Kernel kernel, Outcome& outcome) {
  FlexCaller caller(step.program, {}, kernel.drivers, outcome);
  MOORING_TRY(const flex::Answer answer, caller.call(Command::Init, {}));
  const FlexCapabilities can = answer.is_supported ? answer.capabilities : FlexCapabilities();
  outcome.flex_probe =
      FlexProbe{can.attach, can.selinux_relabel, can.supports_metrics, can.fs_group, can.requires_fs_resize};
  return false;
}

Result<bool> run_flex(const StageFlexVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  return FlexStager(step, kernel, outcome).run();
}

Result<bool> run_flex(const UnstageFlexVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  FlexCaller caller(step.program, {}, kernel.drivers, outcome);
  MOORING_TRY(const auto there, kernel.mounts.listed_at(step.path));
  if (there) {
    MOORING_TRY(const std::string path, kernel.mounts.listed_path(step.path));
    MOORING_TRY(const flex::Answer answer, caller.call(Command::UnmountDevice, {SecretBytes(path)}));
    if (!answer.is_supported) {
      MOORING_TRY(unmount_by_default(step.path, kernel.mounts));
    }
    MOORING_TRY(check_unmounted(step.program, step.path, kernel.mounts));
    // The driver may have removed it, and the volume is attached yet (see FlexStager).
    MOORING_TRY(kernel.files.make_directory(step.path, layout::private_mode));
  }
  MOORING_TRY(check_empty(step.path, kernel.files));
  MOORING_TRY(caller.call(Command::Detach, {SecretBytes(step.volume_name), SecretBytes(step.node.str())}));
  MOORING_TRY(remove_if_empty(step.path, kernel.files));
  return true;
}

Result<bool> run_flex(const GrowFlexVolume& step, kernel::Kernel kernel, Outcome& outcome) {
  FlexCaller caller(step.program, {}, kernel.drivers, outcome);
  const SecretBytes options = flex_options(step.volume, nullptr);
  MOORING_TRY(const auto there, kernel.mounts.listed_at(step.path));
  MOORING_TRY(const std::string path, kernel.mounts.listed_path(step.path));
  std::uint64_t old_bytes = 0;
  if (there) {
    MOORING_TRY(const FileSystemUsage usage, kernel.mounts.usage(step.path));
    old_bytes = usage.capacity_bytes;
  }
  const SecretBytes before(std::to_string(old_bytes));
  // Not supported counts as done: what the driver stores on may be as large as it needs to be already.
  MOORING_TRY(const flex::Answer grown,
              caller.call(Command::ExpandVolume, {options, SecretBytes(path),
                                                  SecretBytes(std::to_string(step.size_bytes)), before}));
  const bool says_size = grown.is_supported && grown.new_size_bytes > 0;
  const std::uint64_t size_bytes =
      says_size ? static_cast<std::uint64_t>(grown.new_size_bytes) : step.size_bytes;
  if (!step.has_file_system) return true;
  const std::string device = there ? there->source : std::string();
  MOORING_TRY(const flex::Answer resized,
              caller.call(Command::ExpandFs, {options, SecretBytes(device), SecretBytes(path),
                                              SecretBytes(std::to_string(size_bytes)), before}));
  if (!resized.is_supported && there) {
    MOORING_TRY(grow_by_default(*there, kernel));
  }
  return true;
}

}  // namespace mooring
