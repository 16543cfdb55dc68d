#include "kernel/fake/fake_tree.h"

#include <cerrno>

#include "kernel/fake/fake_disk.h"

namespace mooring::kernel::fake {
namespace {

/// Of what a disk or a tmpfs gives to a file.
constexpr std::uint64_t allocation_bytes = 4096;

std::uint64_t in_blocks(std::uint64_t bytes) {
  return (bytes + allocation_bytes - 1) / allocation_bytes * allocation_bytes;
}

}  // namespace

std::shared_ptr<Inode> Inode::child(const std::string& wanted) const {
  const auto found = children.find(wanted);
  return found == children.end() ? nullptr : found->second;
}

std::uint64_t Inode::size_bytes() const {
  return disk == nullptr ? content.size() : disk->size_bytes;
}

std::string Inode::path_inside() const {
  if (is_removed) return name + "//deleted";
  std::string path;
  for (const Inode* at = this; at->parent != nullptr; at = at->parent)
    path.insert(0, "/" + at->name);
  return path.empty() ? "/" : path;
}

FileSystem::FileSystem(std::string type_name, std::string source_name, std::uint32_t major,
                       std::uint32_t minor, std::uint32_t root_mode)
    : type(std::move(type_name)),
      source(std::move(source_name)),
      device_major(major),
      device_minor(minor),
      root(std::make_shared<Inode>()) {
  root->type = FileType::Directory;
  root->mode = root_mode;
  root->number = next_number_++;
  root->file_system = this;
}

bool FileSystem::is_volatile() const {
  return type == "tmpfs" || type == "hugetlbfs" || type == "ramfs";
}

std::uint64_t FileSystem::cost_of(FileType file_type, std::size_t size) const {
  if (file_type == FileType::Regular) return in_blocks(size);
  // A directory of a disk takes a block; one in memory takes none.
  return file_type == FileType::Directory && !is_volatile() ? allocation_bytes : 0;
}

bool FileSystem::is_over_quota(std::uint32_t project, std::uint64_t more_bytes) const {
  const auto quota = projects.find(project);
  return quota != projects.end() && quota->second.bytes_max != 0 &&
         quota->second.bytes_used + more_bytes > quota->second.bytes_max;
}

void FileSystem::set_project(Inode& directory, std::uint32_t project) {
  const std::uint64_t cost = cost_of(directory.type, directory.content.size());
  if (const auto before = projects.find(directory.project); before != projects.end()) {
    before->second.bytes_used -= cost;
    --before->second.inodes_used;
  }
  directory.project = project;
  projects[project].bytes_used += cost;
  ++projects[project].inodes_used;
}

int FileSystem::add(Inode& directory, const std::string& name, FileType file_type, std::uint32_t mode,
                    const std::string& content) {
  if (has_failed) return EIO;
  const std::uint64_t cost = cost_of(file_type, content.size());
  if (inodes_max && inodes_used + 1 > *inodes_max) return ENOSPC;
  if (bytes_max && cost != 0 && bytes_used + cost > *bytes_max) return ENOSPC;
  if (is_over_quota(directory.project, cost)) return EDQUOT;
  auto file = std::make_shared<Inode>();
  file->type = file_type;
  file->mode = mode;
  file->number = next_number_++;
  file->file_system = this;
  file->parent = &directory;
  file->name = name;
  file->content = content;
  file->project = directory.project;
  if (file->project != 0) {
    projects[file->project].bytes_used += cost;
    ++projects[file->project].inodes_used;
  }
  directory.children[name] = std::move(file);
  ++inodes_used;
  bytes_used += cost;
  return 0;
}

int FileSystem::write(Inode& file, const std::string& content) {
  if (has_failed) return EIO;
  const std::uint64_t before = cost_of(file.type, file.content.size());
  const std::uint64_t after = cost_of(file.type, content.size());
  if (bytes_max && after > before && bytes_used - before + after > *bytes_max) return ENOSPC;
  if (after > before && is_over_quota(file.project, after - before)) return EDQUOT;
  if (file.project != 0) projects[file.project].bytes_used += after - before;
  bytes_used = bytes_used - before + after;
  file.content = content;
  if (file.disk != nullptr) *file.disk = disk_of_bytes(content);
  return 0;
}

void FileSystem::drop(const std::shared_ptr<Inode>& file) {
  const std::string path = file->path_inside();
  bytes_used -= cost_of(file->type, file->content.size());
  --inodes_used;
  if (file->project != 0) {
    projects[file->project].bytes_used -= cost_of(file->type, file->content.size());
    --projects[file->project].inodes_used;
  }
  file->parent->children.erase(file->name);
  file->parent = nullptr;
  file->name = path;
  file->is_removed = true;
}

}  // namespace mooring::kernel::fake
