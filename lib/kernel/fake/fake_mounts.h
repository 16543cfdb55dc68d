#pragma once

#include "kernel/fake/fake_node.h"
#include "kernel/mounts.h"

namespace mooring::kernel::fake {

/// Mounts on the fake node.
class FakeMounts final : public Mounts {
 public:
  /// `root`: where the root directory lies; both are borrowed.
  FakeMounts(FakeNode& node, const Location& root) : node_(node), root_(root) {}

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
  FakeNode& node_;
  const Location& root_;
};

}  // namespace mooring::kernel::fake
