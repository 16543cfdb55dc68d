// Mounts of devices and of servers: by libmount, by the helper of a type, and gone again without a question
// to a server that may be dead.

#include <fcntl.h>
#include <libmount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include "kernel/errors.h"
#include "kernel/file_system_mount.h"
#include "kernel/linux/linux_mounts.h"
#include "kernel/linux/lookup.h"
#include "kernel/linux/mount_helper.h"

namespace mooring::kernel {
namespace {

struct FreeContext {
  void operator()(libmnt_context* context) const { mnt_free_context(context); }
};
using Context = std::unique_ptr<libmnt_context, FreeContext>;

std::string joined(const std::vector<std::string>& options) {
  std::string text;
  for (const std::string& option : options)
    text += (text.empty() ? "" : ",") + option;
  return text;
}

/// libmount would attach a loop device to a file without a word; here only devices are mounted by path.
int check_source(const std::string& source) {
  if (!source.starts_with('/')) return 0;
  struct stat status {};
  if (stat(source.c_str(), &status) != 0) return errno;
  return S_ISBLK(status.st_mode) ? 0 : ENOTBLK;
}

/// Mounts on what the descriptor is open on, by mount(2) with libmount's understanding of the options.
Result<void> mount_by_library(const FileSystemMount& request, const std::string& options,
                              const Descriptor& target) {
  if (const int error = check_source(request.source)) return mount_refused(request, error);
  const Context context(mnt_new_context());
  if (!context) return mount_refused(request, ENOMEM);
  const std::string through = "/proc/self/fd/" + std::to_string(target.get());
  mnt_context_set_optsmode(context.get(), MNT_OMODE_NOTAB);
  mnt_context_disable_mtab(context.get(), 1);
  mnt_context_disable_helpers(context.get(), 1);
  mnt_context_disable_canonicalize(context.get(), 1);
  // Who wants to write gets no read-only mount instead, because the device is.
  mnt_context_enable_rwonly_mount(context.get(), request.is_read_only ? 0 : 1);
  if (mnt_context_set_source(context.get(), request.source.c_str()) != 0 ||
      mnt_context_set_target(context.get(), through.c_str()) != 0 ||
      mnt_context_set_fstype(context.get(), request.type.c_str()) != 0 ||
      mnt_context_set_options(context.get(), options.c_str()) != 0) {
    return mount_refused(request, ENOMEM);
  }
  const int result = mnt_context_mount(context.get());
  if (result == 0) return success();
  const bool was_called = mnt_context_syscall_called(context.get()) == 1;
  const int called = was_called ? mnt_context_get_syscall_errno(context.get()) : 0;
  Error error = mount_refused(request, called != 0 ? called : result < 0 ? -result : EINVAL);
  std::array<char, 512> words{};
  mnt_context_get_excode(context.get(), result, words.data(), words.size());
  if (words[0] != '\0') error.message += " (" + std::string(words.data()) + ")";
  return error;
}

}  // namespace

Result<std::string> absolute_path(int directory, const std::string& name) {
  std::array<char, PATH_MAX> resolved{};
  const std::string through = "/proc/self/fd/" + std::to_string(directory);
  const ssize_t size = readlink(through.c_str(), resolved.data(), resolved.size());
  if (size < 0) return file_error("cannot resolve", name, errno);
  const std::string_view path(resolved.data(), static_cast<std::size_t>(size));
  return std::string(path == "/" ? "" : path) + "/" + name;
}

Result<void> LinuxMounts::mount_file_system(const FileSystemMount& request) {
  MOORING_TRY(check_mount_options(request));
  MOORING_TRY(const Place place, place_of(root_, request.target));
  // A link in its place is not followed: ELOOP with a look-up by openat2, ENOTDIR here.
  const Descriptor target(
      openat(place.directory, place.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!target) return mount_refused(request, errno);
  const std::string options = joined(mount_options_of(request));
  const std::string helper = helper_of(request.type);
  if (helper.empty() && !package_of_helper(request.type).empty()) return helper_missing(request);
  if (helper.empty()) return mount_by_library(request, options, target);
  // A helper goes by the path; what it is was proven a moment ago, and only root can change it.
  MOORING_TRY(const std::string path, absolute_path(place.directory, place.name));
  std::vector<std::string> arguments{request.source, path, "-n"};
  if (!options.empty()) arguments.insert(arguments.end(), {"-o", options});
  const HelperAnswer answer = run_helper(helper, arguments);
  if (answer.is_done) return success();
  return helper_failed(request, answer.words);
}

Result<void> LinuxMounts::unmount_unseen(const std::string& target, UnmountForce force) {
  MOORING_TRY(const Place place, place_of(root_, target));
  int flags = UMOUNT_NOFOLLOW;
  if (force == UnmountForce::Abort) flags |= MNT_FORCE;
  if (force == UnmountForce::Detach) flags |= MNT_DETACH;
  // umount2(2) looks the last element up without asking whether it is still what it was.
  if (umount2(place.proc_path().c_str(), flags) != 0) return unmount_error(target, errno);
  return success();
}

Result<std::optional<MountFact>> LinuxMounts::listed_at(const std::string& target) {
  MOORING_TRY(const std::string path, listed_path(target));
  MOORING_TRY(const MountTable whole, table());
  const MountFact* top = whole.top_at(path);
  return top == nullptr ? std::optional<MountFact>() : std::optional(*top);
}

Result<std::string> LinuxMounts::listed_path(const std::string& target) {
  return absolute_path(root_, target);
}

Result<FileSystemUsage> LinuxMounts::usage(const std::string& target) {
  MOORING_TRY(const Place place, place_of(root_, target));
  const Descriptor there(openat(place.directory, place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct statfs raw {};
  if (!there || fstatfs(there.get(), &raw) != 0) return file_error("cannot read", target, errno);
  const auto unit_bytes = static_cast<std::uint64_t>(raw.f_frsize != 0 ? raw.f_frsize : raw.f_bsize);
  FileSystemUsage usage;
  usage.capacity_bytes = raw.f_blocks * unit_bytes;
  usage.used_bytes = (raw.f_blocks - raw.f_bfree) * unit_bytes;
  usage.available_bytes = raw.f_bavail * unit_bytes;
  usage.inodes = raw.f_files;
  usage.inodes_used = raw.f_files - raw.f_ffree;
  usage.inodes_free = raw.f_ffree;
  return usage;
}

}  // namespace mooring::kernel
