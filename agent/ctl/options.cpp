#include "options.h"

#include <array>
#include <charconv>
#include <string_view>

namespace mooring::ctl {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::array units{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                           Unit{"d", 86'400'000}};
constexpr std::uint64_t longest_ms = 10'000ULL * 86'400'000;

}  // namespace

Error usage_error(std::string message) {
  Error error;
  error.reason = "Usage";
  error.message = std::move(message);
  return error;
}

Result<PodReference> parse_pod_reference(const Options& options, const std::string& text, bool with_volume) {
  std::string_view rest = text;
  bool is_prefixed = false;
  for (const std::string_view prefix : {"pod/", "pods/", "po/"}) {
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    is_prefixed = true;
    break;
  }
  const std::string form = with_volume ? "pod/NAME or pod/NAME/VOLUME" : "pod/NAME";
  PodReference reference;
  reference.key.name_space = Namespace(options.name_space);
  const std::size_t slash = rest.find('/');
  reference.key.name = ObjectName(rest.substr(0, slash));
  if (slash != std::string_view::npos) reference.volume = VolumeName(rest.substr(slash + 1));
  const bool is_wrong = reference.key.name.empty() || (slash != std::string_view::npos && !with_volume) ||
                        (slash != std::string_view::npos && reference.volume.empty()) ||
                        reference.volume.str().find('/') != std::string::npos ||
                        (!is_prefixed && slash != std::string_view::npos);
  if (is_wrong) return usage_error("\"" + text + "\" is not of the form " + form);
  return reference;
}

Result<std::chrono::milliseconds> parse_duration(const std::string& text) {
  const Error wrong = usage_error("\"" + text + "\" is not a time such as 30s, 1m30s or 500ms");
  std::uint64_t total = 0;
  std::string_view rest = text;
  if (rest.empty()) return wrong;
  while (!rest.empty()) {
    std::uint64_t number = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (problem != std::errc{} || number > longest_ms) return wrong;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789"));
    rest.remove_prefix(name.size());
    if (name.empty() && rest.empty()) {
      total += number * 1'000;
      break;
    }
    std::uint64_t factor = 0;
    for (const Unit& unit : units) {
      if (unit.name == name) factor = unit.milliseconds;
    }
    if (factor == 0 || number > longest_ms / factor) return wrong;
    total += number * factor;
  }
  if (total > longest_ms) return wrong;
  return std::chrono::milliseconds(total);
}

}  // namespace mooring::ctl
