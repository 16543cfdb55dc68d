#include "step/layout.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "step/reserved_paths.h"

namespace mooring::layout {
namespace {

constexpr std::string_view device_folder = "volumeDevices";
constexpr std::string_view mounts = "mounts";
constexpr std::string_view formatted = "formatted";
constexpr std::string_view images = "images";
constexpr std::string_view made = "made";
constexpr std::string_view bases = "bases";
constexpr std::string_view flexvolume = "kubernetes.io/flexvolume";
constexpr std::string_view provisioner = "provisioner";

std::string in_plugin(const std::string& plugin, std::string_view kind, const VolumeElement& volume) {
  return std::string(plugins) + "/" + plugin + "/" + std::string(kind) + "/" + volume.str();
}

}  // namespace

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
std::string devices(const PodUid& uid) {
  return pod(uid) + "/" + std::string(device_folder);
}

std::string device(const PodUid& uid, const PluginName& plugin, const VolumeDirectory& directory) {
  return pod(uid) + "/" + std::string(device_folder) + "/" + escape(plugin) + "/" + directory.str();
}
std::string trash_entry(std::string_view name) {
  return std::string(trash) + "/" + std::string(name);
}

namespace {

constexpr std::string_view hexadecimal = "0123456789ABCDEF";

/// True for a byte that stands for itself in an element.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

namespace {

std::string escaped(std::string_view text) {
  std::string element;
  for (const char c : text) {
    const bool is_hidden = c == '.' && element.empty();
    if (is_plain(c) && !is_hidden) {
      element += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    element += {'%', hexadecimal[byte >> 4U], hexadecimal[byte & 15U]};
  }
  return element;
}

}  // namespace

std::optional<VolumeElement> escape_handle(std::string_view handle) {
  if (handle.empty() || handle.size() > element_size_max) return std::nullopt;
  std::string element = escaped(handle);
  if (element.size() > element_size_max) return std::nullopt;
  return VolumeElement(std::move(element));
}

std::optional<std::string> unescape_handle(std::string_view element) {
  std::string handle;
  for (std::size_t i = 0; i < element.size(); ++i) {
    if (element[i] != '%') {
      handle += element[i];
      continue;
    }
    if (element.size() - i < 3) return std::nullopt;
    const std::size_t high = hexadecimal.find(element[i + 1]);
    const std::size_t low = hexadecimal.find(element[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    handle += static_cast<char>(high * 16 + low);
    i += 2;
  }
  // What reads as a handle but is not just how that handle is written would be a second name for it.
  const auto canonical = escape_handle(handle);
  if (!canonical || canonical->str() != element) return std::nullopt;
  return handle;
}

std::string staged(const PluginName& plugin, const VolumeElement& volume) {
  return in_plugin(plugin.str(), mounts, volume);
}
std::string format_stamp(const PluginName& plugin, const VolumeElement& volume) {
  return in_plugin(plugin.str(), formatted, volume);
}
std::string flex_staged(const PluginName& driver, const VolumeElement& volume) {
  return in_plugin(std::string(flexvolume) + "/" + driver.str(), mounts, volume);
}
std::string flex_format_stamp(const PluginName& driver, const VolumeElement& volume) {
  return in_plugin(std::string(flexvolume) + "/" + driver.str(), formatted, volume);
}
std::string image_stamp(const PluginName& plugin, const VolumeElement& volume) {
  return in_plugin(plugin.str(), images, volume);
}
std::string made_stamp(const PluginName& plugin, const VolumeElement& volume) {
  return in_plugin(plugin.str(), made, volume);
}
std::string base_stamp(const PluginName& plugin, std::string_view place) {
  std::string name = escaped(place);
  // What is too long for one element goes on in the next. A directory has a plus at its end, and a file has
  // none.
  constexpr std::string_view joint = "+/+";
  for (std::size_t end = element_size_max; end < name.size(); end += element_size_max + joint.size())
    name.insert(end, joint);
  return in_plugin(plugin.str(), bases, VolumeElement(std::move(name)));
}
std::string provisioner_mount(const PluginName& plugin, const VolumeElement& volume) {
  return in_plugin(plugin.str(), provisioner, volume);
}
std::string device_map(const PluginName& plugin, const VolumeElement& volume) {
  return in_plugin(escape(plugin), device_folder, volume);
}

std::string owners(std::string_view directory) {
  return std::string(base_private) + "/owners/" + std::string(directory);
}
std::string owner_stamp(std::string_view directory) {
  return owners(directory) + "/" + std::string(owner_stamp_name);
}
std::string base_trash(const ObjectName& volume) {
  return std::string(base_private) + "/trash/" + volume.str();
}

bool is_volume_directory(std::string_view directory) {
  if (!is_clean_relative(directory)) return false;
  while (!directory.empty()) {
    const std::size_t slash = directory.find('/');
    if (directory.substr(0, slash).starts_with(base_private)) return false;
    directory.remove_prefix(slash == std::string_view::npos ? directory.size() : slash + 1);
  }
  return true;
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

/// Takes the text after the last slash, and the slash.
std::string_view take_last_element(std::string_view& path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view element = slash == std::string_view::npos ? path : path.substr(slash + 1);
  path.remove_suffix(slash == std::string_view::npos ? path.size() : element.size() + 1);
  return element;
}

/// pods/<uid>/<kind>/<plugin~escaped>/<directory>
std::optional<VolumePath> parse_in_pod(std::string_view relative, std::string_view kind) {
  if (relative.ends_with('/')) return std::nullopt;
  if (take_element(relative) != pods) return std::nullopt;
  const std::string_view uid = take_element(relative);
  if (take_element(relative) != kind) return std::nullopt;
  const std::string_view plugin = take_element(relative);
  if (!is_path_element(uid) || !is_path_element(plugin) || !is_path_element(relative)) return std::nullopt;
  return VolumePath{PodUid(uid), unescape(plugin), VolumeDirectory(relative)};
}

/// plugins/<plugin>/<kind>/<element>, where the plugin's name is one element or two.
std::optional<PluginPath> parse_in_plugin(std::string_view relative, std::string_view kind) {
  const std::string_view element = take_last_element(relative);
  if (!unescape_handle(element) || take_last_element(relative) != kind) return std::nullopt;
  if (take_element(relative) != plugins) return std::nullopt;
  const std::string_view plugin = relative;
  const std::string_view first = take_element(relative);
  const bool has_second = first.size() != plugin.size();
  if (!is_path_element(first) || (has_second && !is_path_element(relative))) return std::nullopt;
  return PluginPath{PluginName(plugin), VolumeElement(element)};
}

}  // namespace

std::optional<VolumePath> parse_volume(std::string_view relative) {
  return parse_in_pod(relative, "volumes");
}

std::optional<VolumePath> parse_device(std::string_view relative) {
  return parse_in_pod(relative, device_folder);
}

std::optional<PluginPath> parse_staged(std::string_view relative) {
  return parse_in_plugin(relative, mounts);
}

std::optional<PluginPath> parse_format_stamp(std::string_view relative) {
  return parse_in_plugin(relative, formatted);
}

std::optional<PluginPath> parse_device_map(std::string_view relative) {
  auto path = parse_in_plugin(relative, device_folder);
  if (!path || path->plugin.str().find('/') != std::string::npos) return std::nullopt;
  path->plugin = unescape(path->plugin.str());
  return path;
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
