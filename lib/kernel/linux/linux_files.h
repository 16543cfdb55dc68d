#pragma once

#include "kernel/files.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {

/// Writes all of it, however often the kernel takes a part only; `path` is for the error.
Result<void> write_all(int fd, std::string_view content, const std::string& path);

/// Files on the real kernel. Needs Linux 5.8 (openat2, STATX_ATTR_MOUNT_ROOT) and a umask of 0 in its
/// process. Does not own its descriptors.
class LinuxFiles : public Files {
 public:
  /// `root`: the root directory, opened O_PATH. `inotify`: the instance that watch_host adds to; -1: none.
  LinuxFiles(int root, int inotify) : root_(root), inotify_(inotify) {}

  Result<bool> make_directory(const std::string& path, std::uint32_t mode) override;
  Result<std::optional<FileStatus>> status(const std::string& path) override;
  Result<bool> create_file(const std::string& path, std::string_view content, std::uint32_t mode) override;
  Result<std::string> read_file(const std::string& path, std::size_t size_max) override;
  Result<void> write_file(const std::string& path, std::string_view content, std::uint32_t mode) override;
  Result<void> rewrite_file(const std::string& path, std::string_view content, std::uint32_t mode) override;
  Result<void> flush(const std::string& path) override;
  Result<void> set_owner(const std::string& path, std::uint32_t group, std::uint32_t mode) override;
  Result<GroupReport> change_group(const std::string& path, const GroupChange& change,
                                   const GroupProgress& progress) override;
  Result<std::optional<std::string>> read_link(const std::string& path) override;
  Result<void> make_link(const std::string& path, const std::string& target) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<void> remove_file(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> replace(const std::string& from, const std::string& to) override;
  Result<std::unique_ptr<Files>> inside(const std::string& path) override;
  Result<std::unique_ptr<Files>> inside_host(const std::string& path) override;
  Result<std::string> own_path() override;
  Result<void> remove_tree(const std::string& path) override;
  Result<bool> limit_directory(const std::string& path, std::uint64_t size_bytes) override;
  Result<bool> unlimit_directory(const std::string& path) override;
  Result<DirectoryUsage> directory_usage(const std::string& path) override;

  Result<std::optional<FileStatus>> host_status(const HostLocation& location) override;
  Result<void> make_host_directory(const HostLocation& location) override;
  Result<void> make_host_file(const HostLocation& location) override;
  Result<std::unique_ptr<OpenFile>> open_sub_path(const SubPathLocation& location) override;
  Result<std::vector<int>> watch_host(const HostLocation& location) override;

 private:
  int root_;
  int inotify_;
};

}  // namespace mooring::kernel
