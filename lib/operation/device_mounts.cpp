#include <algorithm>
#include <string_view>

#include "base/quote.h"
#include "kernel/device_errors.h"
#include "operation/device_checks.h"
#include "operation/device_steps.h"
#include "step/layout.h"

// File systems of devices, mounted once for the node.

namespace mooring {
namespace {

std::string text_of(const MountFact& mount) {
  return mount.source + " (" + mount.type + ")";
}

Error foreign_mount(const MountFact& mounted, const std::string& path, const std::string& wanted) {
  Error error =
      refusal("ForeignMount", text_of(mounted) + " is mounted where " + wanted + " belongs", "unmount it");
  error.path = path;
  return error;
}

/// True if it was mounted read-only, whatever became of its file system.
bool is_mounted_read_only(const MountFact& mount) {
  return ("," + mount.options + ",").find(",ro,") != std::string::npos;
}

/// What keeps a file system from writing to a device that cannot be written to; without it the mount fails if
/// a log is to be replayed.
std::string_view option_without_log(const std::string& type) {
  if (type == "ext3" || type == "ext4") return "noload";
  if (type == "xfs") return "norecovery";
  if (type == "btrfs") return "rescue=nologreplay";
  return {};
}

class Mounter {
 public:
  Mounter(const MountDevice& step, kernel::Kernel kernel) : step_(step), kernel_(kernel) {
    const auto& options = step.options;
    is_read_only_ = step.read_only || std::find(options.begin(), options.end(), "ro") != options.end();
  }

  Result<bool> run() {
    MOORING_TRY(const auto there, kernel_.mounts.listed_at(step_.path));
    MOORING_TRY(device_, kernel_.devices.find(step_.device));
    if (there) {
      MOORING_TRY(check_there(*there));
      return false;
    }
    if (device_.is_read_only && !is_read_only_) return read_only_device(step_.device, device_);
    MOORING_TRY(make_place());
    MOORING_TRY(check_unchanged(step_.device, device_, kernel_.devices));
    const Result<void> mounted = kernel_.mounts.mount_file_system(request());
    // The return code is a hint: what is there now decides.
    const auto now = kernel_.mounts.listed_at(step_.path);
    if (!now) return mounted ? now.error() : mounted.error();
    if (!now.value()) return mounted ? not_there() : explained(mounted.error());
    MOORING_TRY(check_mounted(*now.value(), mounted));
    return true;
  }

 private:
  /// Something is mounted already: only just what is asked for will do.
  Result<void> check_there(const MountFact& there) const {
    if (!is_mount_of(there, device_) || there.type != step_.type) {
      return foreign_mount(there, step_.path, step_.device.text());
    }
    // A file system that turned read-only after an error is still what was asked for.
    const bool is_other = is_read_only_ ? !there.is_read_only() : is_mounted_read_only(there);
    if (!is_other) return success();
    Error error = refusal("MountedOtherwise",
                          text_of(there) + " is mounted " + (is_read_only_ ? "writable" : "read-only") +
                              ", and its volume is not",
                          "end the pods that use it; Mooring mounts it anew then");
    error.path = step_.path;
    return error;
  }

  Result<void> make_place() {
    MOORING_TRY(kernel_.files.make_directory(step_.path, layout::private_mode));
    MOORING_TRY(const auto entries, kernel_.files.list(step_.path));
    if (entries.empty()) return success();
    Error error = refusal(
        "DirectoryNotEmpty",
        "the directory under the mount holds data (" + entries.front().name + "), which the mount would hide",
        "move the data away, or remove it if nobody needs it");
    error.path = step_.path;
    return error;
  }

  kernel::FileSystemMount request() const {
    kernel::FileSystemMount request{device_.node, step_.type, step_.path, step_.options, is_read_only_};
    // No other option is added: what a file system does at an error, or about times, is for its administrator
    // to say (spec.mountOptions, tune2fs).
    const std::string_view without_log = option_without_log(step_.type);
    if (device_.is_read_only && !without_log.empty()) request.options.emplace_back(without_log);
    return request;
  }

  Error not_there() const {
    Error error = obstacle("MountFailed", "mounting " + device_.node + " succeeded, and it is not mounted",
                           step_.path, "see if something on the node unmounts it");
    error.kind = ErrorKind::Uncertain;
    return error;
  }

  /// Of a mount that failed, and left nothing: it says most if another file system is there.
  Error explained(const Error& error) {
    const auto content = kernel_.devices.probe(device_);
    if (!content || !content.value().signature || content.value().signature->type == step_.type) return error;
    Error mismatch =
        refusal("FilesystemMismatch",
                "failed to mount the volume as " + quoted(step_.type) + ", it already contains " +
                    content.value().signature->type + ". Mount error: " + error.message,
                "set fsType to what the device holds");
    mismatch.path = step_.path;
    mismatch.errno_value = error.errno_value;
    return mismatch;
  }

