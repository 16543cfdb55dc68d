#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mooring {

/// One mount as the kernel tells it: a line of /proc/PID/mountinfo (proc(5)), escapes decoded.
struct MountFact {
  std::uint64_t id = 0;  ///< The kernel's (reusable) mount id.
  std::uint64_t parent_id = 0;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::string root;                ///< The path inside the file system that is mounted here.
  std::string mount_point;         ///< Absolute, as seen from the reader's root.
  std::string options;             ///< Of this mount: "rw,nosuid".
  std::string type;                ///< "ext4", "tmpfs", "fuse.sshfs".
  std::string source;              ///< The device or server, "tmpfs", "none".
  std::string super_options;       ///< Of the file system.
  std::uint32_t peer_group = 0;    ///< The number of "shared:N"; 0: not shared.
  std::uint32_t master_group = 0;  ///< The number of "master:N"; 0: not a slave.

  /// True if this mount or its file system is read-only.
  bool is_read_only() const;

  friend bool operator==(const MountFact&, const MountFact&) = default;
};

/// The mounts of one namespace at one moment, in the order of the kernel (a later one on the same mount point
/// covers an earlier one). Immutable after parse; look-ups are by binary search.
class MountTable {
 public:
  MountTable() = default;

  /// Parses the whole content of a mountinfo file. A malformed line is an error that names its number
  /// (Transient, "MountTableUnreadable"), because a table that is half understood must not be acted on.
  static Result<MountTable> parse(std::string_view mountinfo);

  /// From facts in the kernel's order (the simulator's way).
  static MountTable from_facts(std::vector<MountFact> facts);

  const std::vector<MountFact>& mounts() const { return mounts_; }

  /// The uppermost mount exactly at `path` (absolute, no trailing slash), or nullptr.
  const MountFact* top_at(std::string_view path) const;
  /// How many mounts are stacked exactly at `path`.
  std::size_t count_at(std::string_view path) const;
  /// The mount that `path` lies in, by the longest prefix: where a look-up of the path ends up if no
  /// component is a symbolic link. nullptr only for an empty table.
  const MountFact* covering(std::string_view path) const;
  /// All mounts strictly below `path`, sorted by mount point.
  std::vector<const MountFact*> below(std::string_view path) const;
  /// All other mounts of the same file system whose root is that of `fact` or lies below it: its bind
  /// references.
  std::vector<const MountFact*> references(const MountFact& fact) const;

 private:
  void build_index();
  std::vector<MountFact> mounts_;
  std::vector<std::uint32_t> by_mount_point_;  ///< Indices into mounts_, sorted by (mount point, position).
};

/// Parses one line of mountinfo, without its newline. False if it is malformed.
bool parse_mountinfo_line(std::string_view line, MountFact& out);

/// True for file systems whose look-ups never wait for another machine or a user-space process: ext4, xfs,
/// btrfs, tmpfs and their like. Everything unknown is not local.
bool is_local_file_system(std::string_view type);

}  // namespace mooring
