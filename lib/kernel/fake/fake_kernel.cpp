#include "kernel/fake/fake_kernel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace mooring::kernel {

using fake::Location;
using fake::Walk;

FakeKernel::FakeKernel(std::string root_dir)
    : root_dir_(std::move(root_dir)),
      files_(node_, root_),
      mounts_(node_, root_),
      disks_(node_),
      devices_(disks_) {
  put_directory(root_dir_);
  reopen_root();
}

void FakeKernel::reopen_root() {
  const Walk walked = walk(root_dir_);
  if (walked.error == 0) root_ = walked.found;
}

void FakeKernel::reboot() {
  // The old root may lie in a mount that ends now.
  root_ = node_.start();
  node_.reboot();
  disks_.reboot();
  open_.clear();
  put_directory(root_dir_);
  reopen_root();
}

Walk FakeKernel::walk(const std::string& path, bool follows_last) const {
  fake::Lookup how;
  how.follows_last = follows_last;
  how.asks_servers = false;
  return node_.walk(node_.start(), path, how);
}

int FakeKernel::make_parents(const std::string& path, Location& directory, std::string& name) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return EINVAL;
  const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
  name = path.substr(slash + 1);
  Walk walked = walk(parent);
  if (walked.error == ENOENT && parent != "/") {
    if (const int error = put_directory(parent)) return error;
    walked = walk(parent);
  }
  directory = walked.found;
  return walked.error;
}

int FakeKernel::put(const std::string& path, FileType type, std::uint32_t mode, const std::string& content) {
  Location directory;
  std::string name;
  if (const int error = make_parents(path, directory, name)) return error;
  return node_.make(directory, name, type, mode, content);
}

int FakeKernel::put_directory(const std::string& path, std::uint32_t mode) {
  const int error = put(path, FileType::Directory, mode, {});
  if (error != EEXIST) return error;
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  return walked.found.inode->is_directory() ? 0 : ENOTDIR;
}

int FakeKernel::put_file(const std::string& path, const std::string& content, std::uint32_t mode) {
  const int error = put(path, FileType::Regular, mode, content);
  if (error != EEXIST) return error;
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  fake::Inode& file = *walked.found.inode;
  if (file.type != FileType::Regular) return file.is_directory() ? EISDIR : EEXIST;
  if (walked.found.is_read_only()) return EROFS;
  return file.file_system->write(file, content);
}

int FakeKernel::put_symlink(const std::string& path, const std::string& target) {
  return target.empty() ? ENOENT : put(path, FileType::SymbolicLink, 0777, target);
}

int FakeKernel::put_socket(const std::string& path) {
  return put(path, FileType::Socket, 0666, {});
}

int FakeKernel::put_fifo(const std::string& path) {
  return put(path, FileType::Fifo, 0644, {});
}

int FakeKernel::put_char_device(const std::string& path) {
  return put(path, FileType::CharDevice, 0600, {});
}

int FakeKernel::put_block_device(const std::string& path) {
  return put(path, FileType::BlockDevice, 0600, {});
}

int FakeKernel::set_mode(const std::string& path, std::uint32_t mode) {
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  if (walked.found.is_read_only()) return EROFS;
  walked.found.inode->mode = mode & 07777U;
  return 0;
}

int FakeKernel::remove_below(const Location& directory) {
  int first_error = 0;
  std::vector<std::string> names;
  for (const auto& [name, inode] : directory.inode->children)
    names.push_back(name);
  for (const std::string& name : names) {
    Location file;
    int error = node_.find(directory, name, file, false);
    if (error == 0 && file.inode->is_directory()) error = remove_below(file);
    if (error == 0) error = node_.remove(directory, name, directory.inode->child(name)->is_directory());
    if (first_error == 0) first_error = error;
  }
  return first_error;
}

int FakeKernel::remove_all(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return EINVAL;
  const Walk parent = walk(slash == 0 ? "/" : path.substr(0, slash));
  if (parent.error != 0) return parent.error == ENOENT ? 0 : parent.error;
  const std::string name = path.substr(slash + 1);
  Location file;
  if (const int error = node_.find(parent.found, name, file, false)) return error == ENOENT ? 0 : error;
  if (file.inode->is_directory()) {
    if (const int error = remove_below(file)) return error;
  }
  if (name.empty()) return 0;
  return node_.remove(parent.found, name, parent.found.inode->child(name)->is_directory());
}

int FakeKernel::mount_foreign(const std::string& path, const std::string& type, const std::string& source) {
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  const auto known = node_.sources.find(source);
  if (known != node_.sources.end() && known->second.file_system != nullptr) {
    return node_.mount(known->second.file_system, walked.found, ".");
  }
  auto file_system = node_.new_file_system(type, source, 0755);
  if (!file_system->is_volatile()) {
    file_system = lasting_.try_emplace(type + " " + source, file_system).first->second;
  }
  return node_.mount(file_system, walked.found, ".");
}

