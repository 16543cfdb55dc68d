#include "operation/sub_paths.h"

#include <cerrno>

#include "step/layout.h"

namespace mooring {
namespace {

using kernel::FileStatus;
using kernel::FileType;

/// Unmounts all that is stacked on `path`, without looking at it first. True if there was something.
Result<bool> unmount_all(const std::string& path, kernel::Mounts& mounts) {
  constexpr int stacked_max = 64;
  for (int unmounted = 0;; ++unmounted) {
    const Result<void> done = mounts.unmount(path);
    if (done && unmounted < stacked_max) continue;
    if (done || done.error().reason == "NotMounted" || done.error().errno_value == ENOENT)
      return unmounted != 0;
    return done.error();
  }
}

Result<void> remove_place(const std::string& path, kernel::Files& files) {
  const Result<void> removed = files.remove_file(path);
  if (removed || removed.error().errno_value != EISDIR) return removed;
  return files.remove_directory(path);
}

/// Removes a directory of the layout; what is in it and should not be is named.
Result<void> remove_emptied(const std::string& path, kernel::Files& files) {
  const Result<void> removed = files.remove_directory(path);
  if (removed || removed.error().errno_value != ENOTEMPTY) return removed;
  Error error = removed.error();
  error.reason = "NotEmpty";
  error.message = path + " holds what Mooring did not make";
  if (const auto entries = files.list(path); entries && !entries.value().empty())
    error.message += " (" + entries.value().front().name + ")";
  error.remedy = "look at it, and remove it if nobody needs it";
  return error;
}

class Binder {
 public:
  Binder(const BindSubPath& step, kernel::Kernel kernel) : step_(step), kernel_(kernel) {}

  Result<bool> run() {
    kernel::SubPathLocation location;
    location.volume = step_.volume;
    if (step_.volume.empty()) location.host = kernel::HostLocation{step_.host_path, step_.confined_to};
    location.path = step_.path;
    location.may_create = step_.may_create;
    MOORING_TRY(source_, kernel_.files.open_sub_path(location));
    MOORING_TRY(const bool is_there, is_bound());
    if (is_there) return false;
    MOORING_TRY(unmount_all(step_.target, kernel_.mounts));
    MOORING_TRY(make_place());
    const Result<void> bound = kernel_.mounts.bind_open(*source_, {step_.target, std::nullopt});
    if (bound) return true;
    // The return code is a hint: what lies there now decides.
    const Result<bool> is_bound_now = is_bound();
    if (is_bound_now && is_bound_now.value()) return true;
    if (const auto left = unmount_all(step_.target, kernel_.mounts); left)
      static_cast<void>(remove_place(step_.target, kernel_.files));
    return bound.error();
  }

 private:
  /// True if just this file or directory is mounted on the target: a file that took its place is another one.
  Result<bool> is_bound() {
    MOORING_TRY(const auto there, kernel_.files.status(step_.target));
    return there && there->is_mount_root && there->device == source_->status().device &&
           there->inode == source_->status().inode;
  }

  /// Makes what the source is to be bound on, of its kind.
  Result<void> make_place() {
    const bool is_directory = source_->status().type == FileType::Directory;
    MOORING_TRY(const auto there, kernel_.files.status(step_.target));
    if (there && (there->type == FileType::Directory) == is_directory) return success();
    if (there) {
      MOORING_TRY(remove_place(step_.target, kernel_.files));
    }
    if (is_directory) {
      MOORING_TRY(kernel_.files.make_directory(step_.target, layout::private_mode));
      return success();
    }
    const std::string parent = step_.target.substr(0, step_.target.rfind('/'));
    MOORING_TRY(kernel_.files.make_directory(parent, layout::private_mode));
    MOORING_TRY(kernel_.files.create_file(step_.target, "", 0640));
    return success();
  }

  const BindSubPath& step_;
  kernel::Kernel kernel_;
  std::unique_ptr<kernel::OpenFile> source_;
};

}  // namespace

Result<bool> bind_sub_path(const BindSubPath& step, kernel::Kernel kernel) {
  Result<bool> bound = Binder(step, kernel).run();
  if (bound) return bound;
  Error error = std::move(bound).error();
  error.message = step.asked_by + ": " + error.message;
  return error;
}

Result<bool> release_sub_paths(const PodUid& uid, const VolumeName& volume, kernel::Kernel kernel) {
  const std::string directory = layout::sub_paths(uid, volume);
  const auto containers = kernel.files.list(directory);
  if (!containers) {
    if (containers.error().errno_value == ENOENT) return false;
    return containers.error();
  }
  for (const auto& container : containers.value()) {
    if (container.type != FileType::Directory) continue;  // Not ours: named when the directory is not empty.
    const std::string below = directory + "/" + container.name;
    MOORING_TRY(const auto places, kernel.files.list(below));
    for (const auto& place : places) {
      const std::string path = below + "/" + place.name;
      MOORING_TRY(unmount_all(path, kernel.mounts));
      MOORING_TRY(remove_place(path, kernel.files));
    }
    MOORING_TRY(remove_emptied(below, kernel.files));
  }
  MOORING_TRY(remove_emptied(directory, kernel.files));
  const Result<void> above = kernel.files.remove_directory(layout::sub_paths(uid));
  if (!above && above.error().errno_value != ENOTEMPTY) return above.error();
  return true;
}

Result<bool> release_all_sub_paths(const PodUid& uid, kernel::Kernel kernel) {
  const auto volumes = kernel.files.list(layout::sub_paths(uid));
  if (!volumes) {
    if (volumes.error().errno_value == ENOENT) return false;
    return volumes.error();
  }
  for (const auto& volume : volumes.value()) {
    if (volume.type != FileType::Directory) continue;
    MOORING_TRY(release_sub_paths(uid, VolumeName(volume.name), kernel));
  }
  MOORING_TRY(remove_emptied(layout::sub_paths(uid), kernel.files));
  return true;
}

}  // namespace mooring
