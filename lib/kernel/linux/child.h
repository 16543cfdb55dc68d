#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace mooring::kernel {

/// A program to be run to its end, and what is taken of it.
struct ChildCommand {
  enum class Keep { Beginning, End };

  std::vector<SecretBytes> words;        ///< The program's absolute path, and its arguments.
  std::vector<std::string> environment;  ///< All of it: "LC_ALL=C".
  const SecretBytes* input = nullptr;    ///< What its standard input holds; nullptr: /dev/null.
  bool takes_errors = true;              ///< Its standard error goes where its output goes, else nowhere.
  std::size_t output_bytes_max = 0;      ///< More is read, so that it need not wait, and not kept.
  Keep keep = Keep::Beginning;           ///< Of an output that is too long.
  std::optional<std::uint32_t> deadline_ms;
  int caller = -1;  ///< A connection: when its other end closes, nobody wants the program any more.
  std::uint32_t linger_ms =
      0;  ///< How long its output is waited for after its end, while somebody has it open.
};

/// How it ended.
struct ChildEnd {
  int status = 0;        ///< Its exit status; -1 if a signal ended it, or nobody knows yet.
  int signal = 0;        ///< 0: none.
  bool is_late = false;  ///< It was killed at its deadline, or because its caller went, and all of its group.
  bool is_too_long = false;
  std::string output;
};

/// The environment that programs of the node are run in: LC_ALL=C, and a PATH of the directories that all
/// distributions put such programs in.
std::vector<std::string> clean_environment();

/// Runs a program and waits for its end, or for its deadline. It has a session and a process group of its
/// own, no descriptor but the three standard ones, umask 022, the working directory "/", and dies with the
/// thread that called this.
///
/// Who it started may keep its output open for ever, so the end of the output is waited for no longer than
/// `linger_ms` after its own end. At the deadline its whole process group is killed; whoever left that group
/// lives on. A process that the kernel does not let die (a call of a dead server) is left behind a second
/// later: the answer is `is_late` all the same.
///
/// Transient, "SpawnFailed", with errno: it was not started.
Result<ChildEnd> run_child(const ChildCommand& command);

}  // namespace mooring::kernel
