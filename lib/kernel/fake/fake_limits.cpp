#include <cerrno>

#include "kernel/errors.h"
#include "kernel/fake/fake_files.h"
#include "kernel/project_ids.h"

// Limits of directories by project quotas, and how much directories hold.

namespace mooring::kernel::fake {
namespace {

auto failing(const std::string& what, const std::string& path) {
  return [what, path](int error) { return file_error(what, path, error); };
}

/// The directory at `path`, or what is mounted on it.
Result<Location> volume_at(const FakeNode& node, const Location& root, const std::string& path) {
  MOORING_TRY(const FakePlace place, place_of(node, root, path));
  Location there;
  int error = node.find(place.directory, place.name, there);
  if (error == 0 && !there.inode->is_directory()) error = ENOTDIR;
  if (error != 0) return file_error("cannot open the directory", path, error);
  return there;
}

std::uint32_t free_project(const FileSystem& file_system, const std::string& path) {
  for (std::uint32_t attempt = 0; attempt < project_attempts_max; ++attempt) {
    const std::uint32_t project = project_candidate(path, attempt);
    const auto quota = file_system.projects.find(project);
    if (quota == file_system.projects.end()) return project;
    if (quota->second.inodes_used == 0 && quota->second.bytes_max == 0) return project;
  }
  return 0;
}

void add_up(const FakeNode& node, const Location& directory, DirectoryUsage& usage) {
  for (const auto& [name, inode] : directory.inode->children) {
    if (inode->mounts_on != 0) continue;
    constexpr std::uint64_t block_bytes = 4096;
    const bool takes_block = inode->is_directory() && !inode->file_system->is_volatile();
    const std::uint64_t size = inode->type == FileType::Regular ? inode->size_bytes() : 0;
    usage.used_bytes += takes_block ? block_bytes : (size + block_bytes - 1) / block_bytes * block_bytes;
    ++usage.inodes_used;
    if (inode->is_directory()) add_up(node, {directory.mount, inode}, usage);
  }
}

}  // namespace

Result<bool> FakeFiles::limit_directory(const std::string& path, std::uint64_t size_bytes) {
  const auto act = [&]() -> Result<bool> {
    MOORING_TRY(const Location there, volume_at(node_, root_, path));
    FileSystem& file_system = *there.inode->file_system;
    if (!file_system.has_project_quotas) return false;
    if (!is_own_project(there.inode->project)) {
      if (there.inode->project != 0 || !there.inode->children.empty()) return false;
      if (there.is_read_only()) return file_error("cannot set the project of", path, EROFS);
      const std::uint32_t project = free_project(file_system, path);
      if (project == 0) return file_error("cannot set the project of", path, EBUSY);
      file_system.set_project(*there.inode, project);
    }
    ProjectQuota& quota = file_system.projects[there.inode->project];
    const bool is_changed = quota.bytes_max != size_bytes;
    quota.bytes_max = size_bytes;
    return is_changed;
  };
  return between_faults<bool>(node_, "limit_directory", path, act, failing("cannot set the quota of", path));
}

Result<bool> FakeFiles::unlimit_directory(const std::string& path) {
  const auto act = [&]() -> Result<bool> {
    const Result<Location> there = volume_at(node_, root_, path);
    if (!there && there.error().errno_value == ENOENT) return false;
    if (!there) return there.error();
    const Inode& inode = *there.value().inode;
    if (!inode.file_system->has_project_quotas || !is_own_project(inode.project)) return false;
    return std::exchange(inode.file_system->projects[inode.project].bytes_max, 0) != 0;
  };
  return between_faults<bool>(node_, "unlimit_directory", path, act,
                              failing("cannot set the quota of", path));
}

Result<DirectoryUsage> FakeFiles::directory_usage(const std::string& path) {
  const auto act = [&]() -> Result<DirectoryUsage> {
    MOORING_TRY(const Location there, volume_at(node_, root_, path));
    const Inode& inode = *there.inode;
    if (inode.file_system->has_project_quotas && is_own_project(inode.project)) {
      const ProjectQuota& quota = inode.file_system->projects[inode.project];
      return DirectoryUsage{quota.bytes_used, quota.inodes_used, quota.bytes_max != 0};
    }
    DirectoryUsage usage;
    usage.inodes_used = 1;
    if (!inode.file_system->is_volatile()) usage.used_bytes = 4096;
    add_up(node_, there, usage);
    return usage;
  };
  return between_faults<DirectoryUsage>(node_, "directory_usage", path, act,
                                        failing("cannot read the directory", path));
}

}  // namespace mooring::kernel::fake
