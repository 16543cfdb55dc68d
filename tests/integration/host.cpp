#include "host.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mooring::integration {
namespace {

/// `\040` and the like, as the kernel writes them.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<Mount> all_mounts() {
  std::vector<Mount> mounts;
  std::ifstream in("/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string skipped;
    Mount mount{line, {}, {}, {}};
    fields >> skipped >> skipped >> skipped >> skipped >> mount.point;
    while (fields >> skipped && skipped != "-") {
    }
    fields >> mount.type >> skipped >> mount.super_options;
    mount.point = unescape(mount.point);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

void expect_done(int result, const char* what, const std::string& path) {
  if (result != 0) ADD_FAILURE() << what << " " << path << ": " << std::strerror(errno);
}

}  // namespace

std::vector<Mount> mounts_below(const std::string& directory) {
  std::vector<Mount> mounts = all_mounts();
  std::erase_if(mounts, [&](const Mount& mount) {
    return mount.point != directory && !mount.point.starts_with(directory + "/");
  });
  return mounts;
}

std::vector<Mount> mounts_at(const std::string& path) {
  std::vector<Mount> mounts = all_mounts();
  std::erase_if(mounts, [&](const Mount& mount) { return mount.point != path; });
  return mounts;
}

std::vector<std::string> mount_lines(const std::string& directory) {
  std::vector<std::string> lines;
  for (const Mount& mount : mounts_below(directory))
    lines.push_back(mount.line);
  return lines;
}

void mount_tmpfs(const std::string& path, const std::string& options) {
  expect_done(::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()), "mount a tmpfs on", path);
}

void remount(const std::string& path, bool read_only) {
  unsigned long flags = MS_REMOUNT;
  if (read_only) flags |= MS_RDONLY;
  expect_done(::mount("", path.c_str(), "", flags, ""), "remount", path);
}

void unmount(const std::string& path) {
  expect_done(umount2(path.c_str(), 0), "unmount", path);
}

void unmount_all(const std::string& directory) {
  std::vector<Mount> mounts = mounts_below(directory);
  std::reverse(mounts.begin(), mounts.end());
  for (const Mount& mount : mounts)
    umount2(mount.point.c_str(), MNT_DETACH);
}

DeadFileSystem::DeadFileSystem(const std::string& directory) : file_(open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
  std::filesystem::create_directory(directory);
  const std::string options = "fd=" + std::to_string(file_) + ",rootmode=40000,user_id=0,group_id=0";
  is_there_ = file_ >= 0 && ::mount("dead", directory.c_str(), "fuse", 0, options.c_str()) == 0;
}

void DeadFileSystem::end_server() {
  if (file_ >= 0) close(file_);
  file_ = -1;
}

void write_in_place(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  EXPECT_TRUE(out) << "cannot write " << path;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return "(none)";
  std::ostringstream content;
  content << in.rdbuf();
  return std::move(content).str();
}

bool is_there(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

ino_t inode_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

void fill_up(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0) << path << ": " << std::strerror(errno);
  const std::string block(4096, 'x');
  while (write(file, block.data(), block.size()) > 0) {
  }
  EXPECT_EQ(errno, ENOSPC);
  close(file);
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> volumes_in(const std::string& directory) {
  std::vector<std::string> names = names_in(directory);
  std::erase(names, ".mooring");  // Whose they are, and what is being removed (decision 0027).
  return names;
}

}  // namespace mooring::integration
