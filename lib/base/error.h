#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mooring {

/// What the caller must do about an error; the one thing about it that a program decides by.
enum class ErrorKind {
  Transient,  ///< Nothing was changed; trying again may help (a missing file, a busy target).
  Final,      ///< Nothing was changed; trying the same again cannot help until an input changes.
  Uncertain,  ///< Something may have been changed; read the kernel before believing anything.
};

std::string_view to_string(ErrorKind kind);

/// An error as a value. `message` names the thing and the cause; `remedy` what a person can do.
/// No secret value may ever be put into an error.
struct Error {
  ErrorKind kind = ErrorKind::Final;
  std::string reason;                ///< One CamelCase word, stable, for programs: "MountFailed".
  std::string message;               ///< One line for people; names the thing and the cause.
  std::string step;                  ///< The step that failed ("mount tmpfs"); may be empty.
  std::string path;                  ///< The path it failed on; may be empty.
  int errno_value = 0;               ///< The kernel's errno; 0 if the kernel was not asked.
  std::string remedy;                ///< What to do about it; may be empty.
  std::vector<std::string> context;  ///< What was being done, innermost first.

  /// The whole error on one line: context, step, message, path (quoted) and remedy.
  std::string text() const;

  /// Adds what was being done when the error came by, for chaining on the way up.
  Error within(std::string what) &&;
};

/// An error from a system call: the message is `what` and errno's own text.
Error system_error(ErrorKind kind, std::string reason, std::string_view what, std::string path,
                   int errno_value);

/// An error that no repetition mends, such as of what somebody wrote: Final.
Error refusal(std::string reason, std::string message, std::string remedy = {});

/// errno's name and text, "ENOENT: No such file or directory"; thread-safe.
std::string errno_text(int errno_value);

}  // namespace mooring
