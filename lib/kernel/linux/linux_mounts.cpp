#include "kernel/linux/linux_mounts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "kernel/errors.h"
#include "kernel/linux/lookup.h"
#include "kernel/linux/uapi.h"

namespace mooring::kernel {
namespace {

constexpr unsigned no_mount_attributes = 0;

long kernel_call(long number, auto... arguments) {
  return syscall(number, arguments...);
}

/// The kernel's own words of why a file system could not be made: the messages that the fsopen descriptor
/// holds
/// ("e tmpfs: Bad value for 'size'"), joined.
std::string words_of(int context) {
  std::string words;
  std::array<char, 512> line{};
  while (true) {
    const ssize_t got = read(context, line.data(), line.size());
    if (got <= 2) return words;
    std::string_view text(line.data() + 2, static_cast<std::size_t>(got) - 2);
    while (text.ends_with('\n'))
      text.remove_suffix(1);
    if (!words.empty()) words += "; ";
    words += text;
  }
}

/// A file system being made: options are gathered, then it is created, detached, and put in its place.
class NewFileSystem {
 public:
  NewFileSystem(std::string type, std::string target) : type_(std::move(type)), target_(std::move(target)) {
    context_.reset(static_cast<int>(kernel_call(SYS_fsopen, type_.c_str(), FSOPEN_CLOEXEC)));
    if (!context_) errno_ = errno;
  }

