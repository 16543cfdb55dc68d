#include "disks.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "host.h"
#include "process.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

std::vector<Loop> all_loops() {
  std::vector<Loop> loops;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator("/sys/block", failed)) {
    std::ifstream attribute(entry.path() / "loop/backing_file");
    std::string backing;
    if (std::getline(attribute, backing))
      loops.push_back({"/dev/" + entry.path().filename().string(), backing});
  }
  return loops;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Disks::Disks() : dir_((fs::temp_directory_path() / "mooring-disks-XXXXXX").string()) {
  if (mkdtemp(dir_.data()) == nullptr) throw std::runtime_error("no temporary directory can be made");
  mount_tmpfs(dir_, "mode=755");
}

Disks::~Disks() {
  // One on a loop device first: that is busy until then. The last to close it detaches what is still in use.
  for (bool is_upper : {true, false}) {
    for (const Loop& loop : loops()) {
      if (loop.backing.starts_with("/dev/") == is_upper) detach(loop.node);
    }
  }
  // Whoever else on the machine looks at all devices just now has it open for a moment: it goes with that.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!loops().empty() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  for (const Loop& loop : loops())
    ADD_FAILURE() << loop.node << " still has " << loop.backing;
  unmount_all(dir_);
  EXPECT_EQ(rmdir(dir_.c_str()), 0) << dir_ << ": " << std::strerror(errno);
}

std::string Disks::make(const std::string& name, std::uint64_t size_bytes) const {
  write_in_place(path(name), "");
  fs::resize_file(path(name), size_bytes);
  return path(name);
}

std::string Disks::make_formatted(const std::string& name, const std::string& type, std::uint64_t size_bytes,
                                  const std::vector<std::string>& words) const {
  std::vector<std::string> all{"mkfs." + type, type == "ext4" ? "-qF" : "-qf"};
  all.insert(all.end(), words.begin(), words.end());
  all.push_back(make(name, size_bytes));
  const Ran ran = run(all);
  EXPECT_EQ(ran.status, 0) << ran.err;
  return path(name);
}

void Disks::put(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file << bytes;
  file.close();
  EXPECT_TRUE(file) << "cannot write " << path;
}

std::vector<Loop> Disks::loops() const {
  const std::vector<Loop> all = all_loops();
  std::vector<Loop> found;
  const auto is_ours = [&](const std::string& backing) {
    return backing.starts_with(dir_ + "/") ||
           std::any_of(found.begin(), found.end(), [&](const Loop& loop) { return loop.node == backing; });
  };
  std::size_t before = 0;
  do {
    before = found.size();
    for (const Loop& loop : all) {
      const bool is_known =
          std::any_of(found.begin(), found.end(), [&](const Loop& other) { return other.node == loop.node; });
      if (!is_known && is_ours(loop.backing)) found.push_back(loop);
    }
  } while (found.size() != before);
  return found;
}

std::vector<std::string> Disks::loops_of(const std::string& path) const {
  std::vector<std::string> nodes;
  for (const Loop& loop : loops()) {
    if (loop.backing == path) nodes.push_back(loop.node);
  }
  return nodes;
}

std::string Disks::attach(const std::string& image) const {
  const int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  const int file = open(image.c_str(), O_RDWR | O_CLOEXEC);
  loop_config config{};
  config.fd = static_cast<std::uint32_t>(file);
  std::string node;
  int error = control >= 0 && file >= 0 ? EBUSY : ENOENT;
  while (error == EBUSY) {  // Somebody else may take the free one first.
    node = "/dev/loop" + std::to_string(ioctl(control, LOOP_CTL_GET_FREE));
    const int loop = open(node.c_str(), O_RDWR | O_CLOEXEC);
    error = ioctl(loop, LOOP_CONFIGURE, &config) == 0 ? 0 : errno;
    close(loop);
  }
  EXPECT_EQ(error, 0) << image << ": " << std::strerror(error);
  close(file);
  close(control);
  return node;
}

void Disks::detach(const std::string& node) const {
  const int loop = open(node.c_str(), O_RDONLY | O_CLOEXEC);
  if (loop < 0) return;
  ioctl(loop, LOOP_CLR_FD, 0);
  close(loop);
}

std::string digest_of(const std::string& path) {
  return first_line(run({"sha256sum", path}).out);
}

std::string tag_of(const std::string& path, const std::string& tag) {
  return first_line(run({"blkid", "-p", "-s", tag, "-o", "value", path}).out);
}

std::string hash_seed_of(const std::string& image) {
  std::istringstream lines(run({"dumpe2fs", "-h", image}).out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Directory Hash Seed:")) return line;
  }
  return {};
}

std::string storage_text(const std::string& name, const std::string& source, const Storage& storage) {
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + name +
         "}\nspec:\n  capacity: {storage: " + storage.capacity + "}\n  accessModes: [" + storage.access +
         "]\n  volumeMode: " + storage.mode + "\n  claimRef: {namespace: default, name: " + name + "}\n  " +
         source + "\n" + storage.more +
         "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + name +
         "}\nspec:\n  accessModes: [" + storage.access + "]\n  volumeMode: " + storage.mode +
         "\n  volumeName: " + name + "\n  storageClassName: ''\n  resources: {requests: {storage: 1Mi}}\n";
}

std::string block_source(const std::string& handle, const std::string& attributes, const std::string& type,
                         bool read_only) {
  return "csi: {driver: block.mooring.io, volumeHandle: " + handle + ", fsType: " + type +
         ", readOnly: " + (read_only ? "true" : "false") + ", volumeAttributes: {" + attributes + "}}";
}

std::string claim_source(const std::string& name, bool read_only) {
  return "persistentVolumeClaim: {claimName: " + name + ", readOnly: " + (read_only ? "true" : "false") + "}";
}

std::string raw_pod_text(const std::string& name, const std::string& claim) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
         "}\nspec:\n  containers:\n  - name: c\n    image: i\n    volumeDevices:\n    - {name: v, "
         "devicePath: "
         "/dev/v}\n  volumes:\n  - name: v\n    " +
         claim_source(claim) + "\n";
}

bool has_program(const std::string& program) {
  return run({"sh", "-c", "command -v " + program}).status == 0;
}

bool has_resource_capability() {
  constexpr unsigned resource = 24;  // CAP_SYS_RESOURCE
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapEff:")) return (std::stoull(line.substr(7), nullptr, 16) >> resource & 1U) != 0;
  }
  return false;
}

}  // namespace mooring::integration
