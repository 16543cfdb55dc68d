#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace mooring::kernel {

// The ownership walk (fsGroup): everything in a volume is given a group and that group's access. Files: the
// group, and 0660 (read only: 0440). Directories: the group, and 02770 (read only: 02550), so that what is
// made in them later has the group too. The owner stays, bits are only ever added, symbolic links are neither
// followed nor changed, what is mounted below is left alone, and what is right already is not touched. The
// volume's root comes last: a root that has the group says that all below was done. As any chown, it takes
// file capabilities (security.capability) away from the files that it changes.

/// What to do.
struct GroupChange {
  std::uint32_t group = 0;
  bool read_only = false;              ///< Only reading for the group.
  bool only_on_root_mismatch = false;  ///< Nothing to do if the volume's root is right.
  /// More entries below the root than this end the walk: Transient, "NeedsOwnWorker". What was done by then
  /// stays done. 0: no limit.
  std::uint64_t entries_max = 0;
};

/// What was done, or has been done so far.
struct GroupReport {
  std::uint64_t seen = 0;     ///< Entries that were looked at, whatever came of it; in the end the root too.
  std::uint64_t changed = 0;  ///< Those that were not right, and are now.
  std::uint64_t failed = 0;   ///< Those that could not be changed, such as immutable files.
  std::string first_failure;  ///< One of these and why, "a/b: EPERM: ..."; empty if there is none.
  bool was_skipped = false;   ///< The root was right already: nothing else was looked at.
};

/// Called about every 500 ms from the thread that asked for the walk, also if nothing moved since the last
/// time. False ends it: Transient, "Stopped"; it returns when the calls that are under way have.
using GroupProgress = std::function<bool(const GroupReport&)>;

}  // namespace mooring::kernel
