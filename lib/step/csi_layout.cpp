#include "step/csi_layout.h"

#include <algorithm>

#include "base/sha256.h"

namespace mooring::layout {
namespace {

constexpr std::string_view root = "plugins/kubernetes.io/csi/";
constexpr std::string_view block_folder = "volumeDevices";
constexpr std::string_view staging = "staging";
constexpr std::string_view publish = "publish";
constexpr std::string_view old_folder = "pv";
constexpr std::string_view attached_folder = "attached";
constexpr std::string_view mount_name = "mount";
constexpr std::string_view global_mount_name = "globalmount";
constexpr std::string_view data_name = "vol_data.json";
constexpr std::string_view device_folder = "dev";
constexpr std::size_t hash_size = 64;

std::string join(std::string_view path, std::string_view element) {
  return std::string(path) + "/" + std::string(element);
}

std::string block_root() {
  return std::string(root) + std::string(block_folder);
}

std::string staged_root(const DriverName& driver, std::string_view handle) {
  return std::string(root) + join(driver.str(), sha256_hex(handle));
}

/// Takes `prefix` off, if it is there.
bool take_prefix(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return true;
}

/// Takes "/<element>" off the end, if it is there.
bool take_suffix(std::string_view& path, std::string_view element) {
  if (!path.ends_with(element)) return false;
  const std::string_view rest = path.substr(0, path.size() - element.size());
  if (!rest.ends_with('/')) return false;
  path = rest.substr(0, rest.size() - 1);
  return true;
}

bool is_hash(std::string_view text) {
  return text.size() == hash_size && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::optional<VolumeDirectory> block_directory(std::string_view name) {
  const VolumeDirectory directory{std::string(name)};
  if (!is_csi_block_element(directory)) return std::nullopt;
  return directory;
}

/// plugins/kubernetes.io/csi/volumeDevices/<kind>/<directory>
std::optional<VolumeDirectory> parse_block(std::string_view relative, std::string_view kind) {
  if (!take_prefix(relative, block_root() + "/" + std::string(kind) + "/")) return std::nullopt;
  return block_directory(relative);
}

bool is_plain(char c) {
  constexpr std::string_view others = "._-#/:=+,@";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

std::string key_prefix() {
  return csi_plugin().str() + "/";
}

}  // namespace

const PluginName& csi_plugin() {
  static const PluginName name("kubernetes.io/csi");
  return name;
}

bool is_csi_driver_element(const DriverName& driver) {
  return is_path_element(driver.str()) && driver.str() != block_folder && driver.str() != old_folder &&
         driver.str() != attached_folder && driver.str().find('^') == std::string::npos;
}

bool is_csi_block_element(const VolumeDirectory& directory) {
  return is_path_element(directory.str()) && directory.str() != staging && directory.str() != publish;
}

std::string csi_target(const PodUid& pod, const VolumeDirectory& directory) {
  return join(volume(pod, csi_plugin(), directory), mount_name);
}

std::string csi_target_data(const PodUid& pod, const VolumeDirectory& directory) {
  return join(volume(pod, csi_plugin(), directory), data_name);
}

std::optional<VolumePath> parse_csi_target(std::string_view relative) {
  if (!take_suffix(relative, mount_name)) return std::nullopt;
  auto path = parse_volume(relative);
  if (!path || path->plugin != csi_plugin()) return std::nullopt;
  return path;
}

std::string mount_place(const PodUid& pod, const PluginName& plugin, const VolumeDirectory& directory) {
  return plugin == csi_plugin() ? csi_target(pod, directory) : volume(pod, plugin, directory);
}

std::string csi_staged(const DriverName& driver, std::string_view handle) {
  return join(staged_root(driver, handle), global_mount_name);
}

std::string csi_staged_data(const DriverName& driver, std::string_view handle) {
  return join(staged_root(driver, handle), data_name);
}

std::optional<CsiStagedPath> parse_csi_staged(std::string_view relative) {
  if (!take_prefix(relative, root) || !take_suffix(relative, global_mount_name)) return std::nullopt;
  const std::size_t slash = relative.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view folder = relative.substr(0, slash);
  const std::string_view element = relative.substr(slash + 1);
  if (folder == old_folder && is_path_element(element))
    return CsiStagedPath{DriverName(), {}, VolumeDirectory(element)};
  const DriverName driver{std::string(folder)};
  if (!is_csi_driver_element(driver) || !is_hash(element)) return std::nullopt;
  return CsiStagedPath{driver, std::string(element), {}};
}

std::string csi_block_staged(const VolumeDirectory& directory) {
  return join(join(block_root(), staging), directory.str());
}

std::string csi_block_published(const VolumeDirectory& directory) {
  return join(join(block_root(), publish), directory.str());
}

std::string csi_block_target(const VolumeDirectory& directory, const PodUid& pod) {
  return join(csi_block_published(directory), pod.str());
}

std::string csi_block_root(const VolumeDirectory& directory) {
  return join(block_root(), directory.str());
}

std::string csi_block_map(const VolumeDirectory& directory) {
  return join(csi_block_root(directory), device_folder);
}

std::string csi_block_data(const VolumeDirectory& directory) {
  return join(csi_block_root(directory), "data/") + std::string(data_name);
}

std::optional<VolumeDirectory> parse_csi_block_staged(std::string_view relative) {
  return parse_block(relative, staging);
}

std::optional<VolumeDirectory> parse_csi_block_published(std::string_view relative) {
  return parse_block(relative, publish);
}

std::optional<VolumeDirectory> parse_csi_block_map(std::string_view relative) {
  if (!take_prefix(relative, block_root() + "/") || !take_suffix(relative, device_folder))
    return std::nullopt;
  return block_directory(relative);
}

VolumeKey csi_key(const CsiVolumeName& volume) {
  constexpr std::string_view hexadecimal = "0123456789ABCDEF";
  std::string key = key_prefix() + volume.driver.str() + "^";
  for (const char c : volume.handle) {
    if (is_plain(c)) {
      key += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    key += {'%', hexadecimal[byte >> 4U], hexadecimal[byte & 15U]};
  }
  return VolumeKey(std::move(key));
}

std::optional<CsiVolumeName> parse_csi_key(const VolumeKey& key) {
  std::string_view text = key.str();
  if (!take_prefix(text, key_prefix())) return std::nullopt;
  const std::size_t mark = text.find('^');
  if (mark == std::string_view::npos) return std::nullopt;
  CsiVolumeName name{DriverName(text.substr(0, mark)), {}};
  text.remove_prefix(mark + 1);
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      name.handle += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
    name.handle += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  // Only what csi_key() itself writes: else two keys could mean one volume.
  if (name.driver.empty() || name.handle.empty() || csi_key(name) != key) return std::nullopt;
  return name;
}

std::string csi_attachments() {
  return std::string(root) + std::string(attached_folder);
}

std::string csi_attachment(const CsiVolumeName& volume) {
  return join(csi_attachments(), sha256_hex(csi_key(volume).str()) + ".json");
}

}  // namespace mooring::layout
