#pragma once

#include <linux/openat2.h>
#include <linux/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

// What the headers of Linux 6.1 lack, from the user-space API of later kernels. Everything here is probed at
// run time: on a kernel without it the call answers ENOSYS (or statx leaves the bit out of its mask).

namespace mooring::kernel::uapi {

inline constexpr long statmount_number = 457;             ///< Linux 6.8, the same on all architectures.
inline constexpr unsigned statx_mnt_id_unique = 0x4000U;  ///< Linux 6.8.

/// struct mnt_id_req, version 0.
struct MountIdRequest {
  std::uint32_t size = sizeof(MountIdRequest);
  std::uint32_t spare = 0;
  std::uint64_t mount_id = 0;
  std::uint64_t param = 0;
};

inline constexpr std::uint64_t statmount_sb_basic = 0x01;
inline constexpr std::uint64_t statmount_mnt_basic = 0x02;
inline constexpr std::uint64_t statmount_mnt_root = 0x08;
inline constexpr std::uint64_t statmount_fs_type = 0x20;

/// struct statmount; strings are offsets into what follows it.
struct Statmount {
  std::uint32_t size;
  std::uint32_t mnt_opts;
  std::uint64_t mask;
  std::uint32_t sb_dev_major;
  std::uint32_t sb_dev_minor;
  std::uint64_t sb_magic;
  std::uint32_t sb_flags;
  std::uint32_t fs_type;
  std::uint64_t mnt_id;
  std::uint64_t mnt_parent_id;
  std::uint32_t mnt_id_old;
  std::uint32_t mnt_parent_id_old;
  std::uint64_t mnt_attr;
  std::uint64_t mnt_propagation;
  std::uint64_t mnt_peer_group;
  std::uint64_t mnt_master;
  std::uint64_t propagate_from;
  std::uint32_t mnt_root;
  std::uint32_t mnt_point;
  std::uint64_t spare[50];
};
static_assert(sizeof(Statmount) == 512);

/// openat2(2), which glibc has no wrapper for.
inline int openat2(int directory, const char* path, std::uint64_t flags, std::uint64_t mode,
                   std::uint64_t resolve) {
  open_how how{};
  how.flags = flags;
  how.mode = mode;
  how.resolve = resolve;
  return static_cast<int>(syscall(SYS_openat2, directory, path, &how, sizeof how));
}

inline constexpr long fchmodat2_number = 452;  ///< Linux 6.6, the same on all architectures.

/// fchmodat2(2): AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH, which fchmodat(2) lacks.
inline int fchmodat2(int directory, const char* path, std::uint32_t mode, int flags) {
  return static_cast<int>(syscall(fchmodat2_number, directory, path, mode, flags));
}

}  // namespace mooring::kernel::uapi
