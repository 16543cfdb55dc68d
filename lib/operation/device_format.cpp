#include <optional>

#include "kernel/device_errors.h"
#include "operation/device_checks.h"
#include "operation/device_steps.h"
#include "operation/format_guard.h"

// Formatting, in the order that makes each crash harmless: look and decide (format_guard.h), write down what
// is going to be made, look again, make it, look what is there, write down that it is complete.

namespace mooring {
namespace {

class Formatter {
 public:
  Formatter(const FormatDevice& step, kernel::Kernel kernel) : step_(step), kernel_(kernel) {}

  Result<bool> run() {
    MOORING_TRY(const auto mounted, kernel_.mounts.listed_at(step_.path));
    if (mounted) return false;
    MOORING_TRY(device_, kernel_.devices.find(step_.device));
    // Held to the end: whoever keeps to the convention (udev, a second worker) stays away meanwhile. mkfs
    // itself does not ask for it (e2fsprogs, xfsprogs and btrfs-progs of Debian 12).
    MOORING_TRY(const auto lock, kernel_.devices.lock(device_));
    const auto stamp = read_format_stamp(step_.stamp, kernel_.files);
    if (!stamp && stamp.error().kind != ErrorKind::Final) return stamp.error();
    if (stamp) stamp_ = stamp.value();
    MOORING_TRY(seen_, kernel_.devices.probe(device_));
    MOORING_TRY(decision_, decide_format(step_, device_, seen_, stamp_));
    if (decision_ == FormatDecision::Format || decision_ == FormatDecision::FormatAgain) {
      // A past that cannot be told forbids to format, but not to use what is there; and then it can be told.
      if (!stamp) return stamp.error();
      return format();
    }
    return note_found();
  }

 private:
  FormatStamp new_stamp() const {
    FormatStamp stamp;
    stamp.type = step_.type;
    stamp.device = step_.device.text();
    stamp.size_bytes = device_.size_bytes;
    stamp.wwid = device_.wwid;
    return stamp;
  }

  /// A volume that may be formatted, and has a file system, is never to be formatted again, whoever made
  /// that: if it looks blank one day, its data is gone, or it is another device.
  Result<bool> note_found() {
    if (stamp_ && stamp_->is_complete) return false;
    if (!stamp_ && (step_.policy == FormatPolicy::Never || step_.read_only)) return false;
    FormatStamp found = new_stamp();
    found.is_complete = true;
    found.uuid = seen_.signature->uuid;
    MOORING_TRY(write_format_stamp(step_.stamp, found, kernel_.files));
    return true;
  }

  Result<bool> format() {
    MOORING_TRY(check_free(device_, kernel_.devices));
    FormatStamp begun = new_stamp();
    begun.uuid = stamp_ ? stamp_->uuid : new_file_system_uuid(step_, device_);
    if (stamp_ != begun) {
      MOORING_TRY(write_format_stamp(step_.stamp, begun, kernel_.files));
    }
    if (const Result<void> same = look_again(); !same) {
      take_back();
      return same.error();
    }
    const Result<void> made = kernel_.devices.format(device_, {begun.type, begun.uuid});
    // The return code is a hint: what is there now decides.
    MOORING_TRY(const DeviceContent now, look_after(made));
    if (!is_just(now, begun)) {
      if (now == seen_) take_back();
      return made ? kernel::format_failed(device_.node, step_.type, "no such file system is there afterwards")
                  : made.error();
    }
    begun.is_complete = true;
    MOORING_TRY(write_format_stamp(step_.stamp, begun, kernel_.files));
    return true;
  }

  /// Right before the first write: still the same device, nobody has it, and what is on it is what it was
  /// when that was decided about.
  Result<void> look_again() {
    MOORING_TRY(check_unchanged(step_.device, device_, kernel_.devices));
    MOORING_TRY(check_free(device_, kernel_.devices));
    MOORING_TRY(const DeviceContent now, kernel_.devices.probe(device_));
    if (now == seen_) return success();
    return kernel::device_changed(device_, "somebody wrote to it meanwhile");
  }

  /// If formatting failed and nothing can be seen now, the first error is the one that says why.
  Result<DeviceContent> look_after(const Result<void>& made) {
    Result<DeviceContent> now = kernel_.devices.probe(device_);
    if (!now && !made) return made.error();
    return now;
  }

  static bool is_just(const DeviceContent& content, const FormatStamp& made) {
    return content.read_errno == 0 && !content.is_ambivalent && content.partition_table.empty() &&
           content.signature && content.signature->type == made.type &&
           kernel::is_same_uuid(content.signature->uuid, made.uuid);
  }

  /// The device is as blank as it was: formatting has not begun. An incomplete stamp would permit to format
  /// over what somebody else writes to it now. If it cannot be removed, the next try does no harm.
  void take_back() {
    if (decision_ == FormatDecision::Format) (void)kernel_.files.remove_file(step_.stamp);
  }

  const FormatDevice& step_;
  kernel::Kernel kernel_;
  DeviceFacts device_;
  DeviceContent seen_;
  std::optional<FormatStamp> stamp_;
  FormatDecision decision_ = FormatDecision::Use;
};

}  // namespace

Result<bool> format_device(const FormatDevice& step, kernel::Kernel kernel) {
  return Formatter(step, kernel).run();
}

}  // namespace mooring
