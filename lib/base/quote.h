#pragma once

#include <string>
#include <string_view>

namespace mooring {

/// `text` in double quotes with `\"`, `\\`, `\n`, `\t`, `\r` and `\xNN` for other control characters and for
/// bytes that are not valid UTF-8, so that any name from outside stays on one line of a log and says exactly
/// what it is.
std::string quoted(std::string_view text);

/// `text` for a terminal: control characters (C0, DEL, C1) and bytes that are not valid UTF-8 as `\xNN`, all
/// else as it is.
std::string clean(std::string_view text);

/// As quoted(), but a text that needs no quotes (no blank, quote, backslash or control byte; not empty) stays
/// bare.
std::string quoted_if_needed(std::string_view text);

/// Replaces `\040`, `\011`, `\012`, `\134` and every other three-digit octal escape, as the kernel writes
/// them in /proc/PID/mountinfo (seq_path, proc(5)). An incomplete escape stays as it is.
std::string decode_octal_escapes(std::string_view text);

/// The inverse, for the characters that the kernel escapes in mountinfo: blank, tab, newline, backslash and
/// `#`.
std::string encode_octal_escapes(std::string_view text);

/// `text` as a JSON string literal, with its quotes. Invalid UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

/// `text` as one POSIX shell word, in single quotes if it needs any.
std::string shell_word(std::string_view text);

/// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_valid_utf8(std::string_view text);

}  // namespace mooring
