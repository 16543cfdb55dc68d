// Images: regular files as block devices.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/device_errors.h"
#include "kernel/errors.h"
#include "kernel/linux/block_device.h"
#include "kernel/linux/linux_devices.h"
#include "kernel/linux/loop_device.h"

namespace mooring::kernel {
namespace {

constexpr std::uint64_t sector_bytes = 512;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// A new file without a name, or if the file system has none such with one beside `path`, which then is in
/// `beside`.
Descriptor open_new(const std::string& path, std::string& beside) {
  const std::string parent = parent_of(path);
  Descriptor file(open(parent.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  beside = path + "." + std::to_string(getpid()) + ".new";
  return Descriptor(open(beside.c_str(), O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600));
}

/// The open image, checked to be one.
Result<Descriptor> open_image(const std::string& path, int flags, struct stat& status) {
  // Opening a fifo would wait, and opening a tape would wind it.
  if (stat(path.c_str(), &status) != 0) return image_error("cannot open the image", path, errno);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) return not_an_image(path);
  Descriptor file(open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
  if (!file || fstat(file.get(), &status) != 0) return image_error("cannot open the image", path, errno);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) return not_an_image(path);
  fcntl(file.get(), F_SETFL, 0);  // Whoever gets the descriptor need not know how it was opened.
  return file;
}

Result<DeviceFacts> facts_of_loop(const LoopDevice& loop) {
  const Descriptor device(open(loop.node.c_str(), O_RDONLY | O_CLOEXEC));
  if (!device) return device_error("cannot open", loop.node, errno);
  return facts_of(device.get(), loop.node);
}

}  // namespace

Result<bool> LinuxDevices::make_image(const std::string& path, std::uint64_t size_bytes) {
  const std::string what = "cannot make the image " + path;
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) return false;
  std::string beside;
  const Descriptor file = open_new(path, beside);
  if (!file) return file_error(what, path, errno);
  int error = 0;
  if (fchmod(file.get(), 0600) != 0 || ftruncate(file.get(), static_cast<off_t>(size_bytes)) != 0 ||
      fsync(file.get()) != 0) {
    error = errno;
  }
  const std::string source = beside.empty() ? "/proc/self/fd/" + std::to_string(file.get()) : beside;
  if (error == 0 && linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0)
    error = errno;
  if (!beside.empty()) unlink(beside.c_str());
  if (error == EEXIST) return false;
  if (error != 0) return file_error(what, path, error);
  const Descriptor directory(open(parent_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || fsync(directory.get()) != 0) return file_error(what, path, errno);
  return true;
}

Result<DeviceFacts> LinuxDevices::attach_image(const std::string& path, bool read_only) {
  struct stat status {};
  MOORING_TRY(const Descriptor file, open_image(path, read_only ? O_RDONLY : O_RDWR, status));
  // Two workers that look for a loop device and find none would attach two, each with a cache of its own. By
  // another descriptor: the loop device keeps the one that it is given, and its lock.
  // Of a device its folder in sysfs is locked: the lock of its node is udev's, and that of whoever uses it.
  const std::string guarded =
      S_ISREG(status.st_mode) ? "/proc/self/fd/" + std::to_string(file.get()) : sysfs_of(status.st_rdev);
  const Descriptor guard(open(guarded.c_str(), O_RDONLY | O_CLOEXEC));
  if (!guard) return image_error("cannot open the image", path, errno);
  if (flock(guard.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return device_locked(path);
    return image_error("cannot lock the image", path, errno);
  }
  const std::vector<LoopDevice> loops = loops_of_file(status.st_dev, status.st_ino);
  if (loops.size() > 1) return attached_otherwise(path, "more than once");
  if (loops.empty()) return attach_loop(file.get(), path, read_only);
  const LoopDevice& loop = loops.front();
  if (!loop.is_whole()) return attached_otherwise(path, "a part of it only as " + loop.node);
  if (loop.is_read_only() != read_only)
    return attached_otherwise(path, (loop.is_read_only() ? "read-only as " : "writable as ") + loop.node);
  return facts_of_loop(loop);
}

Result<bool> LinuxDevices::detach_image(const std::string& path) {
  struct stat status {};
  const bool is_there = stat(path.c_str(), &status) == 0;
  if (!is_there && errno != ENOENT && errno != ENOTDIR)
    return image_error("cannot look at the image", path, errno);
  bool detached = false;
  for (const LoopDevice& loop : list_loops()) {
    if (!loop.is_ours()) continue;
    const bool is_file =
        is_there && loop.info.lo_device == status.st_dev && loop.info.lo_inode == status.st_ino;
    const bool was_file = loop.is_named(path) && loop.backing_path == path + " (deleted)";
    if (!is_file && !was_file) continue;
    MOORING_TRY(const bool was_attached, detach_loop(loop));
    detached = detached || was_attached;
  }
  return detached;
}

Result<bool> LinuxDevices::grow_image(const std::string& path, std::uint64_t size_bytes) {
  struct stat status {};
  MOORING_TRY(Descriptor file, open_image(path, O_RDONLY, status));
  if (!S_ISREG(status.st_mode)) return not_an_image(path);
  bool changed = false;
  if (static_cast<std::uint64_t>(status.st_size) < size_bytes) {
    struct stat again {};
    MOORING_TRY(file, open_image(path, O_RDWR, again));
    if (again.st_ino != status.st_ino || again.st_dev != status.st_dev)
      return image_error("another file took the place of the image", path, ESTALE);
    if (ftruncate(file.get(), static_cast<off_t>(size_bytes)) != 0 || fsync(file.get()) != 0)
      return image_error("cannot grow the image", path, errno);
    status.st_size = static_cast<off_t>(size_bytes);
    changed = true;
  }
  const std::uint64_t sectors = static_cast<std::uint64_t>(status.st_size) / sector_bytes;
  for (const LoopDevice& loop : loops_of_file(status.st_dev, status.st_ino)) {
    if (!loop.is_whole()) continue;
    const Descriptor device(open(loop.node.c_str(), O_RDONLY | O_CLOEXEC));
    if (!device) return device_error("cannot open", loop.node, errno);
    MOORING_TRY(const DeviceFacts facts, facts_of(device.get(), loop.node));
    if (facts.size_bytes == sectors * sector_bytes) continue;
    if (ioctl(device.get(), LOOP_SET_CAPACITY, 0) != 0)
      return device_error("cannot tell the new size to", loop.node, errno);
    changed = true;
  }
  return changed;
}

}  // namespace mooring::kernel
