#pragma once

#include <string_view>

namespace mooring {

/// Why the directory is none that volumes may be put into or that may be emptied for another claim: "holds
/// the operating system". Empty: nothing is known against it. `path`: absolute and clean; the root directory
/// is the caller's to know.
std::string_view why_reserved(std::string_view path);

/// True for an absolute path that is written in just one way: no empty, "." or ".." element, no slash at its
/// end but in "/" itself, no NUL, no element above 255 bytes.
bool is_clean_absolute(std::string_view path);

/// True for a path below a directory that is written in just one way, as above; not empty.
bool is_clean_relative(std::string_view path);

/// True if `path` is `directory` or lies below it; both absolute, or both relative, and clean.
bool is_at_or_below(std::string_view path, std::string_view directory);

}  // namespace mooring
