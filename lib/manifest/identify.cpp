#include "manifest/identify.h"

#include <algorithm>
#include <vector>

#include "manifest/names.h"

namespace mooring::manifest {
namespace {

/// What the text gives, each as often as it stands there.
struct Found {
  std::vector<std::string> kinds;
  std::vector<std::string> names;
  std::vector<std::string> name_spaces;
  std::size_t metadata_count = 0;
  bool is_unclear = false;  ///< A line starts with a quote or a bracket: JSON, perhaps another document.
};

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

void read_entry(std::string_view entry, Found& found) {
  if (const auto value = value_of(entry, "name")) found.names.push_back(*value);
  if (const auto value = value_of(entry, "namespace")) found.name_spaces.push_back(*value);
}

/// The entries of "{name: web, namespace: shop}", as far as they stand on one line.
void read_flow(std::string_view line, Found& found) {
  const std::size_t open = line.find('{');
  if (open == std::string_view::npos) return;
  line.remove_prefix(open + 1);
  while (!line.empty()) {
    const std::size_t end = line.find_first_of(",}");
    std::string_view entry = line.substr(0, end);
    entry.remove_prefix(std::min(entry.find_first_not_of(' '), entry.size()));
    read_entry(entry, found);
    if (end == std::string_view::npos || line[end] == '}') return;
    line.remove_prefix(end + 1);
  }
}

Found search(std::string_view text) {
  Found found;
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
      found.is_unclear |= std::string_view("{[\"'?").find(line.front()) != std::string_view::npos;
      if (in_metadata) {
        ++found.metadata_count;
        read_flow(line, found);
      }
      if (auto kind = value_of(line, "kind")) found.kinds.push_back(std::move(*kind));
      continue;
    }
    if (!in_metadata) continue;
    if (metadata_indent == 0) metadata_indent = indent;
    if (indent == metadata_indent) read_entry(line, found);
  }
  return found;
}

}  // namespace

void identify_text(std::string_view text, BrokenDocument& broken) {
  const Found found = search(text);
  if (found.is_unclear || found.metadata_count != 1 || found.kinds.size() != 1 || found.names.size() != 1 ||
      found.name_spaces.size() > 1) {
    return;
  }
  const std::string name_space = found.name_spaces.empty() ? "" : found.name_spaces.front();
  broken.kind = found.kinds.front();
  broken.key = valid_key(name_space, found.names.front());
}

std::optional<ObjectKey> valid_key(const std::string& name_space, const std::string& name) {
  const std::string in = name_space.empty() ? "default" : name_space;
  if (!is_dns_label(in) || !is_dns_subdomain(name)) return std::nullopt;
  return ObjectKey{Namespace(in), ObjectName(name)};
}

}  // namespace mooring::manifest
