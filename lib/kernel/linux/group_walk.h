#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "kernel/group_change.h"

namespace mooring::kernel {

/// What only tests choose otherwise.
struct GroupWalkTuning {
  bool may_use_fchmodat2 = true;  ///< Linux 6.6; without it, modes are changed through /proc/self/fd.
  std::uint64_t inline_entries_max = 2048;  ///< After these, threads are started.
  std::chrono::milliseconds progress_interval{500};
};

/// The ownership walk over a volume whose root is open as `directory` (O_PATH or O_RDONLY); `path` is for
/// messages. Uses up to four threads of its own for a large volume; none is left when it returns. No writer
/// in the volume can make it change anything outside the volume, or give a set-uid bit to another file.
/// Ends with an error (Transient) at the first directory that cannot be read and at any error that would meet
/// each entry (EIO, EROFS, ENOSPC, EDQUOT and their like); the root is left as it was then. A single entry
/// that cannot be changed is counted, and one that vanishes meanwhile is nothing. Descriptors are held for
/// the directories that are not read to their end, one a level at worst, so the process's soft limit
/// (RLIMIT_NOFILE) is raised to the hard one; "TooManyFiles" if that is not enough.
Result<GroupReport> change_group(int directory, const std::string& path, const GroupChange& change,
                                 const GroupProgress& progress, const GroupWalkTuning& tuning = {});

}  // namespace mooring::kernel
