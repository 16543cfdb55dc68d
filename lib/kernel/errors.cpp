#include "kernel/errors.h"

#include <cerrno>

namespace mooring::kernel {
namespace {

struct Meaning {
  const char* reason;
  const char* remedy;
};

Meaning meaning_of(int errno_value) {
  switch (errno_value) {
    case ENOENT:
      return {"NotFound", ""};
    case EEXIST:
      return {"Exists", ""};
    case ENOTDIR:
      return {"NotADirectory", "move away what stands in the place of the directory"};
    case EISDIR:
      return {"IsADirectory", ""};
    case ENOTEMPTY:
      return {"NotEmpty", ""};
    case EXDEV:
    case EBUSY:
      return {"MountedBelow", "unmount what is mounted there"};
    case ELOOP:
      return {"SymbolicLink", "remove the symbolic link: Mooring follows none below its root directory"};
    case EROFS:
      return {"ReadOnlyFileSystem", "make the file system writable"};
    case ENOSPC:
    case EDQUOT:
      return {"NoSpace", "free space or inodes on the file system"};
    case EACCES:
    case EPERM:
      return {"PermissionDenied", "see who may write there, and whether the file is immutable (lsattr)"};
    case EIO:
      return {"InputOutputError", "look at the kernel's log: the disk or its file system is failing"};
    default:
      return {"FileError", ""};
  }
}

}  // namespace

Error file_error(std::string_view what, const std::string& path, int errno_value) {
  const Meaning meaning = meaning_of(errno_value);
  Error error = system_error(ErrorKind::Transient, meaning.reason, what, path, errno_value);
  error.remedy = meaning.remedy;
  return error;
}

Error mount_error(std::string_view what, const std::string& path, int errno_value) {
  const bool is_unknown_type = errno_value == ENODEV;
  Error error = system_error(is_unknown_type ? ErrorKind::Final : ErrorKind::Transient, "MountFailed", what,
                             path, errno_value);
  if (is_unknown_type) error.remedy = "this kernel lacks the file system: load or build its module";
  if (errno_value == EPERM) error.remedy = "the worker needs CAP_SYS_ADMIN in the node's mount namespace";
  return error;
}

Error unmount_error(const std::string& path, int errno_value) {
  if (errno_value == EBUSY) {
    Error error = system_error(ErrorKind::Transient, "Busy", "cannot unmount", path, errno_value);
    error.remedy = "a process still uses the volume: `fuser -vm` names it; Mooring tries again";
    return error;
  }
  const char* reason = errno_value == EINVAL ? "NotMounted" : "UnmountFailed";
  return system_error(ErrorKind::Transient, reason, "cannot unmount", path, errno_value);
}

Error mounted_below(const std::string& path, int errno_value) {
  Error error = file_error("nothing is removed from what is mounted at", path, errno_value);
  error.reason = "MountedBelow";
  error.remedy = "unmount it; Mooring goes on by itself then";
  return error;
}

Error host_error(std::string_view what, const std::string& path, int errno_value, bool is_confined) {
  Error error = file_error(what, path, errno_value);
  if (errno_value == EXDEV && is_confined) error.reason = "LeavesMount";
  if (errno_value == ELOOP) {
    error.reason = "SymbolicLinkLoop";
    error.remedy = "the path runs through a loop of symbolic links";
  }
  return error;
}

Error needs_own_worker(const std::string& path, std::uint64_t entries_max) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "NeedsOwnWorker";
  error.message = "the volume has more than " + std::to_string(entries_max) +
                  " files: changing their group needs a worker of its own";
  error.path = path;
  return error;
}

Error sub_path_error(const std::string& path, int errno_value, bool is_confined) {
  // Paths inside the volume only: whoever reads the message may not be allowed to see the node's.
  Error error = file_error("cannot open the subPath", path, errno_value);
  if (errno_value == EXDEV && is_confined) {
    error.reason = "LeavesMount";
  } else if (errno_value == EXDEV) {
    error.kind = ErrorKind::Final;
    error.reason = "SubPathEscapes";
    error.message = "the subPath " + path + " leads out of its volume by a symbolic link";
    error.remedy = "replace the link by a relative one that stays in the volume";
  } else if (errno_value == ENOENT) {
    error.reason = "SubPathNotFound";
    error.remedy = "see what the volume holds";
  } else if (errno_value == ELOOP) {
    error.remedy = "remove the symbolic link: it leads to nothing, or in a loop";
  }
  return error;
}

}  // namespace mooring::kernel
