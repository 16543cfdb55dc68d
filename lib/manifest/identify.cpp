#include "manifest/identify.h"

#include <algorithm>
#include <optional>

#include "manifest/names.h"

namespace mooring::manifest {
namespace {

void set_key(BrokenDocument& broken, const std::string& name_space, const std::string& name) {
  if (is_dns_subdomain(name)) {
    broken.key = ObjectKey{Namespace(name_space.empty() ? "default" : name_space), ObjectName(name)};
  }
}

/// "name: web  # comment" → "web" if the line starts with the key.
std::optional<std::string> value_of(std::string_view line, std::string_view key) {
  if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') return std::nullopt;
  line.remove_prefix(key.size() + 1);
  const std::size_t comment = line.find(" #");
  if (comment != std::string_view::npos) line = line.substr(0, comment);
  const std::size_t first = line.find_first_not_of(" \t\"'");
  const std::size_t last = line.find_last_not_of(" \t\r\"'");
  if (first == std::string_view::npos || last < first) return std::string();
  return std::string(line.substr(first, last - first + 1));
}

/// The entries of "{name: web, namespace: shop}", as far as they stand on one line.
void read_flow(std::string_view line, std::string& name, std::string& name_space) {
  const std::size_t open = line.find('{');
  if (open == std::string_view::npos) return;
  line.remove_prefix(open + 1);
  while (!line.empty()) {
    const std::size_t end = line.find_first_of(",}");
    std::string_view entry = line.substr(0, end);
    entry.remove_prefix(std::min(entry.find_first_not_of(' '), entry.size()));
    if (const auto value = value_of(entry, "name")) name = *value;
    if (const auto value = value_of(entry, "namespace")) name_space = *value;
    if (end == std::string_view::npos || line[end] == '}') return;
    line.remove_prefix(end + 1);
  }
}

}  // namespace

void identify_text(std::string_view text, BrokenDocument& broken) {
  std::string name;
  std::string name_space;
  std::size_t metadata_indent = 0;
  bool in_metadata = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos || line[indent] == '#') continue;
    line.remove_prefix(indent);
    if (indent == 0) {
      in_metadata = line.starts_with("metadata:");
      metadata_indent = 0;
      if (in_metadata) read_flow(line, name, name_space);
      if (const auto kind = value_of(line, "kind")) broken.kind = *kind;
      continue;
    }
    if (!in_metadata) continue;
    if (metadata_indent == 0) metadata_indent = indent;
    if (indent != metadata_indent) continue;
    if (const auto value = value_of(line, "name")) name = *value;
    if (const auto value = value_of(line, "namespace")) name_space = *value;
  }
  set_key(broken, name_space, name);
}

}  // namespace mooring::manifest