  /// Something is mounted now. If it is another device, its node took the place of the one that was found
  /// after the last look; and mount(8) falls back to read-only by itself. What was mounted by mistake is let
  /// go.
  Result<void> check_mounted(const MountFact& now, const Result<void>& mounted) {
    const Result<void> good = check_there(now);
    // If the mount failed, somebody else's came there.
    if (good || !mounted) return good;
    MOORING_TRY(kernel_.mounts.unmount(step_.path));
    if (is_mount_of(now, device_)) return good;
    return kernel::device_changed(device_, "another one was mounted, and unmounted again");
  }

  const MountDevice& step_;
  kernel::Kernel kernel_;
  bool is_read_only_ = false;
  DeviceFacts device_;
};

/// Refused while the file system is mounted elsewhere: each of these needs it.
Result<void> check_not_referenced(const MountFact& mounted, const std::string& path, kernel::Mounts& mounts) {
  MOORING_TRY(const MountTable table, mounts.table());
  std::string places;
  for (const MountFact* other : table.references(mounted))
    places += (places.empty() ? "" : ", ") + other->mount_point;
  if (places.empty()) return success();
  return obstacle("StillMounted", text_of(mounted) + " is still mounted at " + places, path,
                  "unmount these; Mooring goes on by itself then");
}

/// A mount that could not be removed, with who uses it: the device's users are those of its file system.
Error explained_busy(Error error, const MountFact& mounted, kernel::Devices& devices) {
  if (error.reason != "Busy") return error;
  const auto device = devices.find({DeviceName::Kind::Path, mounted.source});
  return device ? with_holders(std::move(error), device.value(), devices) : error;
}

/// True if the device that is mounted is still one of the node; another may have its name by now.
Result<bool> has_device(const MountFact& mounted, kernel::Devices& devices) {
  const auto device = devices.find({DeviceName::Kind::Path, mounted.source});
  // Of a btrfs the kernel tells no number, and one of its devices by whatever name that was scanned last.
  if (device) return mounted.type == "btrfs" || is_mount_of(mounted, device.value());
  if (names_no_device(device.error())) return false;
  return device.error();
}

bool is_same_device(const MountFact& a, const MountFact& b) {
  return a.device_major == b.device_major && a.device_minor == b.device_minor;
}

/// Whether what is mounted is of the device that the name means; nullopt: nobody can tell. What is mounted of
/// a device that is gone may well be: its node's name may be another one's by now.
Result<std::optional<bool>> is_of(const DeviceName& name, const MountFact& mounted,
                                  kernel::Devices& devices) {
  if (name.value.empty()) return std::optional<bool>();
  const auto meant = devices.find(name);
  if (!meant) return std::optional<bool>();
  if (is_mount_of(mounted, meant.value())) return std::optional<bool>(true);
  const auto there = devices.find({DeviceName::Kind::Path, mounted.source});
  const bool is_same = there && there.value().node == meant.value().node;
  if (is_same && mounted.type == "btrfs") return std::optional<bool>(true);  // Mounted by another name.
  MOORING_TRY(const bool is_alive, has_device(mounted, devices));
  return is_alive ? std::optional<bool>(false) : std::optional<bool>();
}

/// Refused if what is mounted at the path is somebody else's.
Result<void> check_own(const UnmountDevice& step, const MountFact& mounted, kernel::Kernel kernel) {
  const std::string wanted = step.device.value.empty() ? "a device's file system" : step.device.text();
  if (!mounted.source.starts_with("/dev/")) return foreign_mount(mounted, step.path, wanted);
  MOORING_TRY(const std::optional<bool> is_own, is_of(step.device, mounted, kernel.devices));
  if (is_own) return *is_own ? success() : Result<void>(foreign_mount(mounted, step.path, wanted));
  // Mooring mounts nothing on top of anything: if one is the volume's, it is the lowest.
  MOORING_TRY(const MountTable table, kernel.mounts.table());
  for (const MountFact& lowest : table.mounts()) {
    if (lowest.mount_point != mounted.mount_point) continue;
    if (!is_same_device(lowest, mounted)) return foreign_mount(mounted, step.path, wanted);
    break;
  }
  return success();
}

/// A raw device has no file system that is Mooring's: only its image can be made larger.
Result<bool> grow_raw(const GrowFileSystem& step, kernel::Devices& devices) {
  if (step.device.kind != DeviceName::Kind::Image || !step.image_size_bytes) return false;
  return devices.grow_image(step.device.value, *step.image_size_bytes);
}

}  // namespace

Result<bool> mount_device(const MountDevice& step, kernel::Kernel kernel) {
  return Mounter(step, kernel).run();
}

Result<bool> grow_file_system(const GrowFileSystem& step, kernel::Kernel kernel) {
  if (step.path.empty()) return grow_raw(step, kernel.devices);
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(step.path));
  if (!mounted) {
    return obstacle("NotMounted", "the file system of " + step.device.text() + " is not mounted", step.path,
                    "Mooring grows it when it is");
  }
  MOORING_TRY(DeviceFacts device, kernel.devices.find(step.device));
  if (!is_mount_of(*mounted, device) || mounted->type != step.type) {
    return foreign_mount(*mounted, step.path, step.device.text());
  }
  bool is_changed = false;
  if (step.device.kind == DeviceName::Kind::Image && step.image_size_bytes) {
    MOORING_TRY(is_changed, kernel.devices.grow_image(step.device.value, *step.image_size_bytes));
    // The same device still, but for its size: what is mounted keeps its numbers.
    MOORING_TRY(device, kernel.devices.find(step.device));
    if (!is_mount_of(*mounted, device)) return kernel::device_changed(device, "it is not what is mounted");
  }
  MOORING_TRY(const bool is_grown, kernel.devices.grow_file_system(device, step.type, mounted->mount_point));
  return is_changed || is_grown;
}

