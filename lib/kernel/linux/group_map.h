#pragma once

#include "base/result.h"
#include "kernel/linux/descriptor.h"
#include "kernel/mounts.h"

namespace mooring::kernel {

/// A user namespace in which all users are themselves and two groups have changed places, for
/// mount_setattr(2) with MOUNT_ATTR_IDMAP. Held by the descriptor alone. Needs CAP_SETUID and CAP_SETGID
/// (user_namespaces(7)). "CannotMapGroups" with errno.
Result<Descriptor> make_group_map(const GroupSwap& groups);

/// The lines of its gid_map: every group once, in ascending order. At most five.
std::string group_map_text(const GroupSwap& groups);

}  // namespace mooring::kernel
