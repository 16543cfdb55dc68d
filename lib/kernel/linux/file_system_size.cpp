#include "kernel/linux/file_system_size.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "kernel/linux/descriptor.h"
#include "kernel/linux/lookup.h"

namespace mooring::kernel {
namespace {

/// struct xfs_fsop_geom_v1 of xfs_fs.h, which is not among the kernel's own headers.
struct XfsGeometry {
  std::uint32_t block_bytes;
  std::uint32_t unused_a[7];
  std::uint64_t data_blocks;
  std::uint64_t unused_b[3];
  std::uint8_t uuid[16];
  std::uint32_t unused_c[7];
};
static_assert(sizeof(XfsGeometry) == 112);
constexpr unsigned long xfs_geometry = _IOR('X', 100, XfsGeometry);

template <class Number>
Number number_at(const char* bytes, std::size_t offset) {
  Number number{};
  std::memcpy(&number, bytes + offset, sizeof number);
  return number;
}

/// From the superblock (linux/Documentation/filesystems/ext4/super.rst).
std::optional<FileSystemSize> ext_size(int device) {
  constexpr off_t superblock_offset = 1024;
  constexpr std::uint16_t magic = 0xef53;
  constexpr std::uint32_t has_64_bits = 0x80;
  std::array<char, 1024> bytes{};
  if (pread(device, bytes.data(), bytes.size(), superblock_offset) != static_cast<ssize_t>(bytes.size()))
    return std::nullopt;
  if (le16toh(number_at<std::uint16_t>(bytes.data(), 0x38)) != magic) return std::nullopt;
  std::uint64_t blocks = le32toh(number_at<std::uint32_t>(bytes.data(), 0x04));
  if ((le32toh(number_at<std::uint32_t>(bytes.data(), 0x60)) & has_64_bits) != 0)
    blocks |= static_cast<std::uint64_t>(le32toh(number_at<std::uint32_t>(bytes.data(), 0x150))) << 32U;
  const std::uint64_t block_bytes = 1024ULL
                                    << (le32toh(number_at<std::uint32_t>(bytes.data(), 0x18)) & 0x1fU);
  return FileSystemSize{blocks * block_bytes, block_bytes, 0};
}

std::optional<FileSystemSize> xfs_size(int folder) {
  XfsGeometry geometry{};
  if (ioctl(folder, xfs_geometry, &geometry) != 0) return std::nullopt;
  return FileSystemSize{geometry.data_blocks * geometry.block_bytes, geometry.block_bytes, 0};
}

std::optional<FileSystemSize> btrfs_size(int folder, dev_t number) {
  struct statfs file_system {};
  btrfs_ioctl_fs_info_args info{};
  if (fstatfs(folder, &file_system) != 0 || file_system.f_type != BTRFS_SUPER_MAGIC ||
      ioctl(folder, BTRFS_IOC_FS_INFO, &info) != 0) {
    return std::nullopt;
  }
  for (std::uint64_t id = 1; id <= info.max_id; ++id) {
    btrfs_ioctl_dev_info_args device{};
    device.devid = id;
    if (ioctl(folder, BTRFS_IOC_DEV_INFO, &device) != 0) continue;
    struct stat status {};
    const auto* path = static_cast<const char*>(static_cast<const void*>(device.path));
    if (stat(path, &status) != 0 || !S_ISBLK(status.st_mode) || status.st_rdev != number) continue;
    return FileSystemSize{device.total_bytes, info.sectorsize != 0 ? info.sectorsize : 4096, id};
  }
  return std::nullopt;
}

}  // namespace

std::optional<FileSystemSize> file_system_size(int device, const std::string& type,
                                               const std::string& mounted_at) {
  struct stat node {};
  struct stat there {};
  FileStatus status;
  const Descriptor folder(open(mounted_at.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || fstat(device, &node) != 0 || fstat(folder.get(), &there) != 0) return std::nullopt;
  if (!read_status(folder.get(), "", status) || !status.is_mount_root) return std::nullopt;
  if (type == "btrfs") return btrfs_size(folder.get(), node.st_rdev);
  if (there.st_dev != node.st_rdev) return std::nullopt;
  return type == "xfs" ? xfs_size(folder.get()) : ext_size(device);
}

}  // namespace mooring::kernel
