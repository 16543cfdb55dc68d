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
//   plugins/<plugin>/images/<element>               a volume's image was made once
//   plugins/<plugin>/mounts/<element>               a device's file system, mounted once for the node
//   plugins/<plugin>/formatted/<element>            remembers for ever that the volume was formatted once
//   plugins/<plugin~escaped>/volumeDevices/<element>/<pod uid>   a raw device, bound for a pod
//   plugins/<plugin>/made/<element>                 a provisioned volume was made once
//   plugins/<plugin>/bases/<place>                  volumes were made in a place once
//   plugins/<plugin>/provisioner/<element>          a server's export, mounted while a volume is made or
//   removed volumes/                                        volumes of claims, where their class names no
//   other place trash/<name>                                      renamed aside, waits to be removed state/
//   durable database

inline constexpr std::string_view pods = "pods";
inline constexpr std::string_view plugins = "plugins";
inline constexpr std::string_view trash = "trash";
inline constexpr std::string_view provisioned = "volumes";  ///< See provision/provisioner.h.
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
std::string devices(const PodUid& uid);  ///< pods/<uid>/volumeDevices
std::string device(const PodUid& uid, const PluginName& plugin,
                   const VolumeDirectory& directory);  ///< pods/<uid>/volumeDevices/...
std::string trash_entry(std::string_view name);

// What belongs to a volume and to no pod. Its name there is made of whatever its driver or its administrator
// calls it, which may be any bytes.

/// The handle of a volume as one path element; see escape_handle.
using VolumeElement = Id<struct VolumeElementTag>;
inline constexpr std::size_t element_size_max = 200;  ///< Leaves room for the names of temporary files.

/// Each byte but [A-Za-z0-9._-], and a dot in front, becomes "%" and two capital hexadecimal digits. nullopt
/// for an empty handle, and for one whose element would be longer than `element_size_max`. Two handles never
/// have the same element.
std::optional<VolumeElement> escape_handle(std::string_view handle);
/// The inverse; nullopt for what escape_handle never gives.
std::optional<std::string> unescape_handle(std::string_view element);

std::string staged(const PluginName& plugin, const VolumeElement& volume);
std::string format_stamp(const PluginName& plugin, const VolumeElement& volume);
/// Where a FlexVolume driver mounts a volume for the node, and the file that remembers that it was formatted
/// (kubelet-behaviours 16): plugins/kubernetes.io/flexvolume/<driver>/mounts/<element>. `driver`: its name,
/// of one part or two.
std::string flex_staged(const PluginName& driver, const VolumeElement& volume);
std::string flex_format_stamp(const PluginName& driver, const VolumeElement& volume);
/// The file that remembers that a volume's image was made.
std::string image_stamp(const PluginName& plugin, const VolumeElement& volume);
/// The file that remembers that a provisioned volume was made.
std::string made_stamp(const PluginName& plugin, const VolumeElement& volume);
/// The file that remembers that a place was made one for volumes: a path of the node, or a server's export.
/// Two places never have the same file, however long their names are.
std::string base_stamp(const PluginName& plugin, std::string_view place);
/// Where the export of a server is mounted while a volume of it is made, removed or emptied.
std::string provisioner_mount(const PluginName& plugin, const VolumeElement& volume);
/// The directory whose entries are named after the pods that have the raw device (kubelet-behaviours 14).
std::string device_map(const PluginName& plugin, const VolumeElement& volume);

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

// Below a base of volumes of claims (see step/volume_steps.h), relative to it.

inline constexpr std::string_view base_private = ".mooring";  ///< No volume's.
/// The stamp that says whose the directory is.
std::string owner_stamp(std::string_view directory);
inline constexpr std::string_view owner_stamp_name = ".mooring.json";
std::string owners(std::string_view directory);  ///< The directory of that stamp.
std::string base_trash(const ObjectName& volume);

/// True for a directory that a volume may have below a base: clean, relative, and no element of it is one
/// that Mooring keeps for itself.
bool is_volume_directory(std::string_view directory);

struct VolumePath {
  PodUid pod;
  PluginName plugin;
  VolumeDirectory directory;
};
/// The inverse of volume(); nullopt if `relative` is not exactly such a path.
std::optional<VolumePath> parse_volume(std::string_view relative);

/// The inverse of device().
std::optional<VolumePath> parse_device(std::string_view relative);

struct PluginPath {
  PluginName plugin;
  VolumeElement volume;
};
/// The inverses of staged(), format_stamp() and device_map(); nullopt if `relative` is not exactly such a
/// path.
std::optional<PluginPath> parse_staged(std::string_view relative);
std::optional<PluginPath> parse_format_stamp(std::string_view relative);
std::optional<PluginPath> parse_device_map(std::string_view relative);

struct SubPathMount {
  PodUid pod;
  VolumeName volume;
};
/// The inverse of sub_path(); nullopt if `relative` is not exactly such a path.
std::optional<SubPathMount> parse_sub_path(std::string_view relative);

}  // namespace mooring::layout
