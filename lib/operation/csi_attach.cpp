#include "operation/csi_attach.h"

#include <cerrno>
#include <utility>

#include "csi/attachment.h"
#include "csi/errors.h"
#include "operation/csi_controller.h"
#include "step/csi_layout.h"
#include "step/layout.h"

namespace mooring {
namespace {

constexpr std::uint32_t stamp_mode = 0600;

/// What the stamp says; nullopt: nothing is there, or it is none.
Result<std::optional<CsiAttachment>> read_stamp(const std::string& path, kernel::Files& files) {
  const auto bytes = files.read_file(path, csi::attachment_size_max);
  if (bytes) return csi::decode_attachment(bytes.value());
  if (bytes.error().errno_value == ENOENT) return std::optional<CsiAttachment>();
  return bytes.error();
}

/// Puts the stamp on disk: a power cut must not make it less than what the driver was asked for.
Result<void> put_stamp(const PublishCsiController& step, kernel::Files& files) {
  const CsiAttachment attachment{step.volume.driver, step.volume.handle, step.node_id, step.secret,
                                 step.staged_path};
  MOORING_TRY(files.make_directory(layout::csi_attachments(), layout::private_mode));
  // Beside its name, so that there is never a moment without one.
  const std::string next = layout::csi_attachments() + "/." + step.stamp.substr(step.stamp.rfind('/') + 1);
  MOORING_TRY(files.remove_file(next));
  MOORING_TRY(files.create_file(next, csi::encode_attachment(attachment), stamp_mode));
  MOORING_TRY(files.flush(next));
  MOORING_TRY(files.replace(next, step.stamp));
  return files.flush(layout::csi_attachments());
}

/// Another run may have begun while the driver took its time, and have detached before this was done.
Result<void> keep_stamp(const PublishCsiController& step, kernel::Files& files) {
  MOORING_TRY(const auto there, files.status(step.stamp));
  return there ? success() : put_stamp(step, files);
}

/// What a crash left of a stamp that was being written is none.
bool is_stamp(const kernel::DirectoryEntry& entry) {
  return entry.type == kernel::FileType::Regular && !entry.name.starts_with('.');
}

}  // namespace

Result<bool> attach_csi(const PublishCsiController& step, kernel::Kernel kernel, Outcome& outcome) {
  if (step.volume.socket.empty()) return csi::not_registered(step.volume.driver);
  if (step.stamp.empty()) return run_csi_controller(step, kernel.drivers, outcome);
  MOORING_TRY(const auto before, read_stamp(step.stamp, kernel.files));
  if (before && before->node_id != step.node_id) {
    MOORING_TRY(run_csi_controller(UnpublishCsiController{step.volume, before->node_id, step.secrets, {}},
                                   kernel.drivers, outcome));
  }
  MOORING_TRY(put_stamp(step, kernel.files));
  Result<bool> done = run_csi_controller(step, kernel.drivers, outcome);
  if (done) {
    Result<void> kept = keep_stamp(step, kernel.files);
    if (kept) return done;
    Error error = std::move(kept).error();
    error.kind = ErrorKind::Uncertain;  // It is attached, whatever became of the stamp.
    return error;
  }
  // A certain "no" undoes nothing that an earlier call may have done.
  if (before || done.error().kind == ErrorKind::Uncertain) return done;
  MOORING_TRY(kernel.files.remove_file(step.stamp));
  return done;
}

Result<bool> detach_csi(const UnpublishCsiController& step, kernel::Kernel kernel, Outcome& outcome) {
  if (!step.stamp.empty()) {
    MOORING_TRY(const auto there, kernel.files.status(step.stamp));
    if (!there) return false;
  }
  MOORING_TRY(const bool is_done, run_csi_controller(step, kernel.drivers, outcome));
  if (!step.stamp.empty()) {
    MOORING_TRY(kernel.files.remove_file(step.stamp));
  }
  return is_done;
}

Result<std::vector<CsiAttachment>> find_csi_attachments(kernel::Files& files) {
  std::vector<CsiAttachment> found;
  const auto entries = files.list(layout::csi_attachments());
  if (!entries && entries.error().errno_value == ENOENT) return found;
  if (!entries) return entries.error();
  for (const kernel::DirectoryEntry& entry : entries.value()) {
    if (!is_stamp(entry)) continue;
    const std::string path = layout::csi_attachments() + "/" + entry.name;
    MOORING_TRY(auto attachment, read_stamp(path, files));
    // A name that is not its own is a copy of somebody's.
    if (attachment && layout::csi_attachment({attachment->driver, attachment->handle}) == path)
      found.push_back(std::move(*attachment));
  }
  return found;
}

}  // namespace mooring
