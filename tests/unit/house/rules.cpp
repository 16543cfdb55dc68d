#include "rules.h"

#include <algorithm>
#include <map>
#include <set>

namespace mooring::house {
namespace {

/// For each room of lib/, the rooms that it may include besides itself.
const std::map<std::string, std::set<std::string>, std::less<>> rooms{
    {"base", {}},
    {"facts", {"base"}},
    {"step", {"base", "facts", "driver"}},
    {"driver", {"base", "facts"}},
    {"csi", {"base", "facts", "driver"}},
    {"flex", {"base", "facts", "driver"}},
    {"wire", {"base", "step", "facts"}},
    {"manifest", {"base"}},
    {"objects", {"base", "manifest"}},
    {"provision", {"base", "facts", "manifest", "step", "driver", "csi"}},
    {"binding", {"base", "facts", "manifest", "objects", "provision"}},
    {"content", {"base", "manifest", "objects"}},
    {"desired", {"base", "manifest", "objects", "step"}},
    {"actual", {"base", "facts", "step"}},
    {"plan", {"base", "step", "desired", "actual"}},
    {"status", {"base", "plan", "desired", "actual"}},
    {"plugin",
     {"base", "facts", "manifest", "objects", "content", "step", "desired", "driver", "csi", "flex"}},
    {"kernel", {"base", "facts"}},
    {"kernel/linux", {"base", "facts", "kernel"}},
    {"kernel/fake", {"base", "facts", "kernel"}},
    {"operation", {"base", "step", "facts", "kernel", "driver", "csi", "flex"}},
    {"core",
     {"base", "objects", "provision", "binding", "content", "desired", "actual", "plugin", "plan", "status",
      "step", "facts", "manifest", "driver"}},
    {"client", {"base", "status"}},
};

struct Include {
  std::string_view target;
  bool is_quoted = false;  ///< "room/file.h", as against <file.h>.
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

/// The file that the line includes; an empty target if it is no include.
Include include_of(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with('#')) return {};
  line = trimmed(line.substr(1));
  if (!line.starts_with("include")) return {};
  line = trimmed(line.substr(7));
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return {};
  const bool is_quoted = line.front() == '"';
  line.remove_prefix(1);
  return {line.substr(0, line.find(is_quoted ? '"' : '>')), is_quoted};
}

/// The room that stands at the start of "kernel/linux/uapi.h".
std::string room_at_start(std::string_view path) {
  for (const std::string_view nested : {"kernel/linux/", "kernel/fake/"}) {
    if (path.starts_with(nested)) return std::string(nested.substr(0, nested.size() - 1));
  }
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

std::string_view without_line_comment(std::string_view line) {
  return line.substr(0, line.find("//"));
}

bool is_word_character(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// True if a word of the line starts with SYS_: the number of a system call.
bool has_system_call_number(std::string_view line) {
  constexpr std::string_view prefix = "SYS_";
  line = without_line_comment(line);
  for (std::size_t at = line.find(prefix); at != std::string_view::npos; at = line.find(prefix, at + 1)) {
    const bool starts_a_word = at == 0 || !is_word_character(line[at - 1]);
    const bool goes_on = at + prefix.size() < line.size() && is_word_character(line[at + prefix.size()]);
    if (starts_a_word && goes_on) return true;
  }
  return false;
}

bool is_kernel_header(std::string_view target) {
  return target == "sys/mount.h" || target == "sys/syscall.h" || target == "syscall.h" ||
         target == "linux/mount.h" || target.find("libmount") != std::string_view::npos ||
         target.find("blkid") != std::string_view::npos;
}

bool is_bus_header(std::string_view target) {
  return target.starts_with("boost/asio") || target.starts_with("asio") ||
         target.find("sd-bus") != std::string_view::npos || target.find("sdbus") != std::string_view::npos;
}

bool is_grpc_header(std::string_view target) {
  return target.starts_with("grpc") || target.starts_with("google/protobuf/");
}

class Checker {
 public:
  Checker(std::string_view path, std::string_view content)
      : path_(path), content_(content), room_(room_of(path)) {}

  std::vector<Finding> run() {
    if (path_.starts_with("tests/")) return {};
    std::string_view rest = content_;
    while (!rest.empty()) {
      ++line_number_;
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      check_line(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    check_whole();
    return std::move(findings_);
  }

 private:
  void add(std::string rule, const std::string& what) {
    findings_.push_back(
        {std::move(rule), std::string(path_) + ":" + std::to_string(line_number_) + ": " + what});
  }

  void check_line(std::string_view line) {
    if (room_ != "kernel/linux" && has_system_call_number(line)) {
      add("kernel", "a system call by its number belongs in lib/kernel/linux");
    }
    const Include include = include_of(line);
    if (include.target.empty()) return;
    const std::string target(include.target);
    if (room_ != "kernel/linux" && is_kernel_header(target)) {
      add("kernel", target + " belongs in lib/kernel/linux");
    }
    if (room_ != "client" && !path_.starts_with("agent/") && is_bus_header(target)) {
      add("bus", target + " belongs in agent/ and lib/client");
    }
    if (!path_.starts_with("agent/csi/") && is_grpc_header(target)) {
      add("grpc", target + " belongs in agent/csi");
    }
    if (!room_.empty()) check_room(include);
  }

  /// A header of another room in angle brackets is found as well: the compiler would take it.
  void check_room(const Include& include) {
    const std::string target(include.target);
    const std::string included = room_at_start(target);
    const bool names_a_room = is_known_room(included);
    if (!include.is_quoted && !names_a_room) return;
    if (!names_a_room) {
      add("room", "\"" + target + "\" is not of the form \"room/file.h\"");
      return;
    }
    if (!include.is_quoted) add("room", "<" + target + "> is a header of the tree: use quotes");
    const auto allowed = rooms.find(room_);
    if (allowed == rooms.end()) {
      add("room", "lib/" + room_ + " is not in the table of rooms");
    } else if (included != room_ && allowed->second.count(included) == 0) {
      add("room", "lib/" + room_ + " may not include \"" + target + "\"");
    }
  }

  void check_whole() {
    if (line_number_ > file_lines_max && (!room_.empty() || path_.starts_with("agent/"))) {
      add("length", "more than " + std::to_string(file_lines_max) + " lines");
    }
    line_number_ = 1;
    if (!room_.empty() && path_.ends_with(".h") && !content_.starts_with("#pragma once\n")) {
      add("pragma", "does not start with #pragma once");
    }
  }

  std::string_view path_;
  std::string_view content_;
  std::string room_;
  std::size_t line_number_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace

std::string room_of(std::string_view path) {
  constexpr std::string_view lib = "lib/";
  return path.starts_with(lib) ? room_at_start(path.substr(lib.size())) : std::string();
}

bool is_known_room(std::string_view room) {
  return rooms.find(room) != rooms.end();
}

std::vector<Finding> check_file(std::string_view path, std::string_view content) {
  return Checker(path, content).run();
}

}  // namespace mooring::house