Result<void> prove_staged(const ProveStaged& step, kernel::Kernel kernel) {
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(step.path));
  if (!mounted) {
    return obstacle("NotMounted", "the file system of " + step.device.text() + " is not mounted", step.path,
                    "Mooring mounts it again");
  }
  MOORING_TRY(const bool is_alive, has_device(*mounted, kernel.devices));
  if (!is_alive) {
    return obstacle("DeviceVanished", text_of(*mounted) + " is mounted, and its device is gone from the node",
                    step.path, "bring the device back");
  }
  const auto device = kernel.devices.find(step.device);
  if (!device || mounted->type == "btrfs" || is_mount_of(*mounted, device.value())) return success();
  return foreign_mount(*mounted, step.path, step.device.text());
}

Result<std::optional<MountFact>> staged_for(const BindMount& step, kernel::Kernel kernel) {
  constexpr std::string_view plugins = "/plugins/";
  const std::size_t below = step.source.rfind(plugins);
  const std::string place = below == std::string::npos ? std::string() : step.source.substr(below + 1);
  if (!layout::parse_staged(place)) return std::optional<MountFact>();
  MOORING_TRY(const auto source, kernel.files.host_status({step.source, std::nullopt}));
  MOORING_TRY(const auto own, kernel.files.status(place));
  const bool is_own = source && own && source->device == own->device && source->inode == own->inode;
  if (source && !is_own) return std::optional<MountFact>();
  MOORING_TRY(const auto staged, kernel.mounts.listed_at(place));
  if (staged) return staged;
  return obstacle("NotStaged", "the volume is not mounted at " + step.source + " any more", step.target,
                  "Mooring mounts it again; see what unmounts it");
}

Result<void> check_staged(const BindMount& step, const MountFact& staged, kernel::Mounts& mounts) {
  MOORING_TRY(const auto now, mounts.listed_at(step.target));
  if (now && now->device_major == staged.device_major && now->device_minor == staged.device_minor &&
      now->root == staged.root) {
    return success();
  }
  if (now) {
    MOORING_TRY(mounts.unmount(step.target));
  }
  return obstacle("NotStaged", "the volume was unmounted at " + step.source + " just now", step.target,
                  "Mooring mounts it again; see what unmounts it");
}

Result<bool> unmount_device(const UnmountDevice& step, kernel::Kernel kernel) {
  MOORING_TRY(const auto mounted, kernel.mounts.listed_at(step.path));
  if (!mounted) return remove_if_empty(step.path, kernel.files);
  MOORING_TRY(check_own(step, *mounted, kernel));
  MOORING_TRY(check_not_referenced(*mounted, step.path, kernel.mounts));
  const Result<void> unmounted = kernel.mounts.unmount(step.path);
  // The return code is a hint: what is there now decides.
  const auto now = kernel.mounts.listed_at(step.path);
  const bool is_gone = now && !now.value();
  if (!unmounted && !is_gone) return explained_busy(unmounted.error(), *mounted, kernel.devices);
  MOORING_TRY(const auto left, now);
  if (left) {
    return obstacle("MountedBelow", text_of(*left) + " lies under what was unmounted", step.path,
                    "unmount it; Mooring goes on by itself then");
  }
  MOORING_TRY(remove_if_empty(step.path, kernel.files));
  return true;
}

}  // namespace mooring
