#include "kernel/fake/fake_mounts.h"

#include <array>
#include <cerrno>
#include <cstdio>

#include "kernel/errors.h"
#include "kernel/fake/fake_files.h"

namespace mooring::kernel::fake {
namespace {

constexpr std::uint64_t page_bytes = 4096;

std::string octal(std::uint32_t mode) {
  std::array<char, 16> text{};
  snprintf(text.data(), text.size(), "%03o", mode);
  return text.data();
}

}  // namespace

Result<void> FakeMounts::mount_tmpfs(const std::string& target, const TmpfsOptions& options) {
  const auto fail = [&](int error) { return mount_error("cannot mount the tmpfs", target, error); };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, target));
    const std::uint32_t mode = options.mode & 07777U;
    const auto tmpfs = node_.new_file_system("tmpfs", "tmpfs", mode);
    if (options.size_bytes && *options.size_bytes > 0) {  // A size of 0 is none to tmpfs.
      const std::uint64_t pages = (*options.size_bytes + page_bytes - 1) / page_bytes;
      tmpfs->bytes_max = pages * page_bytes;
      tmpfs->options = "size=" + std::to_string(pages * page_bytes / 1024) + "k";
    }
    if (mode != 01777) tmpfs->options += (tmpfs->options.empty() ? "mode=" : ",mode=") + octal(mode);
    if (const int error = node_.mount(tmpfs, place.directory, place.name)) return fail(error);
    return success();
  };
  return between_faults<void>(node_, "mount_tmpfs", target, act, fail);
}

Result<void> FakeMounts::mount_hugetlbfs(const std::string& target, std::uint64_t page_size_bytes) {
  const auto fail = [&](int error) { return mount_error("cannot mount the hugetlbfs", target, error); };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, target));
    // Without any size the kernel has no hugetlbfs at all.
    if (node_.page_sizes.empty()) return mount_error("cannot make the hugetlbfs", target, ENODEV);
    if (!node_.page_sizes.contains(page_size_bytes)) {
      return mount_error("cannot make the hugetlbfs", target, EINVAL);
    }
    const auto huge = node_.new_file_system("hugetlbfs", "nodev", 0755);
    huge->block_bytes = page_size_bytes;
    huge->options = "pagesize=" + std::to_string(page_size_bytes >> 20U) + "M";
    if (const int error = node_.mount(huge, place.directory, place.name)) return fail(error);
    return success();
  };
  return between_faults<void>(node_, "mount_hugetlbfs", target, act, fail);
}

Result<void> FakeMounts::bind(const BindRequest& request) {
  const auto fail = [&](int error) {
    return mount_error("cannot bind " + request.source + " on", request.target, error);
  };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, request.target));
    const Walk source = node_.walk(node_.start(), request.source, {});
    if (source.error != 0) return fail(source.error);
    if (const int error =
            node_.bind(source.found, request.recursive, request.read_only, place.directory, place.name)) {
      return fail(error);
    }
    return success();
  };
  return between_faults<void>(node_, "bind", request.target, act, fail);
}

Result<void> FakeMounts::bind_open(const OpenFile& source, const OpenBindRequest& request) {
  const auto fail = [&](int error) { return mount_error("cannot bind on", request.target, error); };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, request.target));
    const Location& open = static_cast<const FakeOpenFile&>(source).location();
    if (open.inode->is_removed) return fail(ENOENT);
    if (request.groups && !node_.can_map_groups) {
      Error error = mount_error("cannot map the groups of", request.target, EINVAL);
      error.kind = ErrorKind::Final;
      error.reason = "CannotMapGroups";
      return error;
    }
    if (const int error = node_.bind_open(open, request.groups, place.directory, place.name))
      return fail(error);
    return success();
  };
  return between_faults<void>(node_, "bind_open", request.target, act, fail);
}

