#include "kernel/linux/lookup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "kernel/errors.h"
#include "kernel/linux/uapi.h"

namespace mooring::kernel {
namespace {

FileType type_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::Regular;
    case S_IFDIR:
      return FileType::Directory;
    case S_IFLNK:
      return FileType::SymbolicLink;
    case S_IFSOCK:
      return FileType::Socket;
    case S_IFIFO:
      return FileType::Fifo;
    case S_IFCHR:
      return FileType::CharDevice;
    case S_IFBLK:
      return FileType::BlockDevice;
    default:
      return FileType::Unknown;
  }
}

}  // namespace

std::string Place::proc_path() const {
  return "/proc/self/fd/" + std::to_string(directory) + "/" + name;
}

Descriptor open_beneath(int root, const std::string& path, int flags) {
  // RESOLVE_NO_SYMLINKS refuses a link as the last element too, and says ELOOP; with O_NOFOLLOW a directory's
  // open would say ENOTDIR of it.
  return Descriptor(
      uapi::openat2(root, path.empty() ? "." : path.c_str(), static_cast<std::uint64_t>(flags) | O_CLOEXEC, 0,
                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV));
}

Result<Place> place_of(int root, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  Place place{{}, root, slash == std::string::npos ? path : path.substr(slash + 1)};
  if (slash != std::string::npos) {
    const std::string parent = path.substr(0, slash);
    place.opened = open_beneath(root, parent, O_PATH | O_DIRECTORY);
    if (!place.opened) return file_error("cannot open the directory", parent, errno);
    place.directory = place.opened.get();
  }
  if (place.name == "..") return file_error("cannot look up", path, EXDEV);  // It may lead out of the root.
  return place;
}

bool read_status(int directory, const std::string& name, FileStatus& out) {
  struct statx raw {};
  const int flags =
      AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC | (name.empty() ? AT_EMPTY_PATH : 0);
  if (statx(directory, name.c_str(), flags, STATX_BASIC_STATS, &raw) != 0) return false;
  out.type = type_of(raw.stx_mode);
  out.mode = raw.stx_mode & 07777U;
  out.inode = raw.stx_ino;
  out.device = makedev(raw.stx_dev_major, raw.stx_dev_minor);
  out.size_bytes = raw.stx_size;
  out.user = raw.stx_uid;
  out.group = raw.stx_gid;
  out.is_mount_root = (raw.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return true;
}

bool rename_to_new(int from, const std::string& from_name, int to, const std::string& to_name) {
  if (renameat2(from, from_name.c_str(), to, to_name.c_str(), RENAME_NOREPLACE) == 0) return true;
  return errno == EINVAL && rename_unflagged(from, from_name, to, to_name);
}

bool rename_unflagged(int from, const std::string& from_name, int to, const std::string& to_name) {
  FileStatus source;
  if (!read_status(from, from_name, source)) return false;
  if (source.type != FileType::Directory) {
    return linkat(from, from_name.c_str(), to, to_name.c_str(), 0) == 0 &&
           unlinkat(from, from_name.c_str(), 0) == 0;
  }
  FileStatus target;
  if (read_status(to, to_name, target)) {
    errno = EEXIST;
    return false;
  }
  if (errno != ENOENT) return false;
  if (renameat(from, from_name.c_str(), to, to_name.c_str()) == 0) return true;
  if (errno == ENOTEMPTY || errno == ENOTDIR) errno = EEXIST;
  return false;
}

}  // namespace mooring::kernel
