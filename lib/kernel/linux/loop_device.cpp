#include "kernel/linux/loop_device.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "kernel/device_errors.h"
#include "kernel/linux/block_device.h"

namespace mooring::kernel {
namespace {

constexpr std::string_view owner_mark = "mooring:";
/// Every disk can show blocks of this size, so an image looks the same wherever its file lies.
constexpr std::uint32_t block_bytes = 512;
constexpr int attach_tries = 64;
/// Others open each device for a moment when it changes (udev's blkid, and list_loops() of other workers).
/// A try that fails takes the kernel some 20 ms besides.
constexpr int detach_tries = 10;
constexpr timespec detach_pause{0, 4'000'000};

/// The mark and the path, or its end if it does not fit.
std::string name_for(const std::string& path) {
  constexpr std::size_t room = LO_NAME_SIZE - 1 - owner_mark.size();
  const std::size_t skipped = path.size() > room ? path.size() - room : 0;
  return std::string(owner_mark) + path.substr(skipped);
}

std::string name_of(const loop_info64& info) {
  const auto* name = static_cast<const char*>(static_cast<const void*>(info.lo_file_name));
  return {name, strnlen(name, LO_NAME_SIZE)};
}

bool is_same_file(const loop_info64& a, const loop_info64& b) {
  return a.lo_device == b.lo_device && a.lo_inode == b.lo_inode && a.lo_rdevice == b.lo_rdevice;
}

/// LOOP_CONFIGURE with direct I/O where that can be.
int configure(int loop, int file, const std::string& path, bool is_read_only) {
  loop_config config{};
  config.fd = static_cast<std::uint32_t>(file);
  config.block_size = block_bytes;
  config.info.lo_flags = LO_FLAGS_DIRECT_IO;
  if (is_read_only) config.info.lo_flags |= LO_FLAGS_READ_ONLY;
  const std::string name = name_for(path);
  std::memcpy(config.info.lo_file_name, name.data(), name.size());
  if (ioctl(loop, LOOP_CONFIGURE, &config) == 0) return 0;
  if (errno != EINVAL) return errno;
  config.info.lo_flags &= ~static_cast<std::uint32_t>(LO_FLAGS_DIRECT_IO);
  return ioctl(loop, LOOP_CONFIGURE, &config) == 0 ? 0 : errno;
}

enum class Detached { Yes, NotYet, Gone };

/// One try. NotYet: somebody has it open.
Result<Detached> try_detach(const LoopDevice& loop) {
  const Descriptor device(open(loop.node.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
  if (!device) {
    if (errno == EBUSY) return Detached::NotYet;
    if (errno == ENXIO || errno == ENOENT) return Detached::Gone;
    return device_error("cannot open", loop.node, errno);
  }
  loop_info64 info{};
  if (ioctl(device.get(), LOOP_GET_STATUS64, &info) != 0 || !is_same_file(info, loop.info))
    return Detached::Gone;
  if (ioctl(device.get(), LOOP_CLR_FD, 0) != 0) {
    if (errno == EBUSY) return Detached::NotYet;
    if (errno == ENXIO) return Detached::Gone;
    return device_error("cannot detach", loop.node, errno);
  }
  // Still there: it waits for others to close it. Take that back.
  if (ioctl(device.get(), LOOP_GET_STATUS64, &info) != 0) return Detached::Yes;
  info.lo_flags &= ~static_cast<std::uint32_t>(LO_FLAGS_AUTOCLEAR);
  if (ioctl(device.get(), LOOP_SET_STATUS64, &info) != 0)
    return device_error("cannot keep from being detached later", loop.node, errno);
  return Detached::NotYet;
}

}  // namespace

bool LoopDevice::is_ours() const {
  return name_of(info).starts_with(owner_mark);
}

bool LoopDevice::is_named(const std::string& path) const {
  return name_of(info) == name_for(path);
}

std::vector<LoopDevice> list_loops() {
  std::vector<LoopDevice> loops;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/sys/block"), &closedir);
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
    const std::string name = static_cast<const char*>(entry->d_name);
    if (!name.starts_with("loop")) continue;
    LoopDevice loop;
    loop.backing_path = read_attribute("/sys/block/" + name + "/loop/backing_file");
    if (loop.backing_path.empty()) continue;
    loop.node = "/dev/" + name;
    const Descriptor device(open(loop.node.c_str(), O_RDONLY | O_CLOEXEC));
    if (device && ioctl(device.get(), LOOP_GET_STATUS64, &loop.info) == 0) loops.push_back(std::move(loop));
  }
  std::sort(loops.begin(), loops.end(),
            [](const auto& a, const auto& b) { return a.info.lo_number < b.info.lo_number; });
  return loops;
}

std::vector<LoopDevice> loops_of_file(dev_t device, ino_t inode) {
  std::vector<LoopDevice> loops = list_loops();
  std::erase_if(loops, [&](const LoopDevice& loop) {
    return loop.info.lo_device != device || loop.info.lo_inode != inode;
  });
  return loops;
}

Result<DeviceFacts> attach_loop(int file, const std::string& path, bool is_read_only) {
  const Descriptor control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control) return device_error("cannot open", "/dev/loop-control", errno);
  for (int i = 0; i < attach_tries; ++i) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return device_error("cannot get a loop device of", "/dev/loop-control", errno);
    const std::string node = "/dev/loop" + std::to_string(number);
    const Descriptor loop(open(node.c_str(), (is_read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
    if (!loop) return device_error("cannot open", node, errno);
    const int error = configure(loop.get(), file, path, is_read_only);
    if (error == 0) return facts_of(loop.get(), node);
    // Somebody else took it first.
    if (error != EBUSY) return image_error("cannot attach to " + node + " the image", path, error);
  }
  return image_error("no loop device stays free for the image", path, EBUSY);
}

Result<bool> detach_loop(const LoopDevice& loop) {
  for (int i = 0; i < detach_tries; ++i) {
    if (i > 0) nanosleep(&detach_pause, nullptr);
    MOORING_TRY(const Detached done, try_detach(loop));
    if (done != Detached::NotYet) return done == Detached::Yes;
  }
  return device_busy(loop.node);
}

}  // namespace mooring::kernel
