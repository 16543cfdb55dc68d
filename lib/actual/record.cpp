#include "actual/record.h"

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
    record.volumes.push_back({VolumeName(*volume), PluginName(*plugin), VolumeDirectory(*directory),
                              shape == nullptr ? std::string() : *shape,
                              entry.value("shared", nlohmann::json()) == true,
                              entry.value("complete", nlohmann::json()) == false});
  }
  return record;
}

}  // namespace mooring