  void set(const char* key, const std::string& value) {
    if (errno_ == 0 &&
        kernel_call(SYS_fsconfig, context_.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0) {
      errno_ = errno;
    }
  }

  /// A flag that older kernels do not know and that can be done without.
  void try_flag(const char* key) {
    if (errno_ == 0) kernel_call(SYS_fsconfig, context_.get(), FSCONFIG_SET_FLAG, key, nullptr, 0);
  }

  Result<void> put(const Place& place) {
    if (errno_ == 0 &&
        kernel_call(SYS_fsconfig, context_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
      errno_ = errno;
    }
    if (errno_ != 0) return failure("cannot make the " + type_);
    const Descriptor mount(
        static_cast<int>(kernel_call(SYS_fsmount, context_.get(), FSMOUNT_CLOEXEC, no_mount_attributes)));
    if (!mount || kernel_call(SYS_move_mount, mount.get(), "", place.directory, place.name.c_str(),
                              MOVE_MOUNT_F_EMPTY_PATH) != 0) {
      errno_ = errno;
      return failure("cannot mount the " + type_);
    }
    return success();
  }

 private:
  Error failure(const std::string& what) const {
    Error error = mount_error(what, target_, errno_);
    const std::string words = context_ ? words_of(context_.get()) : std::string();
    if (!words.empty()) error.message += " (" + words + ")";
    return error;
  }

  std::string type_;
  std::string target_;
  Descriptor context_;
  int errno_ = 0;
};

/// One mount by its unique id; false if the kernel cannot tell (errno).
bool read_statmount(std::uint64_t unique_id, MountFact& out) {
  uapi::MountIdRequest request;
  request.mount_id = unique_id;
  request.param = uapi::statmount_sb_basic | uapi::statmount_mnt_basic | uapi::statmount_mnt_root |
                  uapi::statmount_fs_type;
  alignas(uapi::Statmount) std::array<char, sizeof(uapi::Statmount) + 4608> buffer{};
  if (kernel_call(uapi::statmount_number, &request, buffer.data(), buffer.size(), 0) != 0) return false;
  uapi::Statmount raw{};
  std::memcpy(&raw, buffer.data(), sizeof raw);
  const auto text = [&](std::uint32_t offset) {
    const std::size_t at = sizeof raw + offset;
    return at < buffer.size()
               ? std::string(buffer.data() + at, strnlen(buffer.data() + at, buffer.size() - at))
               : std::string();
  };
  out.id = raw.mnt_id_old;
  out.parent_id = raw.mnt_parent_id_old;
  out.device_major = raw.sb_dev_major;
  out.device_minor = raw.sb_dev_minor;
  out.type = text(raw.fs_type);
  out.root = text(raw.mnt_root);
  out.options = (raw.mnt_attr & MOUNT_ATTR_RDONLY) != 0 ? "ro" : "rw";
  if ((raw.mnt_attr & MOUNT_ATTR_IDMAP) != 0) out.options += ",idmapped";
  out.super_options = (raw.sb_flags & MS_RDONLY) != 0 ? "ro" : "rw";
  return true;
}

}  // namespace

Result<void> LinuxMounts::mount_tmpfs(const std::string& target, const TmpfsOptions& options) {
  MOORING_TRY(const Place place, place_of(root_, target));
  NewFileSystem tmpfs("tmpfs", target);
  tmpfs.set("source", "tmpfs");
  if (options.size_bytes) tmpfs.set("size", std::to_string(*options.size_bytes));
  std::array<char, 16> mode{};
  snprintf(mode.data(), mode.size(), "%o", options.mode);
  tmpfs.set("mode", mode.data());
  if (options.is_secret) tmpfs.try_flag("noswap");
  return tmpfs.put(place);
}

Result<void> LinuxMounts::mount_hugetlbfs(const std::string& target, std::uint64_t page_size_bytes) {
  MOORING_TRY(const Place place, place_of(root_, target));
  NewFileSystem huge("hugetlbfs", target);
  huge.set("source", "nodev");
  huge.set("pagesize", std::to_string(page_size_bytes));
  return huge.put(place);
}

Result<void> LinuxMounts::bind(const BindRequest& request) {
  MOORING_TRY(const Place place, place_of(root_, request.target));
  const unsigned recursive = request.recursive ? AT_RECURSIVE : 0U;
  const Descriptor tree(static_cast<int>(kernel_call(SYS_open_tree, AT_FDCWD, request.source.c_str(),
                                                     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive)));
  if (!tree) return mount_error("cannot bind " + request.source + " on", request.target, errno);
  if (request.read_only) {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (kernel_call(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | recursive, &attributes,
                    sizeof attributes) != 0) {
      return mount_error("cannot make the bind of " + request.source + " read-only for", request.target,
                         errno);
    }
  }
  if (kernel_call(SYS_move_mount, tree.get(), "", place.directory, place.name.c_str(),
                  MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return mount_error("cannot bind " + request.source + " on", request.target, errno);
  }
  return success();
}

Result<void> LinuxMounts::unmount(const std::string& target) {
  MOORING_TRY(const Place place, place_of(root_, target));
  if (umount2(place.proc_path().c_str(), UMOUNT_NOFOLLOW) != 0) return unmount_error(target, errno);
  return success();
}

Result<std::optional<MountFact>> LinuxMounts::at(const std::string& target) {
  const Result<Place> place = place_of(root_, target);
  if (!place) {
    if (place.error().errno_value == ENOENT) return std::optional<MountFact>();
    return place.error();
  }
  const int directory = place.value().directory;
  const char* name = place.value().name.c_str();
  constexpr int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  struct statx raw {};
  const unsigned mask = has_statmount_ ? uapi::statx_mnt_id_unique : STATX_MNT_ID;
  if (statx(directory, name, flags, mask, &raw) != 0) {
    if (errno == ENOENT) return std::optional<MountFact>();
    return file_error("cannot read", target, errno);
  }
  if ((raw.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0) {
    return file_error("the kernel does not tell what is a mount point (Linux 5.8 does):", target, ENOSYS);
  }
  if ((raw.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) return std::optional<MountFact>();
  MountFact fact;
  if (has_statmount_ && (raw.stx_mask & uapi::statx_mnt_id_unique) != 0 &&
      read_statmount(raw.stx_mnt_id, fact)) {
    return std::optional(std::move(fact));
  }
  // EPERM: a filter of system calls that does not know this one (seccomp(2) of old container runtimes).
  if (has_statmount_ && errno != ENOSYS && errno != EPERM &&
      (raw.stx_mask & uapi::statx_mnt_id_unique) != 0) {
    return file_error("cannot read the mount at", target, errno);
  }
  has_statmount_ = false;
  struct statx by_id {};
  if (statx(directory, name, flags, STATX_MNT_ID | STATX_INO, &by_id) != 0)
    return file_error("cannot read", target, errno);
  // Linux 6.1. The table costs with every mount of the node, so what Mooring mounts most is told without it:
  // the root of a tmpfs is its inode 1 (mm/shmem.c numbers from there).
  constexpr std::uint64_t tmpfs_root_inode = 1;
  const Descriptor mounted(openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct statfs file_system {};
  if (by_id.stx_ino == tmpfs_root_inode && mounted && fstatfs(mounted.get(), &file_system) == 0 &&
      file_system.f_type == TMPFS_MAGIC) {
    fact.id = by_id.stx_mnt_id;
    fact.type = "tmpfs";
    fact.root = "/";
    fact.options = (file_system.f_flags & ST_RDONLY) != 0 ? "ro" : "rw";
    return std::optional(std::move(fact));
  }
  // Anything else by the mount's id in the table, which also tells the root of a bind.
  MOORING_TRY(const MountTable whole, table());
  for (const MountFact& line : whole.mounts()) {
    if (line.id == by_id.stx_mnt_id) return std::optional(line);
  }
  return file_error("the mount table lacks the mount at", target, EAGAIN);
}

Result<std::uint64_t> LinuxMounts::block_size(const std::string& target) {
  MOORING_TRY(const Place place, place_of(root_, target));
  const Descriptor there(openat(place.directory, place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct statfs file_system {};
  if (!there || fstatfs(there.get(), &file_system) != 0) return file_error("cannot read", target, errno);
  return static_cast<std::uint64_t>(file_system.f_bsize);
}

Result<MountTable> LinuxMounts::table() {
  const Descriptor file(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!file) return file_error("cannot open", "/proc/self/mountinfo", errno);
  std::string content;
  std::size_t size = 0;
  while (true) {
    if (content.size() - size < 65536) content.resize(std::max<std::size_t>(content.size() * 2, 262144));
    const ssize_t got = read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error("cannot read", "/proc/self/mountinfo", errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return MountTable::parse(std::string_view(content).substr(0, size));
}

}  // namespace mooring::kernel
