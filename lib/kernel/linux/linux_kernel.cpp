#include "kernel/linux/linux_kernel.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "kernel/linux/kernel_error.h"

namespace mooring::kernel {

Result<std::unique_ptr<LinuxKernel>> LinuxKernel::open(const std::string& root_dir, int inotify) {
  Descriptor root(::open(root_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return file_error("cannot open the root directory", root_dir, errno);
  umask(0);
  return std::unique_ptr<LinuxKernel>(new LinuxKernel(std::move(root), inotify));
}

std::string LinuxKernel::resolved_root() const {
  std::array<char, 4096> path{};
  const ssize_t size =
      readlink(("/proc/self/fd/" + std::to_string(root_.get())).c_str(), path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

}  // namespace mooring::kernel
