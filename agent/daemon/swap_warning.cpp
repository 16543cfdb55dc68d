#include "daemon/swap_warning.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace mooring {
namespace {

/// The first Linux whose tmpfs knows noswap.
constexpr std::pair noswap_since{6, 4};

/// "6.1.0-18-amd64" is 6, 1. nullopt for what does not start with two numbers.
std::optional<std::pair<int, int>> version_of(std::string_view release) {
  std::pair<int, int> version;
  const char* const end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, version.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.second);
  if (minor.ec != std::errc()) return std::nullopt;
  return version;
}

/// A block device that keeps what is written to it compressed in memory: zram0, zram1...
bool is_in_memory(std::string_view path) {
  constexpr std::string_view deleted = "\\040(deleted)";  // The kernel adds it, and writes blanks so.
  if (path.ends_with(deleted)) path.remove_suffix(deleted.size());
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (!name.starts_with("zram")) return false;
  name.remove_prefix(4);
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The swap areas of /proc/swaps that are not in memory: the first word of each line after the heading.
std::vector<std::string> areas_on_disk(const std::string& swaps) {
  std::vector<std::string> areas;
  std::istringstream lines(swaps);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string path;
    std::string type;
    if (!(words >> path >> type) || (type != "partition" && type != "file")) continue;  // The heading.
    if (type == "file" || !is_in_memory(path)) areas.push_back(path);
  }
  return areas;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

SwapFacts read_swap_facts() {
  SwapFacts facts;
  utsname name{};
  if (uname(&name) == 0) facts.kernel_release = name.release;
  std::ifstream in("/proc/swaps");
  if (in) facts.swaps.emplace(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  struct sysinfo node {};
  if (sysinfo(&node) == 0) facts.swap_size_bytes = static_cast<std::uint64_t>(node.totalswap) * node.mem_unit;
  return facts;
}

std::optional<Error> swap_warning(const SwapFacts& facts) {
  const auto version = version_of(facts.kernel_release);
  if (version && *version >= noswap_since) return std::nullopt;
  std::string where;
  if (facts.swaps) {
    const std::vector<std::string> areas = areas_on_disk(*facts.swaps);
    if (areas.empty()) return std::nullopt;
    where = "to " + joined(areas);
  } else {
    if (facts.swap_size_bytes == 0) return std::nullopt;
    where = "to a disk (unless all swap is zram; /proc/swaps cannot be read)";
  }
  Error warning;
  warning.reason = "SecretsMaySwap";
  warning.message = "the content of Secrets, which is kept in memory, may be swapped out " + where +
                    " and be readable there later: " +
                    (version ? "Linux " + facts.kernel_release : "this kernel, whose version is not known,") +
                    " has no tmpfs that is never swapped out";
  warning.remedy =
      "use encrypted swap (then this does no harm), turn swap off (swapoff -a), or run Linux 6.4 or later";
  return warning;
}

}  // namespace mooring
