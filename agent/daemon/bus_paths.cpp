#include <cstdlib>
#include <memory>
#include <utility>

#include "daemon/bus_objects.h"

namespace mooring {
namespace {

struct Release {
  void operator()(char* text) const { std::free(text); }  // sd-bus hands out malloc'd strings.
};
using Text = std::unique_ptr<char, Release>;

std::string encode(const char* prefix, const std::string& id) {
  char* path = nullptr;
  if (sd_bus_path_encode(prefix, id.c_str(), &path) < 0) return {};
  return Text(path).get();
}

/// Decodes one element; nullopt if `path` is not below `prefix`.
std::optional<std::string> decode(const char* path, const char* prefix) {
  char* id = nullptr;
  if (sd_bus_path_decode(path, prefix, &id) <= 0) return std::nullopt;
  return std::string(Text(id).get());
}

/// Decodes two elements, one below the other.
std::optional<std::pair<std::string, std::string>> decode_pair(const char* path, const char* prefix) {
  const std::string text = path;
  const std::size_t slash = text.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string parent = text.substr(0, slash);
  auto outer = decode(parent.c_str(), prefix);
  auto inner = decode(path, parent.c_str());
  if (!outer || !inner || outer->empty() || inner->empty()) return std::nullopt;
  return std::pair(std::move(*outer), std::move(*inner));
}

}  // namespace

std::string pod_path(const PodUid& uid) {
  return encode(bus_pods, uid.str());
}

std::string volume_path(const PodUid& uid, const VolumeName& name) {
  return encode(encode(bus_volumes, uid.str()).c_str(), name.str());
}

std::optional<PodUid> parse_pod_path(const char* path) {
  auto id = decode(path, bus_pods);
  if (!id) return std::nullopt;
  return PodUid(std::move(*id));
}

std::optional<PodVolumeKey> parse_volume_path(const char* path) {
  const auto pair = decode_pair(path, bus_volumes);
  if (!pair) return std::nullopt;
  return PodVolumeKey{PodUid(pair->first), VolumeName(pair->second)};
}

std::string claim_path(const ObjectKey& key) {
  return encode(encode(bus_claims, key.name_space.str()).c_str(), key.name.str());
}

std::string persistent_volume_path(const ObjectName& name) {
  return encode(bus_persistent_volumes, name.str());
}

std::optional<ObjectKey> parse_claim_path(const char* path) {
  const auto pair = decode_pair(path, bus_claims);
  if (!pair) return std::nullopt;
  return ObjectKey{Namespace(pair->first), ObjectName(pair->second)};
}

std::optional<ObjectName> parse_persistent_volume_path(const char* path) {
  auto name = decode(path, bus_persistent_volumes);
  if (!name) return std::nullopt;
  return ObjectName(std::move(*name));
}

}  // namespace mooring
