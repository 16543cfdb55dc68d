#pragma once

#include <cstdint>

#include "kernel/group_change.h"

namespace mooring::kernel {

/// Gives one file or directory its group and mode. Immutable, so threads may share it.
class GroupSetter {
 public:
  enum class Outcome : std::uint8_t {
    Right,        ///< It was right already; not touched.
    Changed,      ///< It is right now.
    Skipped,      ///< A symbolic link, a mount, or gone.
    IsDirectory,  ///< Asked to set a file, found a directory; not touched.
    Unreadable,   ///< It could not be looked at.
    Failed,       ///< It was looked at and could not be changed.
  };
  struct Answer {
    Outcome outcome = Outcome::Right;
    int errno_value = 0;  ///< Of the last two.
  };

  GroupSetter(const GroupChange& change, bool may_use_fchmodat2);

  /// The entry `name` of `directory`, whatever it is by now. `is_likely_right`: look before it is opened;
  /// which is faster if it is right, slower if it is not, and the same otherwise.
  Answer set_file(int directory, const char* name, bool is_likely_right) const;
  /// The directory that is open (O_PATH will do).
  Answer set_directory(int directory) const;
  /// False too if it cannot be looked at.
  bool is_directory_right(int directory) const;

 private:
  struct Status {
    std::uint32_t mode = 0;
    std::uint32_t group = 0;
    std::int64_t written_seconds = 0;
    std::uint32_t written_nanoseconds = 0;
    std::uint64_t size_bytes = 0;
    bool is_mount_root = false;
  };
  static int read_status(int directory, const char* name, Status& out);
  static bool is_as_written(const Status& now, const Status& before);
  std::uint32_t wanted_mode(const Status& status) const;
  bool is_right(const Status& status) const;
  Answer set_open(int descriptor, const Status& status) const;
  int change_mode_of_program(int descriptor, const Status& before) const;
  int change_mode_open(int descriptor, std::uint32_t mode) const;

  std::uint32_t group_;
  std::uint32_t file_mask_;
  std::uint32_t directory_mask_;
  bool has_fchmodat2_;
};

}  // namespace mooring::kernel
