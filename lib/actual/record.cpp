#include "actual/record.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/quote.h"

namespace mooring {
namespace {

constexpr int record_version = 1;

Error bad_record(const std::string& why) {
  Error error;
  error.kind = ErrorKind::Final;
  error.reason = "BadRecord";
  error.message = "not a run record: " + why;
  return error;
}

/// The string member `name` of `object`; nullptr if it is missing or no string.
const std::string* string_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

/// By DeviceName::Kind.
constexpr std::array<std::string_view, 6> kind_names{"path", "uuid", "label", "wwid", "image", "csi"};

/// A policy that this version does not know is taken for the careful one.
UnmountPolicy policy_named(const std::string& name) {
  for (const UnmountPolicy policy : {UnmountPolicy::Force, UnmountPolicy::Lazy}) {
    if (to_string(policy) == name) return policy;
  }
  return UnmountPolicy::Wait;
}

}  // namespace

std::string encode_record(const PodRecord& record) {
  std::string out;
  out.reserve(160 + record.volumes.size() * 96);
  out += R"({"version":)" + std::to_string(record_version);
  out += R"(,"uid":)" + json_string(record.uid.str());
  out += R"(,"namespace":)" + json_string(record.name_space.str());
  out += R"(,"name":)" + json_string(record.name.str());
  out += R"(,"volumes":[)";
  bool first = true;
  for (const VolumeRecord& volume : record.volumes) {
    if (!first) out += ',';
    first = false;
    out += R"({"name":)" + json_string(volume.name.str());
    out += R"(,"plugin":)" + json_string(volume.plugin.str());
    out += R"(,"directory":)" + json_string(volume.directory.str());
    out += R"(,"shape":)" + json_string(volume.shape);
    if (volume.is_shared) out += R"(,"shared":true)";
    if (volume.is_incomplete) out += R"(,"complete":false)";
    if (!volume.device.empty()) out += R"(,"device":)" + json_string(volume.device.str());
    if (volume.unmount_policy != UnmountPolicy::Force)
      out += R"(,"unmount":)" + json_string(to_string(volume.unmount_policy));
    out += "}";
  }
  return out + "]}\n";
}

Result<PodRecord> decode_record(std::string_view bytes) {
  const nlohmann::json document = nlohmann::json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return bad_record("not a JSON object");
  const auto version = document.find("version");
  if (version == document.end() || !version->is_number_integer() || *version != record_version) {
    return bad_record("its version is not " + std::to_string(record_version));
  }
  const std::string* uid = string_member(document, "uid");
  const std::string* name_space = string_member(document, "namespace");
  const std::string* name = string_member(document, "name");
  const auto volumes = document.find("volumes");
  if (uid == nullptr || uid->empty() || name_space == nullptr || name == nullptr ||
      volumes == document.end() || !volumes->is_array()) {
    return bad_record("uid, namespace, name or volumes is missing");
  }
  PodRecord record{PodUid(*uid), Namespace(*name_space), ObjectName(*name), {}};
  for (const auto& entry : *volumes) {
    const std::string* volume = entry.is_object() ? string_member(entry, "name") : nullptr;
    const std::string* plugin = entry.is_object() ? string_member(entry, "plugin") : nullptr;
    const std::string* directory = entry.is_object() ? string_member(entry, "directory") : nullptr;
    if (volume == nullptr || plugin == nullptr || directory == nullptr) {
      return bad_record("a volume lacks name, plugin or directory");
    }
    const std::string* shape = string_member(entry, "shape");
    const std::string* device = string_member(entry, "device");
    const std::string* policy = string_member(entry, "unmount");
    record.volumes.push_back({VolumeName(*volume), PluginName(*plugin), VolumeDirectory(*directory),
                              shape == nullptr ? std::string() : *shape,
                              entry.value("shared", nlohmann::json()) == true,
                              entry.value("complete", nlohmann::json()) == false,
                              device == nullptr ? VolumeKey() : VolumeKey(*device),
                              policy == nullptr ? UnmountPolicy::Force : policy_named(*policy)});
  }
  return record;
}

std::string encode_device_record(const DeviceRecord& record) {
  std::string out = R"({"version":)" + std::to_string(record_version);
  out += R"(,"volume":)" + json_string(record.key.str());
  out += R"(,"plugin":)" + json_string(record.plugin.str());
  out += R"(,"device":{"kind":)" + json_string(kind_names.at(static_cast<std::size_t>(record.device.kind)));
  out += R"(,"name":)" + json_string(record.device.value) + "}";
  out += R"(,"staged":)" + json_string(record.staged_path);
  if (record.capacity_bytes != 0) out += R"(,"capacity":)" + std::to_string(record.capacity_bytes);
  return out + "}\n";
}

Result<DeviceRecord> decode_device_record(std::string_view bytes) {
  const nlohmann::json document = nlohmann::json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return bad_record("not a JSON object");
  const auto version = document.find("version");
  if (version == document.end() || !version->is_number_integer() || *version != record_version) {
    return bad_record("its version is not " + std::to_string(record_version));
  }
  const std::string* key = string_member(document, "volume");
  const std::string* plugin = string_member(document, "plugin");
  const std::string* staged = string_member(document, "staged");
  const auto capacity = document.find("capacity");
  const auto device = document.find("device");
  if (key == nullptr || key->empty() || plugin == nullptr || staged == nullptr || device == document.end() ||
      !device->is_object()) {
    return bad_record("volume, plugin, device or staged is missing");
  }
  const std::string* kind = string_member(*device, "kind");
  const std::string* name = string_member(*device, "name");
  if (kind == nullptr || name == nullptr) return bad_record("the device lacks kind or name");
  const auto known = std::find(kind_names.begin(), kind_names.end(), *kind);
  if (known == kind_names.end())
    return bad_record("the device is of the unknown kind " + mooring::quoted(*kind));
  DeviceRecord record{VolumeKey(*key), PluginName(*plugin), {}, *staged, 0};
  if (capacity != document.end() && capacity->is_number_unsigned()) record.capacity_bytes = *capacity;
  record.device = {static_cast<DeviceName::Kind>(known - kind_names.begin()), *name};
  return record;
}

}  // namespace mooring
