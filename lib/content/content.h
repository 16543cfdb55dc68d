#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/quantity.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "manifest/pod.h"
#include "objects/store.h"

namespace mooring {

/// One file of a configuration volume.
struct ContentFile {
  SecretBytes bytes;
  std::uint32_t mode = 0644;
  friend bool operator==(const ContentFile&, const ContentFile&) = default;
};

/// What a configuration volume holds: its files by path, relative and clean.
using Content = std::map<std::string, ContentFile>;

/// What content is made from.
struct ContentRequest {
  const manifest::Pod& pod;
  const ObjectStore& objects;
  /// "cpu", "memory", ...: what a container without a limit may use (kubelet-behaviours 13.7).
  const std::map<std::string, Quantity>& allocatable;
  const NodeName& node;  ///< spec.nodeName of a pod that is here.
};

/// The content of a configMap, secret, downwardAPI or projected source (kubelet-behaviours 13.5 to 13.8).
/// Final errors: "ConfigMapNotFound", "SecretNotFound", "KeyNotFound", "InvalidPath", "UnsupportedSource",
/// "InvalidReference". Of a projected source all errors are told, and its content is made only if there is
/// none; a path that two sources give has the later one's file. Never holds a value in an error.
Result<Content> content_of(const manifest::ConfigMapSource& source, const ContentRequest& request);
Result<Content> content_of(const manifest::SecretSource& source, const ContentRequest& request);
Result<Content> content_of(const manifest::DownwardApiSource& source, const ContentRequest& request);
Result<Content> content_of(const manifest::ProjectedSource& source, const ContentRequest& request);

/// The objects that a source comes from, there or not, for a pod of this namespace: what is made into files,
/// and a claim.
std::set<ObjectReference> objects_of(const manifest::VolumeSource& source, const Namespace& name_space);

/// The directories that a container's other mounts need inside this volume, because their mount paths lie
/// below its own and it is read-only: `/etc/app` and `/etc/app/cache` give "cache". Of nested ones only the
/// outermost (kubelet-behaviours 13.5). Relative, clean, sorted.
std::set<std::string> nested_mount_points(const manifest::Pod& pod, const VolumeName& volume);

/// A relative path without empty and "." elements; nullopt if it has a ".." element, an element of more than
/// 255 bytes, more than 4096 bytes in all, none at all, or a first element that starts with ".."
/// (kubelet-behaviours 12).
std::optional<std::string> clean_content_path(std::string_view path);

/// A number that is the same for the same content and directories only, as good as certainly (it is 128 bits
/// of a hash that depends on every byte). Not for anybody who could profit from finding two.
std::string content_digest(const Content& content, const std::set<std::string>& directories);

}  // namespace mooring