void FakeKernel::put_server(const std::string& source, const std::string& type) {
  node_.sources[source].file_system = node_.new_file_system(type, source, 0755);
}

void FakeKernel::set_server_answers(const std::string& source, bool answers) {
  node_.sources[source].answers = answers;
}

void FakeKernel::set_mount_helper(const std::string& type, bool is_there) {
  if (is_there) {
    node_.missing_helpers.erase(type);
  } else {
    node_.missing_helpers.insert(type);
  }
}

const fake::MountSource* FakeKernel::source(const std::string& name) const {
  const auto found = node_.sources.find(name);
  return found == node_.sources.end() ? nullptr : &found->second;
}

int FakeKernel::mount_device(const std::string& path, const std::string& node) {
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  const fake::MountSource* found = source(node);
  if (found == nullptr || found->file_system == nullptr) return ENODEV;
  if (found->is_held) return EBUSY;
  return node_.mount(found->file_system, walked.found, ".");
}

int FakeKernel::bind_foreign(const std::string& source, const std::string& path, bool is_read_only) {
  const Walk from = walk(source);
  if (from.error != 0) return from.error;
  const std::size_t slash = path.rfind('/');
  const Walk parent = walk(slash == 0 ? "/" : path.substr(0, slash));
  if (parent.error != 0) return parent.error;
  return node_.bind(from.found, true, is_read_only, parent.found, path.substr(slash + 1));
}

int FakeKernel::unmount_foreign(const std::string& path) {
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  if (walked.found.mount == root_.mount) return walked.found.is_mount_root() ? EBUSY : EINVAL;
  return node_.unmount(walked.found);
}

int FakeKernel::set_read_only(const std::string& path, bool is_read_only) {
  const Walk walked = walk(path);
  if (walked.error == 0) walked.found.mount->file_system->is_read_only = is_read_only;
  return walked.error;
}

int FakeKernel::set_space(const std::string& path, std::optional<std::uint64_t> free_bytes) {
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  fake::FileSystem& file_system = *walked.found.mount->file_system;
  file_system.bytes_max.reset();
  if (free_bytes) file_system.bytes_max = file_system.bytes_used + *free_bytes;
  return 0;
}

int FakeKernel::set_inodes(const std::string& path, std::optional<std::uint64_t> free_inodes) {
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  fake::FileSystem& file_system = *walked.found.mount->file_system;
  file_system.inodes_max.reset();
  if (free_inodes) file_system.inodes_max = file_system.inodes_used + *free_inodes;
  return 0;
}

int FakeKernel::set_project_quotas(const std::string& path, bool is_on) {
  const Walk walked = walk(path);
  if (walked.error == 0) walked.found.mount->file_system->has_project_quotas = is_on;
  return walked.error;
}

int FakeKernel::mark_open(const std::string& path) {
  const Walk walked = walk(path);
  if (walked.error != 0) return walked.error;
  ++node_.pins()[walked.found.mount->id];
  open_[path].push_back(walked.found.mount->id);
  return 0;
}

int FakeKernel::mark_closed(const std::string& path) {
  const auto found = open_.find(path);
  if (found == open_.end()) return EBADF;
  int& pins = node_.pins()[found->second.back()];
  pins = std::max(pins - 1, 0);  // It may have been aborted.
  found->second.pop_back();
  if (found->second.empty()) open_.erase(found);
  return 0;
}

bool FakeKernel::exists(const std::string& path) const {
  return walk(path, false).error == 0;
}

std::string FakeKernel::read(const std::string& path) const {
  const Walk walked = walk(path);
  return walked.error == 0 && walked.found.inode->type == FileType::Regular ? walked.found.inode->content
                                                                            : std::string();
}

std::optional<FileStatus> FakeKernel::status(const std::string& path) const {
  const Walk walked = walk(path);
  if (walked.error != 0) return std::nullopt;
  return fake::status_of(walked.found);
}

std::vector<std::string> FakeKernel::tree_listing(const std::string& path) const {
  std::vector<std::string> lines;
  const Walk top = walk(path);
  if (top.error != 0) return lines;
  std::vector<std::pair<std::string, Location>> open{{path == "/" ? "" : path, top.found}};
  while (!open.empty()) {
    const auto [prefix, directory] = open.back();
    open.pop_back();
    for (const auto& [name, inode] : directory.inode->children) {
      Location file;
      if (node_.find(directory, name, file, false) != 0) continue;
      std::array<char, 16> mode{};
      snprintf(mode.data(), mode.size(), "%o", file.inode->mode);
      const std::string below = prefix + "/" + name;
      lines.push_back(below + " " + std::string(to_string(file.inode->type)) + " " + mode.data());
      if (file.inode->is_directory()) open.emplace_back(below, file);
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace mooring::kernel
