// Mounts of devices and servers on the fake node.

#include <algorithm>
#include <array>
#include <cerrno>

#include "kernel/errors.h"
#include "kernel/fake/fake_files.h"
#include "kernel/fake/fake_mounts.h"
#include "kernel/file_system_mount.h"

namespace mooring::kernel::fake {
namespace {

/// How much there is where nothing limits it.
constexpr std::uint64_t capacity_bytes = 1ULL << 40U;
constexpr std::uint64_t inodes_max = 1ULL << 20U;

/// What this kernel has for devices and servers.
constexpr std::array<std::string_view, 10> known_types{"ext2", "ext3",  "ext4",    "xfs", "btrfs",
                                                       "vfat", "erofs", "iso9660", "nfs", "nfs4"};

bool is_of_server(std::string_view type) {
  return type == "nfs" || type == "nfs4";
}

/// mount.nfs agrees with the server which version it is; any other type is what it is called.
bool can_be_mounted_as(const FileSystem& file_system, const std::string& type) {
  return type == "nfs" ? is_of_server(file_system.type) : type == file_system.type;
}

std::string joined(const std::vector<std::string>& options) {
  std::string text;
  for (const std::string& option : options) {
    if (option != "rw" && option != "ro") text += (text.empty() ? "" : ",") + option;
  }
  return text;
}

bool has(const std::vector<std::string>& options, const char* wanted) {
  return std::find(options.begin(), options.end(), wanted) != options.end();
}

}  // namespace

Result<void> FakeMounts::mount_file_system(const FileSystemMount& request) {
  const auto fail = [&](int error) { return mount_refused(request, error); };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(check_mount_options(request));
    MOORING_TRY(const FakePlace place, place_of(node_, root_, request.target));
    Location target;
    if (const int error = node_.find(place.directory, place.name, target)) return fail(error);
    if (!target.inode->is_directory()) return fail(ENOTDIR);
    if (std::find(known_types.begin(), known_types.end(), request.type) == known_types.end())
      return fail(ENODEV);
    if (node_.missing_helpers.contains(request.type)) return helper_missing(request);
    const auto refuse = [&](int error, const std::string& words) {
      return is_of_server(request.type) ? helper_failed(request, "mount." + request.type + ": " + words)
                                        : fail(error);
    };
    const auto source = node_.sources.find(request.source);
    if (source == node_.sources.end()) {
      return refuse(ENOENT, "mounting " + request.source +
                                " failed, reason given by server: No such file or directory");
    }
    if (!source->second.answers) throw FakeHang{};
    const std::shared_ptr<FileSystem> file_system = source->second.file_system;
    if (file_system == nullptr || !can_be_mounted_as(*file_system, request.type)) {
      return refuse(EINVAL, "an incorrect mount option was specified");
    }
    const bool is_there_already = target.is_mount_root() && target.mount->file_system == file_system &&
                                  target.inode == file_system->root;
    if (is_there_already) return refuse(EBUSY, target.mount->file_system->source + " is busy");
    const std::vector<std::string> options = mount_options_of(request);
    const bool is_first = !node_.is_mounted(*file_system);
    if (const int error = node_.mount(file_system, place.directory, place.name, has(options, "ro")))
      return fail(error);
    if (is_first) file_system->options = joined(options);
    return success();
  };
  return between_faults<void>(node_, "mount_file_system", request.target, act, fail);
}

Result<void> FakeMounts::unmount_unseen(const std::string& target, UnmountForce force) {
  const auto fail = [&](int error) { return unmount_error(target, error); };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, target));
    Location there;
    if (const int error = node_.find(place.directory, place.name, there, false)) return fail(error);
    if (!there.is_mount_root()) return fail(EINVAL);
    const std::shared_ptr<FileSystem> file_system = there.mount->file_system;
    const bool is_dead = !node_.answers(*file_system);
    const bool is_busy = node_.is_busy(*there.mount);
    const int error = force == UnmountForce::Detach ? node_.detach(there) : node_.unmount(there);
    // Whoever waited for the server gets its error after this call, which found it busy still.
    if (force == UnmountForce::Abort && is_dead && is_busy) node_.abort_users(there);
    if (error != 0) return fail(error);
    if (force == UnmountForce::None) node_.wait_for_end(*file_system);
    return success();
  };
  return between_faults<void>(node_, "unmount_unseen", target, act, fail);
}

Result<std::optional<MountFact>> FakeMounts::listed_at(const std::string& target) {
  using Answer = std::optional<MountFact>;
  const auto fail = [&](int error) { return file_error("cannot read", target, error); };
  const auto act = [&]() -> Result<Answer> {
    MOORING_TRY(const std::string path, listed_path(target));
    const MountTable table = MountTable::from_facts(node_.facts());
    const MountFact* top = table.top_at(path);
    return top == nullptr ? Answer() : Answer(*top);
  };
  return between_faults<Answer>(node_, "listed_at", target, act, fail);
}

Result<std::string> FakeMounts::listed_path(const std::string& target) {
  const std::string root = node_.path_of(root_);
  return (root == "/" ? "" : root) + "/" + target;
}

Result<FileSystemUsage> FakeMounts::usage(const std::string& target) {
  const auto fail = [&](int error) { return file_error("cannot read", target, error); };
  const auto act = [&]() -> Result<FileSystemUsage> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, target));
    Location there;
    if (const int error = node_.find(place.directory, place.name, there)) return fail(error);
    const FileSystem& file_system = *there.inode->file_system;
    FileSystemUsage usage;
    usage.capacity_bytes = file_system.bytes_max.value_or(capacity_bytes);
    usage.used_bytes = file_system.bytes_used;
    usage.available_bytes = usage.capacity_bytes - std::min(usage.capacity_bytes, usage.used_bytes);
    usage.inodes = file_system.inodes_max.value_or(inodes_max);
    usage.inodes_used = file_system.inodes_used;
    usage.inodes_free = usage.inodes - std::min(usage.inodes, usage.inodes_used);
    // Of a directory whose project is limited statfs(2) tells what that has.
    const auto quota = file_system.projects.find(there.inode->project);
    if (quota != file_system.projects.end() && file_system.has_project_quotas &&
        quota->second.bytes_max != 0) {
      usage.capacity_bytes = quota->second.bytes_max;
      usage.used_bytes = quota->second.bytes_used;
      usage.available_bytes = usage.capacity_bytes - std::min(usage.capacity_bytes, usage.used_bytes);
    }
    return usage;
  };
  return between_faults<FileSystemUsage>(node_, "usage", target, act, fail);
}

}  // namespace mooring::kernel::fake
