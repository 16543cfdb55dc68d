#include "kernel/linux/group_setter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "kernel/linux/descriptor.h"
#include "kernel/linux/uapi.h"

namespace mooring::kernel {
namespace {

constexpr std::uint32_t permission_bits = 07777;
constexpr std::uint32_t special_bits = 07000;
constexpr std::uint32_t set_id_bits = 06000;
constexpr uid_t owner_stays = static_cast<uid_t>(-1);

/// Asked once: a system call filter may refuse it (EPERM) where the kernel has it.
bool kernel_has_fchmodat2() {
  static const bool has = [] {
    uapi::fchmodat2(-1, "", 0, AT_EMPTY_PATH);
    return errno != ENOSYS && errno != EPERM;
  }();
  return has;
}

GroupSetter::Answer failed(int errno_value) {
  // A writer of the volume may remove what it likes while it is being changed.
  if (errno_value == ENOENT) return {GroupSetter::Outcome::Skipped, 0};
  return {GroupSetter::Outcome::Failed, errno_value};
}

GroupSetter::Answer unreadable(int errno_value) {
  if (errno_value == ENOENT) return {GroupSetter::Outcome::Skipped, 0};
  return {GroupSetter::Outcome::Unreadable, errno_value};
}

}  // namespace

GroupSetter::GroupSetter(const GroupChange& change, bool may_use_fchmodat2)
    : group_(change.group),
      file_mask_(change.read_only ? 0440 : 0660),
      directory_mask_(change.read_only ? 02550 : 02770),
      has_fchmodat2_(may_use_fchmodat2 && kernel_has_fchmodat2()) {}

/// errno, or 0. An empty name: what is open as `directory`.
int GroupSetter::read_status(int directory, const char* name, Status& out) {
  struct statx raw;  // Not cleared: the kernel fills it, and this is called for each file.
  const int flags =
      AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC | (*name == '\0' ? AT_EMPTY_PATH : 0);
  constexpr unsigned wanted = STATX_TYPE | STATX_MODE | STATX_GID | STATX_MTIME | STATX_SIZE;
  if (statx(directory, name, flags, wanted, &raw) != 0) return errno;
  out.mode = raw.stx_mode;
  out.group = raw.stx_gid;
  out.written_seconds = raw.stx_mtime.tv_sec;
  out.written_nanoseconds = raw.stx_mtime.tv_nsec;
  out.size_bytes = raw.stx_size;
  out.is_mount_root = (raw.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return 0;
}

std::uint32_t GroupSetter::wanted_mode(const Status& status) const {
  return (status.mode & permission_bits) | (S_ISDIR(status.mode) ? directory_mask_ : file_mask_);
}

bool GroupSetter::is_as_written(const Status& now, const Status& before) {
  return now.written_seconds == before.written_seconds &&
         now.written_nanoseconds == before.written_nanoseconds && now.size_bytes == before.size_bytes;
}

bool GroupSetter::is_right(const Status& status) const {
  return status.group == group_ && wanted_mode(status) == (status.mode & permission_bits);
}

/// What a name means may change at any moment; what is open stays the same file. So nothing is changed by
/// name, and the mode that a file gets is made of its own.
GroupSetter::Answer GroupSetter::set_file(int directory, const char* name, bool is_likely_right) const {
  Status status;
  if (is_likely_right) {
    if (const int errno_value = read_status(directory, name, status)) return unreadable(errno_value);
    if (S_ISLNK(status.mode) || status.is_mount_root) return {Outcome::Skipped, 0};
    if (S_ISDIR(status.mode)) return {Outcome::IsDirectory, 0};
    if (is_right(status)) return {Outcome::Right, 0};
  }
  // Not RESOLVE_BENEATH: one name, no link and no mount lead nowhere else, and it takes a lock that all
  // threads of the node share.
  const Descriptor file(uapi::openat2(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
                                      RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV));
  if (!file && (errno == ELOOP || errno == EXDEV)) return {Outcome::Skipped, 0};
  if (!file) return unreadable(errno);
  if (const int errno_value = read_status(file.get(), "", status)) return unreadable(errno_value);
  if (S_ISLNK(status.mode)) return {Outcome::Skipped, 0};
  if (S_ISDIR(status.mode)) return {Outcome::IsDirectory, 0};
  return set_open(file.get(), status);
}

bool GroupSetter::is_directory_right(int directory) const {
  Status status;
  return read_status(directory, "", status) == 0 && is_right(status);
}

GroupSetter::Answer GroupSetter::set_directory(int directory) const {
  Status status;
  if (const int errno_value = read_status(directory, "", status)) return unreadable(errno_value);
  return set_open(directory, status);
}

GroupSetter::Answer GroupSetter::set_open(int descriptor, const Status& status) const {
  if (is_right(status)) return {Outcome::Right, 0};
  if (status.group != group_ && fchownat(descriptor, "", owner_stays, group_, AT_EMPTY_PATH) != 0)
    return failed(errno);
  if (!S_ISDIR(status.mode) && (status.mode & set_id_bits) != 0) {
    if (const int errno_value = change_mode_of_program(descriptor, status)) return failed(errno_value);
    return {Outcome::Changed, 0};
  }
  const std::uint32_t mode = status.mode & permission_bits;
  const std::uint32_t wanted = wanted_mode(status);
  // A change of the group may have cleared set-uid and set-gid: the old mode is put back with what is added.
  if (wanted != mode || (status.group != group_ && (mode & special_bits) != 0)) {
    if (const int errno_value = change_mode_open(descriptor, wanted)) return failed(errno_value);
  }
  return {Outcome::Changed, 0};
}

/// The kernel takes set-id bits away when the group changes and when somebody writes. Those that the group's
/// change took are put back; but with what was written since `before`, that would make a program of the
/// writer's run as the owner. The second look is for who writes between the first one and the change: what is
/// written after the change loses its bits by itself. errno, or 0.
int GroupSetter::change_mode_of_program(int descriptor, const Status& before) const {
  Status now;
  if (const int errno_value = read_status(descriptor, "", now)) return errno_value;
  const Status& last = is_as_written(now, before) ? before : now;
  const std::uint32_t wanted = wanted_mode(last);
  if (wanted == (now.mode & permission_bits)) return 0;
  if (const int errno_value = change_mode_open(descriptor, wanted)) return errno_value;
  if ((wanted & set_id_bits) == 0) return 0;
  Status then;
  if (const int errno_value = read_status(descriptor, "", then)) return errno_value;
  if (is_as_written(then, last)) return 0;
  return change_mode_open(descriptor, then.mode & permission_bits & ~set_id_bits);
}

int GroupSetter::change_mode_open(int descriptor, std::uint32_t mode) const {
  if (has_fchmodat2_) return uapi::fchmodat2(descriptor, "", mode, AT_EMPTY_PATH) == 0 ? 0 : errno;
  // fchmod takes no O_PATH descriptor. The link in /proc leads to what is open and nothing else.
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  if (chmod(link.c_str(), mode) == 0) return 0;
  return errno == ENOENT ? EOPNOTSUPP : errno;  // There is no /proc; what is open is there in any case.
}

}  // namespace mooring::kernel
