#include "step/layout.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace mooring::layout {

std::string escape(const PluginName& plugin) {
  std::string text = plugin.str();
  std::replace(text.begin(), text.end(), '/', '~');
  return text;
}

PluginName unescape(std::string_view escaped) {
  std::string text(escaped);
  std::replace(text.begin(), text.end(), '~', '/');
  return PluginName(std::move(text));
}

std::string pod(const PodUid& uid) {
  return std::string(pods) + "/" + uid.str();
}
std::string stamp(const PodUid& uid) {
  return pod(uid) + "/" + std::string(stamp_name);
}
std::string volumes(const PodUid& uid) {
  return pod(uid) + "/volumes";
}
std::string plugin_volumes(const PodUid& uid, const PluginName& plugin) {
  return volumes(uid) + "/" + escape(plugin);
}
std::string volume(const PodUid& uid, const PluginName& plugin, const VolumeDirectory& directory) {
  return plugin_volumes(uid, plugin) + "/" + directory.str();
}
std::string sub_paths(const PodUid& uid) {
  return pod(uid) + "/volume-subpaths";
}
std::string sub_paths(const PodUid& uid, const VolumeName& volume) {
  return sub_paths(uid) + "/" + volume.str();
}
std::string sub_path(const PodUid& uid, const VolumeName& volume, const ContainerName& container,
                     std::size_t index) {
  return sub_paths(uid, volume) + "/" + container.str() + "/" + std::to_string(index);
}
std::string trash_entry(std::string_view name) {
  return std::string(trash) + "/" + std::string(name);
}

bool is_stamp_leftover(std::string_view name) {
  return name.starts_with("." + std::string(stamp_name) + ".") && name.ends_with(".new");
}

std::string content_version(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.since_epoch);
  const std::time_t whole = seconds.count();
  std::tm utc{};
  gmtime_r(&whole, &utc);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "..%04d_%02d_%02d_%02d_%02d_%02d.%09ld", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<long>((time.since_epoch - seconds).count()));
  return text.data();
}

bool is_content_version(std::string_view name) {
  constexpr std::string_view form = "..9999_99_99_99_99_99.";
  if (name.size() <= form.size()) return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool wants_digit = i >= form.size() || form[i] == '9';
    if (wants_digit ? !is_digit(name[i]) : name[i] != form[i]) return false;
  }
  return true;
}

bool is_path_element(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

namespace {

/// Takes the text up to the next slash, and the slash.
std::string_view take_element(std::string_view& path) {
  const std::size_t end = path.find('/');
  const std::string_view element = path.substr(0, end);
  path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  return element;
}

}  // namespace

std::optional<VolumePath> parse_volume(std::string_view relative) {
  if (relative.ends_with('/')) return std::nullopt;
  if (take_element(relative) != pods) return std::nullopt;
  const std::string_view uid = take_element(relative);
  if (take_element(relative) != "volumes") return std::nullopt;
  const std::string_view plugin = take_element(relative);
  if (!is_path_element(uid) || !is_path_element(plugin) || !is_path_element(relative)) return std::nullopt;
  return VolumePath{PodUid(uid), unescape(plugin), VolumeDirectory(relative)};
}

std::optional<SubPathMount> parse_sub_path(std::string_view relative) {
  if (relative.ends_with('/') || take_element(relative) != pods) return std::nullopt;
  const std::string_view uid = take_element(relative);
  if (take_element(relative) != "volume-subpaths") return std::nullopt;
  const std::string_view volume = take_element(relative);
  const std::string_view container = take_element(relative);
  const bool is_good = is_path_element(uid) && is_path_element(volume) && is_path_element(container) &&
                       is_path_element(relative);
  if (!is_good) return std::nullopt;
  return SubPathMount{PodUid(uid), VolumeName(volume)};
}

}  // namespace mooring::layout
