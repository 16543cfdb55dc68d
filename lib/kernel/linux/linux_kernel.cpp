#include "kernel/linux/linux_kernel.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "kernel/errors.h"

namespace mooring::kernel {

Result<std::unique_ptr<LinuxKernel>> LinuxKernel::open(const std::string& root_dir, int inotify,
                                                       const std::string& flex_socket) {
  Descriptor root(::open(root_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return file_error("cannot open the root directory", root_dir, errno);
  umask(0);
  return std::unique_ptr<LinuxKernel>(new LinuxKernel(root_dir, std::move(root), inotify, flex_socket));
}

bool LinuxKernel::is_in_place(std::uint64_t device, std::uint64_t inode) const {
  struct stat own {};
  struct stat there {};
  if (fstat(root_.get(), &own) != 0 || stat(path_.c_str(), &there) != 0) return false;
  return own.st_dev == device && own.st_ino == inode && there.st_dev == device && there.st_ino == inode;
}

std::string LinuxKernel::resolved_root() const {
  std::array<char, 4096> path{};
  const ssize_t size =
      readlink(("/proc/self/fd/" + std::to_string(root_.get())).c_str(), path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

}  // namespace mooring::kernel
