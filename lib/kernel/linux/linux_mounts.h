#pragma once

#include "kernel/mounts.h"

namespace mooring::kernel {

/// Mounts on the real kernel, by the descriptor-based calls (fsopen, open_tree, move_mount, mount_setattr:
/// Linux 5.12) and, where it has them, statmount (6.8). Does not own its descriptor.
class LinuxMounts final : public Mounts {
 public:
  /// `root`: the root directory, opened O_PATH. `may_use_statmount`: false takes the way of Linux 6.1 also on
  /// a later kernel, so that tests can prove both.
  explicit LinuxMounts(int root, bool may_use_statmount = true)
      : root_(root), has_statmount_(may_use_statmount) {}

  Result<void> mount_tmpfs(const std::string& target, const TmpfsOptions& options) override;
  Result<void> mount_hugetlbfs(const std::string& target, std::uint64_t page_size_bytes) override;
  Result<void> bind(const BindRequest& request) override;
  Result<void> bind_open(const OpenFile& source, const OpenBindRequest& request) override;
  Result<std::uint32_t> unmount_below(const std::string& target, std::uint32_t kept,
                                      Leftovers which) override;
  Result<void> unmount(const std::string& target) override;
  Result<std::optional<MountFact>> at(const std::string& target) override;
  Result<std::uint64_t> block_size(const std::string& target) override;
  Result<void> mount_file_system(const FileSystemMount& request) override;
  Result<void> unmount_unseen(const std::string& target, UnmountForce force) override;
  Result<std::optional<MountFact>> listed_at(const std::string& target) override;
  Result<std::string> listed_path(const std::string& target) override;
  Result<FileSystemUsage> usage(const std::string& target) override;
  Result<MountTable> table() override;

 private:
  int root_;
  bool has_statmount_;  ///< Until the kernel says that it has not.
};

/// The absolute path of `name` in an open directory at this moment, as the mount table has it. Asks nothing
/// that is mounted.
Result<std::string> absolute_path(int directory, const std::string& name);

}  // namespace mooring::kernel
