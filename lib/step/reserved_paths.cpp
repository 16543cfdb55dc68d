#include "step/reserved_paths.h"

#include <array>

#include "step/layout.h"

namespace mooring {
namespace {

struct Reserved {
  std::string_view path;
  bool is_with_all_below;
  std::string_view reason;
};

constexpr std::string_view of_system = "holds the operating system";
constexpr std::string_view of_kernel = "is made by the kernel";
constexpr std::string_view of_many = "holds what many programs and people keep there";

constexpr std::array reserved{
    Reserved{"/", false, of_system},
    Reserved{"/bin", true, of_system},
    Reserved{"/boot", true, of_system},
    Reserved{"/dev", true, of_kernel},
    Reserved{"/efi", true, of_system},
    Reserved{"/etc", true, "holds the configuration of the node"},
    Reserved{"/home", false, of_many},
    Reserved{"/lib", true, of_system},
    Reserved{"/lib32", true, of_system},
    Reserved{"/lib64", true, of_system},
    Reserved{"/libx32", true, of_system},
    Reserved{"/opt", false, of_many},
    Reserved{"/proc", true, of_kernel},
    Reserved{"/root", false, of_many},
    Reserved{"/run", true, "holds what running programs need, and is empty after a boot"},
    Reserved{"/sbin", true, of_system},
    Reserved{"/sys", true, of_kernel},
    Reserved{"/tmp", false, of_many},
    Reserved{"/usr", true, of_system},
    Reserved{"/var", false, of_many},
    Reserved{"/var/cache", false, of_many},
    Reserved{"/var/lib", false, of_many},
    Reserved{"/var/log", false, of_many},
    Reserved{"/var/spool", false, of_many},
    Reserved{"/var/tmp", false, of_many},
};

}  // namespace

std::string_view why_reserved(std::string_view path) {
  for (const Reserved& one : reserved) {
    if (one.is_with_all_below ? is_at_or_below(path, one.path) : path == one.path) return one.reason;
  }
  return {};
}

bool is_clean_absolute(std::string_view path) {
  return path == "/" || (path.starts_with('/') && is_clean_relative(path.substr(1)));
}

bool is_clean_relative(std::string_view path) {
  while (true) {
    const std::size_t slash = path.find('/');
    if (!layout::is_path_element(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_at_or_below(std::string_view path, std::string_view directory) {
  if (path == directory || directory == "/") return true;
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

}  // namespace mooring
