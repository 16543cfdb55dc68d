#include "loops.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "kernel/linux/descriptor.h"

namespace mooring::kernel::contract {

std::string attach_loop(const std::string& image, std::uint64_t offset) {
  const Descriptor control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  const Descriptor file(open(image.c_str(), O_RDWR | O_CLOEXEC));
  loop_config config{};
  config.fd = static_cast<std::uint32_t>(file.get());
  config.info.lo_offset = offset;
  while (control && file) {
    const std::string node = "/dev/loop" + std::to_string(ioctl(control.get(), LOOP_CTL_GET_FREE));
    const Descriptor loop(open(node.c_str(), O_RDWR | O_CLOEXEC));
    if (ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) return node;
    if (errno != EBUSY) break;
  }
  std::abort();
}

void detach_loops_below(const std::string& directory) {
  std::vector<std::string> nodes;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/block")) {
    std::ifstream attribute(entry.path() / "loop/backing_file");
    std::string path;
    if (std::getline(attribute, path) && path.starts_with(directory + "/"))
      nodes.push_back("/dev/" + entry.path().filename().string());
  }
  for (const std::string& node : nodes) {
    const Descriptor loop(open(node.c_str(), O_RDONLY | O_CLOEXEC));
    if (loop) ioctl(loop.get(), LOOP_CLR_FD, 0);
  }
}

}  // namespace mooring::kernel::contract
