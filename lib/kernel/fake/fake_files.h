#pragma once

#include "kernel/fake/fake_node.h"
#include "kernel/files.h"

namespace mooring::kernel::fake {

/// Files on the fake node: the same chains of calls as the real implementation makes.
class FakeFiles : public Files {
 public:
  /// `root`: where the root directory lies; both are borrowed.
  FakeFiles(FakeNode& node, const Location& root) : node_(node), root_(root) {}

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
  Result<bool> make_directory_now(const std::string& path, std::uint32_t mode);
  Result<bool> create_file_now(const std::string& path, std::string_view content, std::uint32_t mode);
  Result<std::string> read_file_now(const std::string& path, std::size_t size_max);
  Result<void> remove_now(const std::string& path, bool is_directory);
  Result<void> rename_now(const std::string& from, const std::string& to);
  Result<void> remove_tree_now(const std::string& path);
  FakeNode& node_;
  const Location& root_;
};

class FakeOpenFile final : public OpenFile {
 public:
  explicit FakeOpenFile(Location location);
  const FileStatus& status() const override { return status_; }
  const Location& location() const { return location_; }

 private:
  Location location_;
  FileStatus status_;
};

/// Where the look-up of a path of the node starts, and how it may go on.
struct FakeHostLookup {
  Location base;
  std::string relative;  ///< "." for the base itself.
  bool is_confined = false;
};
Result<FakeHostLookup> start_host_lookup(const FakeNode& node, const HostLocation& location);
Walk walk_host(const FakeNode& node, const FakeHostLookup& lookup, const std::string& relative,
               bool wants_directory);

/// Where the last element of a path lies.
struct FakePlace {
  Location directory;
  std::string name;
};

/// openat2 with RESOLVE_BENEATH|NO_SYMLINKS|NO_XDEV.
Walk walk_beneath(const FakeNode& node, const Location& from, const std::string& path, bool wants_directory);
Result<FakePlace> place_of(const FakeNode& node, const Location& root, const std::string& path);
FileStatus status_of(const Location& location);

/// Removes what is in the directory `top` and below, as the real one does: directories far down are renamed
/// into `top` first.
Result<void> empty_directory(FakeNode& node, const Location& top, const std::string& path);

}  // namespace mooring::kernel::fake
