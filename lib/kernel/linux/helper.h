#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mooring::kernel {

/// How a program of the node (mkfs.xfs, resize2fs, mount.nfs) ended and what it said.
struct HelperEnd {
  int status = 0;      ///< Its exit status; -1 if a signal ended it.
  int signal = 0;      ///< 0: none.
  std::string output;  ///< Both streams as they came, at most the last 64 KiB.

  bool is_success() const { return status == 0; }
  /// The last lines that say anything, and how it ended unless well, on one line: "no space; exit status 1".
  std::string text() const;
};

/// The path of a program in the directories that all distributions put such programs in, and no others
/// (/usr/sbin, /usr/bin, /sbin, /bin); empty: it is not installed.
std::string find_program(std::string_view name);

/// Runs a program, whose path is the first word, and waits for it, however long that takes: whoever may not
/// wait runs this in a process of its own. It has no input, a clean environment (LC_ALL=C, PATH, no cache of
/// libblkid), a session of its own, and dies with the thread that called this. Children that it leaves behind
/// are not waited for. Transient, "SpawnFailed".
Result<HelperEnd> run_helper(const std::vector<std::string>& command);

/// The last `lines_max` lines of `text` that are not blank, joined by `separator`.
std::string last_lines(std::string_view text, std::size_t lines_max, std::string_view separator);

}  // namespace mooring::kernel
