#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace mooring {

/// A string that means one thing. Two of different tags do not mix; the text is reached by str().
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}
  explicit Id(std::string_view text) : text_(text) {}
  explicit Id(const char* text) : text_(text) {}

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const Id&, const Id&) = default;
  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::string text_;
};

using PodUid = Id<struct PodUidTag>;          ///< metadata.uid, or the UUIDv5 of namespace and name.
using Namespace = Id<struct NamespaceTag>;    ///< metadata.namespace.
using ObjectName = Id<struct ObjectNameTag>;  ///< metadata.name of any object.
using VolumeName = Id<struct VolumeNameTag>;  ///< spec.volumes[].name in the pod (the outer name).
using VolumeDirectory =
    Id<struct VolumeDirectoryTag>;  ///< The directory's name: the PV's for a claim, else VolumeName.
using ContainerName = Id<struct ContainerNameTag>;
using PluginName = Id<struct PluginNameTag>;  ///< "kubernetes.io/empty-dir".
using NodeName = Id<struct NodeNameTag>;
/// The identity of a volume for sharing and locking: "<plugin>/<pod uid>-<directory>" for a volume of one
/// pod,
/// "<plugin>/<name>" for one that several pods can share.
using VolumeKey = Id<struct VolumeKeyTag>;

/// One volume of one pod.
struct PodVolumeKey {
  PodUid pod;
  VolumeName volume;

  friend bool operator==(const PodVolumeKey&, const PodVolumeKey&) = default;
  friend auto operator<=>(const PodVolumeKey&, const PodVolumeKey&) = default;
};

/// Namespace and name of an object.
struct ObjectKey {
  Namespace name_space;
  ObjectName name;

  /// "namespace/name", for messages.
  std::string text() const { return name_space.str() + "/" + name.str(); }

  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

/// Mooring's own namespace for UUIDv5: the pod of a manifest without metadata.uid gets
/// uuid5(this, "<namespace>/<name>"), so that the same manifest always names the same directory.
PodUid derived_pod_uid(const Namespace& name_space, const ObjectName& name);

}  // namespace mooring

template <class Tag>
struct std::hash<mooring::Id<Tag>> {
  std::size_t operator()(const mooring::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
