#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace mooring::layout {

// The tree below the root directory, each path beside its parser. All paths are relative to the root
// directory.
//
//   pods/<uid>/                                       0750
//     mooring.json                                    the stamp: this directory is Mooring's
//     volumes/<plugin~escaped>/<directory>            a volume
//     volumeDevices/<plugin~escaped>/<directory>      a raw block device
//     volume-subpaths/<volume>/<container>/<index>    a subPath mount
//   plugins/<plugin>/...                              staged mounts, driver data
//   trash/<name>                                      renamed aside, waits to be removed
//   state/                                            durable database

inline constexpr std::string_view pods = "pods";
inline constexpr std::string_view trash = "trash";
inline constexpr std::string_view stamp_name = "mooring.json";
inline constexpr unsigned private_mode = 0750;  ///< Of every directory that is not a volume's own.

/// "kubernetes.io/empty-dir" → "kubernetes.io~empty-dir" and back.
std::string escape(const PluginName& plugin);
PluginName unescape(std::string_view escaped);

std::string pod(const PodUid& uid);      ///< pods/<uid>
std::string stamp(const PodUid& uid);    ///< pods/<uid>/mooring.json
std::string volumes(const PodUid& uid);  ///< pods/<uid>/volumes
std::string plugin_volumes(const PodUid& uid, const PluginName& plugin);
std::string volume(const PodUid& uid, const PluginName& plugin, const VolumeDirectory& directory);
std::string sub_paths(const PodUid& uid);                            ///< pods/<uid>/volume-subpaths
std::string sub_paths(const PodUid& uid, const VolumeName& volume);  ///< .../<volume>
/// .../<volume>/<container>/<index of the mount in the container's volumeMounts>
std::string sub_path(const PodUid& uid, const VolumeName& volume, const ContainerName& container,
                     std::size_t index);
std::string trash_entry(std::string_view name);

/// True for a name that is safe as one path element of the layout: not empty, not "." or "..", no '/', no
/// NUL, at most 255 bytes.
bool is_path_element(std::string_view name);

/// True for the name of a file that a stamp (or another small file) was being written to when its writer
/// died:
/// `.<name>.<pid>.new`.
bool is_stamp_leftover(std::string_view name);

// Inside a volume whose content is published (see PublishFiles).

inline constexpr const char* content_data = "..data";      ///< The link to the version that counts.
inline constexpr const char* content_next = "..data_tmp";  ///< What the next one is renamed from.
inline constexpr const char* content_live = "..live";  ///< Parts that stay the same file: see PublishFiles.
/// The name of a version's directory: "..2026_11_21_09_30_00.123456789", in UTC.
std::string content_version(WallTime time);
/// True for a name that content_version() gives, or the kubelet gave: `..YYYY_MM_DD_hh_mm_ss.N`.
bool is_content_version(std::string_view name);

struct VolumePath {
  PodUid pod;
  PluginName plugin;
  VolumeDirectory directory;
};
/// The inverse of volume(); nullopt if `relative` is not exactly such a path.
std::optional<VolumePath> parse_volume(std::string_view relative);

struct SubPathMount {
  PodUid pod;
  VolumeName volume;
};
/// The inverse of sub_path(); nullopt if `relative` is not exactly such a path.
std::optional<SubPathMount> parse_sub_path(std::string_view relative);

}  // namespace mooring::layout
