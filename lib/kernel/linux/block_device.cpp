#include "kernel/linux/block_device.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "kernel/device_errors.h"

namespace mooring::kernel {
namespace {

// What the headers of Linux 5.10 lack (Linux 5.15).
#ifndef BLKGETDISKSEQ
#define BLKGETDISKSEQ _IOR(0x12, 128, __u64)
#endif

}  // namespace

std::string sysfs_of(dev_t number) {
  return "/sys/dev/block/" + std::to_string(major(number)) + ":" + std::to_string(minor(number));
}

std::string read_attribute(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  const ssize_t got = file ? read(file.get(), buffer.data(), buffer.size()) : 0;
  std::string text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.pop_back();
  return text;
}

std::string node_of(dev_t number) {
  const std::string lines = "\n" + read_attribute(sysfs_of(number) + "/uevent") + "\n";
  constexpr std::string_view key = "\nDEVNAME=";
  const std::size_t at = lines.find(key);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size();
  return "/dev/" + lines.substr(begin, lines.find('\n', begin) - begin);
}

dev_t disk_of(dev_t number) {
  const std::string folder = sysfs_of(number);
  if (read_attribute(folder + "/partition").empty()) return number;
  const std::string disk = read_attribute(folder + "/../dev");
  unsigned disk_major = 0;
  unsigned disk_minor = 0;
  const char* end = disk.data() + disk.size();
  const auto after = std::from_chars(disk.data(), end, disk_major);
  if (after.ec != std::errc() || after.ptr == end || *after.ptr != ':') return number;
  return std::from_chars(after.ptr + 1, end, disk_minor).ec == std::errc() ? makedev(disk_major, disk_minor)
                                                                           : number;
}

std::string wwid_of(dev_t number) {
  const std::string folder = sysfs_of(disk_of(number));
  std::string wwid = read_attribute(folder + "/device/wwid");
  if (wwid.empty()) wwid = read_attribute(folder + "/wwid");
  return wwid;
}

Result<DeviceFacts> facts_of(int device, const std::string& node) {
  struct stat status {};
  if (fstat(device, &status) != 0) return device_error("cannot read", node, errno);
  if (!S_ISBLK(status.st_mode)) return not_a_block_device(node);
  DeviceFacts facts;
  facts.node = node;
  facts.device_major = major(status.st_rdev);
  facts.device_minor = minor(status.st_rdev);
  int is_read_only = 0;
  if (ioctl(device, BLKGETSIZE64, &facts.size_bytes) != 0 || ioctl(device, BLKROGET, &is_read_only) != 0)
    return device_error("cannot read the size of", node, errno);
  facts.is_read_only = is_read_only != 0;
  if (ioctl(device, BLKGETDISKSEQ, &facts.sequence) != 0) facts.sequence = 0;
  facts.wwid = wwid_of(status.st_rdev);
  return facts;
}

Result<Descriptor> open_device(const DeviceFacts& device, int flags) {
  Descriptor opened(open(device.node.c_str(), flags | O_CLOEXEC));
  if (!opened) {
    if (errno == EBUSY) return device_busy(device.node);
    return device_error("cannot open", device.node, errno);
  }
  MOORING_TRY(const DeviceFacts now, facts_of(opened.get(), device.node));
  if (now.size_bytes == 0) return device_error("cannot open", device.node, ENOMEDIUM);
  const std::string difference = identity_difference(device, now);
  if (!difference.empty()) return device_changed(device, difference);
  return opened;
}

}  // namespace mooring::kernel
