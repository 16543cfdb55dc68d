#include "operation/sub_paths.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "step/layout.h"

namespace mooring {
namespace {

using kernel::FileStatus;
using kernel::FileType;

/// Unmounts a part that could not be unmounted, with what is mounted below it: the containers, or the node,
/// mounted in the volume, and the part got a copy.
Result<bool> unmount_with_below(const std::string& path, kernel::Mounts& mounts) {
  Result<std::uint32_t> unmounted = mounts.unmount_below(path, 0, kernel::Leftovers::CopiesOnly);
  if (unmounted) return unmounted.value() != 0;
  Error error = std::move(unmounted).error();
  if (error.reason != "Busy" || error.path == path) return error;
  error.reason = "MountedBelow";
  error.message = "what is mounted below the subPath cannot be unmounted: " + error.message;
  return error;
}

/// Unmounts all that is stacked on `path`, without looking at it first. True if there was something.
Result<bool> unmount_all(const std::string& path, kernel::Mounts& mounts) {
  constexpr int stacked_max = 64;
  for (int unmounted = 0;; ++unmounted) {
    const Result<void> done = mounts.unmount(path);
    if (done && unmounted < stacked_max) continue;
    if (done || done.error().reason == "NotMounted" || done.error().errno_value == ENOENT)
      return unmounted != 0;
    if (done.error().reason == "Busy") return unmount_with_below(path, mounts);
    return done.error();
  }
}

Error not_ours(const std::string& path, const std::string& what) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "NotEmpty";
  error.message = path + " holds what Mooring did not make" + what;
  error.path = path;
  error.errno_value = ENOTEMPTY;
  error.remedy = "look at it, and remove it if nobody needs it";
  return error;
}

/// Removes what a part was bound on: an empty directory, or an empty file. Anything else is somebody's.
Result<void> remove_place(const std::string& path, kernel::Files& files) {
  const Result<void> removed = files.remove_directory(path);
  if (removed || removed.error().errno_value != ENOTDIR) return removed;
  MOORING_TRY(const auto there, files.status(path));
  if (there && (there->type != FileType::Regular || there->size_bytes != 0)) return not_ours(path, "");
  return files.remove_file(path);
}

/// True for the names that Mooring gives to what parts are bound on: the positions of their mounts.
bool is_position(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

kernel::Propagation propagation_of(Propagation propagation) {
  switch (propagation) {
    case Propagation::Slave:
      return kernel::Propagation::Slave;
    case Propagation::Shared:
      return kernel::Propagation::Shared;
    case Propagation::Private:
      break;
  }
  return kernel::Propagation::Private;
}

/// Removes a directory of the layout; what is in it and should not be is named.
Result<void> remove_emptied(const std::string& path, kernel::Files& files) {
  const Result<void> removed = files.remove_directory(path);
  if (removed || removed.error().errno_value != ENOTEMPTY) return removed;
  const auto entries = files.list(path);
  return not_ours(path, entries && !entries.value().empty() ? " (" + entries.value().front().name + ")" : "");
}

/// Releases the parts of one container. What cannot be removed does not keep the others mounted.
Result<void> release_places(const std::string& directory, kernel::Kernel kernel) {
  MOORING_TRY(const auto places, kernel.files.list(directory));
  std::optional<Error> first;
  for (const auto& place : places) {
    if (!is_position(place.name)) continue;  // Not ours: named when the directory is not empty.
    const std::string path = directory + "/" + place.name;
    MOORING_TRY(unmount_all(path, kernel.mounts));
    const Result<void> removed = remove_place(path, kernel.files);
    if (!removed && !first) first = removed.error();
  }
  if (first) return *first;
  return success();
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
    const Result<void> bound =
        kernel_.mounts.bind_open(*source_, {step_.target, std::nullopt, propagation_of(step_.propagation)});
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
    MOORING_TRY(kernel_.files.write_file(step_.target, "", 0640));  // In place: a crash leaves no other name.
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
    MOORING_TRY(release_places(below, kernel));
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