Result<std::uint32_t> FakeMounts::unmount_below(const std::string& target, std::uint32_t kept,
                                                Leftovers which) {
  const auto fail = [&](int error) { return unmount_error(target, error); };
  const auto act = [&]() -> Result<std::uint32_t> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, target));
    const std::vector<Location> below = node_.mounts_below(place.directory, place.name, kept);
    const std::shared_ptr<Inode> entry = place.directory.inode->child(place.name);
    for (const Location& mount : below) {  // There is no propagation here, so none is a copy.
      const bool is_below = mount.mount->point != entry && mount.mount->point != mount.mount->parent->root;
      if (which == Leftovers::CopiesOnly && is_below) return mounted_below(target, EBUSY);
    }
    for (auto mount = below.rbegin(); mount != below.rend(); ++mount) {
      const std::shared_ptr<FileSystem> file_system = mount->mount->file_system;
      if (const int error = node_.unmount(*mount)) {
        const std::string point = node_.fact_of(*mount->mount).mount_point;
        const std::size_t at = point.find("/" + target);
        return unmount_error(at == std::string::npos ? target : point.substr(at + 1), error);
      }
      node_.wait_for_end(*file_system);
    }
    return static_cast<std::uint32_t>(below.size());
  };
  return between_faults<std::uint32_t>(node_, "unmount_below", target, act, fail);
}

Result<void> FakeMounts::unmount(const std::string& target) {
  const auto fail = [&](int error) { return unmount_error(target, error); };
  const auto act = [&]() -> Result<void> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, target));
    Location there;
    if (const int error = node_.find(place.directory, place.name, there, false)) return fail(error);
    const std::shared_ptr<FileSystem> file_system = there.mount->file_system;
    if (const int error = node_.unmount(there)) return fail(error);
    node_.wait_for_end(*file_system);
    return success();
  };
  return between_faults<void>(node_, "unmount", target, act, fail);
}

Result<std::optional<MountFact>> FakeMounts::at(const std::string& target) {
  using Answer = std::optional<MountFact>;
  const auto fail = [&](int error) { return file_error("cannot read", target, error); };
  const auto act = [&]() -> Result<Answer> {
    const Result<FakePlace> place = place_of(node_, root_, target);
    if (!place) {
      if (place.error().errno_value == ENOENT) return Answer();
      return place.error();
    }
    Location there;
    const int error =
        place.value().name.empty() ? ENOENT : node_.find(place.value().directory, place.value().name, there);
    if (error == ENOENT) return Answer();
    if (error != 0) return fail(error);
    if (!there.is_mount_root()) return Answer();
    MountFact fact = node_.fact_of(*there.mount);
    // No more than the real one tells at this price.
    fact.mount_point.clear();
    fact.source.clear();
    fact.options = there.mount->is_read_only ? "ro" : "rw";
    if (there.mount->groups) fact.options += ",idmapped";
    fact.super_options = there.mount->file_system->is_read_only ? "ro" : "rw";
    return Answer(std::move(fact));
  };
  return between_faults<Answer>(node_, "at", target, act, fail);
}

Result<std::uint64_t> FakeMounts::block_size(const std::string& target) {
  const auto fail = [&](int error) { return file_error("cannot read", target, error); };
  const auto act = [&]() -> Result<std::uint64_t> {
    MOORING_TRY(const FakePlace place, place_of(node_, root_, target));
    Location there;
    if (const int error = node_.find(place.directory, place.name, there)) return fail(error);
    return there.inode->file_system->block_bytes;
  };
  return between_faults<std::uint64_t>(node_, "block_size", target, act, fail);
}

Result<MountTable> FakeMounts::table() {
  const std::string path = "/proc/self/mountinfo";
  const auto act = [&]() -> Result<MountTable> { return MountTable::from_facts(node_.facts()); };
  const auto fail = [&](int error) { return file_error("cannot read", path, error); };
  return between_faults<MountTable>(node_, "table", path, act, fail);
}

}  // namespace mooring::kernel::fake
