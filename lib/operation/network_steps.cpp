#include "operation/network_steps.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "operation/proof.h"
#include "step/layout.h"

namespace mooring {
namespace {

using kernel::UnmountForce;

/// True for what only a step on network file systems mounts.
bool is_of_server(std::string_view type) {
  constexpr std::array<std::string_view, 5> types{"nfs", "nfs4", "cifs", "smb3", "ceph"};
  return std::find(types.begin(), types.end(), type) != types.end();
}

/// mount.nfs agrees with the server which version of the protocol it is, and the table says which.
bool is_same_family(std::string_view asked, std::string_view mounted) {
  const auto family = [](std::string_view type) { return type == "nfs4" ? "nfs" : type; };
  return family(asked) == family(mounted);
}

/// A source as the kernel names it: "server:/export//data/" is "server:/export/data" in the mount table.
std::string normalised(const std::string& source) {
  std::string text;
  for (const char c : source) {
    if (c != '/' || text.empty() || text.back() != '/') text += c;
  }
  if (text.size() > 1 && text.ends_with('/') && !text.ends_with(":/")) text.pop_back();
  return text;
}

bool is_just_that(const MountNetwork& step, const MountFact& mounted) {
  return is_same_family(step.type, mounted.type) && normalised(step.source) == normalised(mounted.source);
}

Error foreign_mount(const MountFact& mounted, const std::string& wanted, const std::string& path) {
  Error error =
      refusal("ForeignMount", "a " + mounted.type + " (" + mounted.source + ") is mounted where " + wanted,
              "unmount it");
  error.path = path;
  return error;
}

/// Makes the directory if it is missing. Nothing is ever mounted over data.
Result<void> make_ready(const std::string& path, kernel::Files& files) {
  MOORING_TRY(files.make_directory(path, layout::private_mode));
  MOORING_TRY(const auto entries, files.list(path));
  if (entries.empty()) return success();
  Error error = refusal(
      "DirectoryNotEmpty",
      "the directory under the mount holds data (" + entries.front().name + "), which the mount would hide",
      "move the data away, or remove it if nobody needs it");
  error.path = path;
  return error;
}

/// The place of another mount of the same file system that is not this pod's; empty: there is none. What is
/// aborted is aborted for all mounts of a file system (umount2(2), MNT_FORCE): what others are writing would
/// be lost.
Result<std::string> other_mount(const MountFact& mounted, const std::string& path, kernel::Mounts& mounts) {
  const auto volume = layout::parse_volume(path);
  const std::string root = mounted.mount_point.substr(0, mounted.mount_point.size() - path.size());
  const std::string own = volume ? root + layout::pod(volume->pod) + "/" : mounted.mount_point;
  MOORING_TRY(const MountTable table, mounts.table());
  for (const MountFact& other : table.mounts()) {
    const bool is_same =
        other.device_major == mounted.device_major && other.device_minor == mounted.device_minor;
    if (is_same && !other.mount_point.starts_with(own)) return other.mount_point;
  }
  return std::string();
}

/// What one attempt may do. Only the last one of a policy that allows it takes away what is still in use.
/// `is_shared`: others would lose by force.
Result<void> unmount_once(const UnmountNetwork& step, bool is_shared, kernel::Mounts& mounts) {
  if (step.policy == UnmountPolicy::Lazy && step.attempt >= 2) {
    return mounts.unmount_unseen(step.path, UnmountForce::Detach);
  }
  if (step.policy != UnmountPolicy::Wait && step.attempt >= 1 && !is_shared) {
    const Result<void> aborted = mounts.unmount_unseen(step.path, UnmountForce::Abort);
    // Whoever waited for the server was told to give up during that call, and was in its way still.
    if (aborted || aborted.error().reason != "Busy") return aborted;
  }
  return mounts.unmount_unseen(step.path, UnmountForce::None);
}

Error cannot_unmount(const MountFact& mounted, Result<void> unmounted, const std::string& path) {
  if (unmounted) {
    Error error = refusal("UnmountFailed", mounted.source + " is still mounted after it was unmounted");
    error.kind = ErrorKind::Transient;
    error.path = path;
    return error;
  }
  Error error = std::move(unmounted).error();
  if (error.reason == "Busy") {
    error.message = mounted.source + " is still in use: " + error.message;
    error.remedy = "end the processes that use it, and unmount what else is mounted from or in it (`grep " +
                   path + " /proc/*/mountinfo`; fuser and lsof hang with the server); Mooring tries again";
  }
  return error;
}

}  // namespace

Result<bool> mount_network(const MountNetwork& step, kernel::Kernel kernel) {
  MOORING_TRY(const auto there, kernel.mounts.listed_at(step.path));
  if (there && is_just_that(step, *there)) return false;
  if (there) return foreign_mount(*there, step.source + " belongs", step.path);
  MOORING_TRY(make_ready(step.path, kernel.files));
  const Result<void> mounted =
      kernel.mounts.mount_file_system({step.source, step.type, step.path, step.options, step.read_only});
  // The return code is a hint: what is listed there now decides.
  const auto now = kernel.mounts.listed_at(step.path);
  if (!now) return mounted ? now.error() : mounted.error();
  if (now.value() && is_just_that(step, *now.value())) return true;
  const bool is_kind = now.value() && is_same_family(step.type, now.value()->type);
  if (mounted && is_kind) return true;  // The server calls what was asked for by another name.
  if (mounted) {
    if (now.value()) return foreign_mount(*now.value(), step.source + " was just mounted", step.path);
    Error error = refusal("MountFailed", step.source + " was mounted and is not there",
                          "see whether somebody unmounts it; Mooring tries again");
    error.kind = ErrorKind::Transient;
    error.path = step.path;
    return error;
  }
  // Nothing was there a moment ago, so a mount of this kind is what the failed one left.
  if (is_kind) static_cast<void>(kernel.mounts.unmount_unseen(step.path, UnmountForce::None));
  return mounted.error();
}

Result<bool> unmount_network(const UnmountNetwork& step, kernel::Kernel kernel) {
  constexpr int stacked_max = 64;
  bool is_changed = false;
  for (int unmounted = 0; unmounted < stacked_max; ++unmounted) {
    MOORING_TRY(const auto there, kernel.mounts.listed_at(step.path));
    if (!there) return is_changed;
    if (!is_of_server(there->type)) return foreign_mount(*there, "the volume of a server was", step.path);
    MOORING_TRY(check_not_foreign(step.path, kernel.files));
    const bool would_force = step.policy != UnmountPolicy::Wait && step.attempt >= 1;
    std::string other;
    if (would_force) {
      MOORING_TRY(other, other_mount(*there, step.path, kernel.mounts));
    }
    const Result<void> done = unmount_once(step, !other.empty(), kernel.mounts);
    MOORING_TRY(const auto now, kernel.mounts.listed_at(step.path));
    if (now && now->id == there->id) {
      Error error = cannot_unmount(*there, done, step.path);
      if (!other.empty())
        error.message += "; force is not used, because " + other +
                         " is of the same file system and would lose what is being written there";
      return error;
    }
    is_changed = true;
  }
  Error error = refusal("UnmountFailed", "there is no end to what is mounted on the volume", "unmount it");
  error.kind = ErrorKind::Transient;
  error.path = step.path;
  return error;
}

}  // namespace mooring
