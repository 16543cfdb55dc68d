// The mounts that containers have a part in: binds of what they ask for, and what they leave mounted.

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "kernel/errors.h"
#include "kernel/linux/group_map.h"
#include "kernel/linux/linux_mounts.h"
#include "kernel/linux/lookup.h"
#include "kernel/linux/open_file.h"
#include "kernel/linux/uapi.h"

namespace mooring::kernel {
namespace {

/// Changes one mount by its descriptor, none below it. False leaves errno.
bool set_attributes(const Descriptor& mount, mount_attr attributes) {
  return syscall(SYS_mount_setattr, mount.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0;
}

bool set_propagation(const Descriptor& mount, std::uint64_t propagation) {
  mount_attr attributes{};
  attributes.propagation = propagation;
  return set_attributes(mount, attributes);
}

/// Opens (O_PATH) what is at `rest` ("/a/b", or nothing) below a place, through any mounts on the way but no
/// link. An empty one leaves errno.
Descriptor open_inside(const Place& place, const std::string& rest) {
  return Descriptor(uapi::openat2(place.directory, (place.name + rest).c_str(), O_PATH | O_CLOEXEC, 0,
                                  RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
}

/// Unmounts what is mounted there. False leaves errno.
bool unmount_inside(const Place& place, const std::string& rest) {
  if (rest.empty()) return umount2(place.proc_path().c_str(), UMOUNT_NOFOLLOW) == 0;
  const std::size_t slash = rest.rfind('/');
  Place inside{open_inside(place, rest.substr(0, slash)), -1, rest.substr(slash + 1)};
  inside.directory = inside.opened.get();
  return inside.opened && umount2(inside.proc_path().c_str(), UMOUNT_NOFOLLOW) == 0;
}

/// What is mounted below a place, found in one reading of the table.
class FoundBelow {
 public:
  FoundBelow(const Place& place, std::string path, const MountTable& whole, std::uint32_t kept)
      : place_(place), path_(std::move(path)), whole_(whole) {
    std::uint32_t stacked = 0;
    for (const MountFact& fact : whole.mounts()) {
      const bool is_above = fact.mount_point == path_ && ++stacked > kept;
      if (!is_above && !fact.mount_point.starts_with(path_ + "/")) continue;
      found_.push_back(&fact);
      ids_.insert(fact.id);
    }
  }

  /// The first one below the place itself that did not come there by propagation; nullptr if all did.
  const MountFact* first_original() const {
    const auto is_original = [&](const MountFact* fact) {
      if (fact->mount_point == path_ || fact->master_group != 0) return false;
      return fact->peer_group == 0 || sharer_of(*fact) == nullptr;
    };
    const auto found = std::find_if(found_.begin(), found_.end(), is_original);
    return found == found_.end() ? nullptr : *found;
  }

  /// Cuts what each shares with others, so that to unmount what lies in it is not to unmount it elsewhere.
  Result<void> make_private() const {
    for (const MountFact* fact : found_) {
      if (fact->peer_group == 0 || make_private(*fact)) continue;
      if (const MountFact* other = sharer_of(*fact)) return cannot_separate(*fact, *other);
    }
    return success();
  }

  Result<std::uint32_t> unmount(const std::string& target) const {
    for (auto fact = found_.rbegin(); fact != found_.rend(); ++fact) {
      const std::string rest = rest_of(**fact);
      if (!unmount_inside(place_, rest) && errno != EINVAL) return unmount_error(target + rest, errno);
    }
    return static_cast<std::uint32_t>(found_.size());
  }

 private:
  std::string rest_of(const MountFact& fact) const { return fact.mount_point.substr(path_.size()); }

  /// False if the path leads to another mount, one that covers it.
  bool make_private(const MountFact& fact) const {
    const Descriptor mounted = open_inside(place_, rest_of(fact));
    struct statx raw {};
    constexpr int flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    return mounted && statx(mounted.get(), "", flags, STATX_MNT_ID, &raw) == 0 && raw.stx_mnt_id == fact.id &&
           set_propagation(mounted, MS_PRIVATE);
  }

  /// A mount that is not one of them and gets what is mounted or unmounted in this one.
  const MountFact* sharer_of(const MountFact& fact) const {
    const auto is_sharer = [&](const MountFact& other) {
      return !ids_.contains(other.id) &&
             (other.peer_group == fact.peer_group || other.master_group == fact.peer_group);
    };
    const auto found = std::find_if(whole_.mounts().begin(), whole_.mounts().end(), is_sharer);
    return found == whole_.mounts().end() ? nullptr : &*found;
  }

  static Error cannot_separate(const MountFact& fact, const MountFact& other) {
    Error error = mounted_below(fact.mount_point, EBUSY);
    error.message = "the mount at " + fact.mount_point +
                    " is covered by another one and shares with the mount at " + other.mount_point +
                    ": what is unmounted in the one goes from the other too";
    error.remedy =
        "unmount what covers it, with `umount " + fact.mount_point + "`; Mooring goes on by itself then";
    return error;
  }

  const Place& place_;
  std::string path_;
  const MountTable& whole_;
  std::vector<const MountFact*> found_;  ///< In the kernel's order: a later one may lie on an earlier one.
  std::set<std::uint64_t> ids_;
};

}  // namespace

Result<void> LinuxMounts::bind_open(const OpenFile& source, const OpenBindRequest& request) {
  MOORING_TRY(const Place place, place_of(root_, request.target));
  const int open = static_cast<const LinuxOpenFile&>(source).descriptor();
  const Descriptor tree(static_cast<int>(
      syscall(SYS_open_tree, open, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)));
  if (!tree) return mount_error("cannot bind on", request.target, errno);
  // The clone is a peer of its source until it is told otherwise.
  const bool is_separate = request.propagation != Propagation::Shared;
  if (is_separate &&
      !set_propagation(tree, request.propagation == Propagation::Slave ? MS_SLAVE : MS_PRIVATE)) {
    return mount_error("cannot separate from its source the bind on", request.target, errno);
  }
  if (request.groups) {
    MOORING_TRY(const Descriptor map, make_group_map(*request.groups));
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<std::uint64_t>(map.get());
    if (!set_attributes(tree, attributes)) {
      Error error = mount_error("cannot map the groups of", request.target, errno);
      error.kind = ErrorKind::Final;
      error.reason = "CannotMapGroups";
      return error;
    }
  }
  if (syscall(SYS_move_mount, tree.get(), "", place.directory, place.name.c_str(), MOVE_MOUNT_F_EMPTY_PATH) !=
      0) {
    return mount_error("cannot bind on", request.target, errno);
  }
  return success();
}

Result<std::uint32_t> LinuxMounts::unmount_below(const std::string& target, std::uint32_t kept,
                                                 Leftovers which) {
  MOORING_TRY(const Place place, place_of(root_, target));
  MOORING_TRY(std::string path, absolute_path(place.directory, place.name));
  MOORING_TRY(const MountTable whole, table());
  const FoundBelow found(place, std::move(path), whole, kept);
  const MountFact* original = which == Leftovers::CopiesOnly ? found.first_original() : nullptr;
  if (original != nullptr) return mounted_below(original->mount_point, EBUSY);
  MOORING_TRY(found.make_private());
  return found.unmount(target);
}

}  // namespace mooring::kernel
