#include "csi/controller_answers.h"

#include <algorithm>
#include <optional>

#include "csi/controller_errors.h"
#include "csi/json_reader.h"

namespace mooring::csi {
namespace {

using json_reader::json;
using json_reader::member;

constexpr std::size_t answer_bytes_max = 1024 * 1024;
constexpr std::size_t id_bytes_max = 1024;
constexpr std::size_t map_bytes_max = 64 * 1024;
constexpr std::size_t items_max = 256;

bool has_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

/// Reads one answer. What is wrong with it is kept, the first of all, and told at the end.
class Reader {
 public:
  Reader(ControllerCall call, std::string_view response) : call_(call) {
    if (response.size() > answer_bytes_max) {
      fail("it is longer than 1 MiB");
      return;
    }
    root_ = json_reader::parsed(response);
    if (!root_.is_object()) fail("it is no JSON object");
  }

  const json& root() const { return root_; }

  /// A name that the driver gave to what it made; every later call is with it, so it is whole or nothing.
  std::string id(const json& object, const char* key) {
    const json& value = member(object, key);
    if (!value.is_string()) return {};
    const auto& text = value.get_ref<const std::string&>();
    const bool is_plain = std::none_of(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
    if (text.size() <= id_bytes_max && is_plain) return text;
    fail(std::string("its ") + key + " is too long, or has control characters");
    return {};
  }

  std::string required_id(const json& object, const char* key) {
    std::string text = id(object, key);
    if (text.empty()) fail(std::string("it names no ") + key);
    return text;
  }

  /// A context goes to every later call as it is: half of one may be worse than none.
  std::map<std::string, std::string> texts(const json& object, const char* key) {
    const json& value = member(object, key);
    std::map<std::string, std::string> found;
    if (value.is_null()) return found;
    std::size_t size = 0;
    bool is_good = value.is_object() && value.size() <= items_max;
    if (is_good) {
      for (const auto& [name, item] : value.items()) {
        is_good = is_good && item.is_string();
        if (!is_good) break;
        // It is written down as YAML, which has no such character.
        is_good = !has_nul(name) && !has_nul(item.get_ref<const std::string&>());
        size += name.size() + item.get_ref<const std::string&>().size();
        found[name] = item.get<std::string>();
      }
    }
    if (is_good && size <= map_bytes_max) return found;
    fail(std::string("its ") + key + " is no map of texts, has a NUL character, or is longer than 64 KiB");
    return {};
  }

  static std::uint64_t amount(const json& object, const char* key) {
    return json_reader::amount(member(object, key));
  }

  static bool flag(const json& object, const char* key) {
    const json& value = member(object, key);
    return value.is_boolean() && value.get<bool>();
  }

  CsiContentSource source(const json& volume) {
    const json& from = member(volume, "content_source");
    if (const json& snapshot = member(from, "snapshot"); snapshot.is_object())
      return {CsiContentSource::Kind::Snapshot, id(snapshot, "snapshot_id")};
    if (const json& other = member(from, "volume"); other.is_object())
      return {CsiContentSource::Kind::Volume, id(other, "volume_id")};
    return {};
  }

  std::vector<CsiTopology> topologies(const json& volume) {
    std::vector<CsiTopology> found;
    const json& list = member(volume, "accessible_topology");
    if (!list.is_array()) return found;
    if (list.size() > items_max) fail("its accessible_topology has more than 256 places");
    for (std::size_t i = 0; i < list.size() && is_good(); ++i)
      found.push_back(texts(list[i], "segments"));
    return found;
  }

  bool is_good() const { return !error_; }
  void fail(const std::string& what) {
    if (!error_) error_ = bad_controller_answer(call_, what);
  }
  template <class T>
  Result<T> take(T value) const {
    if (error_) return *error_;
    return value;
  }

 private:
  ControllerCall call_;
  json root_ = json::object();
  std::optional<Error> error_;
};

/// "2026-11-21T09:30:00.25Z", as protobuf's JSON has a Timestamp; empty if it is none.
std::string timestamp(const json& object) {
  constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";
  const json& value = member(object, "creation_time");
  if (!value.is_string()) return {};
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() <= shape.size() || text.size() > shape.size() + 11 || text.back() != 'Z') return {};
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i]) return {};
  }
  const std::string_view fraction(text.data() + shape.size(), text.size() - shape.size() - 1);
  const bool is_fraction = fraction.empty() || (fraction.size() > 1 && fraction[0] == '.' &&
                                                std::all_of(fraction.begin() + 1, fraction.end(), is_digit));
  return is_fraction ? text : std::string();
}

}  // namespace

Result<CsiCreatedVolume> created_volume(std::string_view response) {
  Reader reader(ControllerCall::CreateVolume, response);
  const json& from = member(reader.root(), "volume");
  CsiCreatedVolume volume;
  volume.id = reader.required_id(from, "volume_id");
  volume.context = reader.texts(from, "volume_context");
  volume.capacity_bytes = Reader::amount(from, "capacity_bytes");
  volume.source = reader.source(from);
  volume.topology = reader.topologies(from);
  return reader.take(std::move(volume));
}

std::string why_unfit(const CsiVolumeRequest& request, const CsiCreatedVolume& volume) {
  if (volume.capacity_bytes != 0 && volume.capacity_bytes < request.required_bytes) {
    return "created volume capacity " + std::to_string(volume.capacity_bytes) +
           " less than requested capacity " + std::to_string(request.required_bytes);
  }
  if (request.source.kind != CsiContentSource::Kind::Nothing &&
      volume.source.kind == CsiContentSource::Kind::Nothing)
    return "volume content source missing";
  return {};
}

Result<CsiPublishContext> publish_context(std::string_view response) {
  Reader reader(ControllerCall::Publish, response);
  return reader.take(CsiPublishContext{reader.texts(reader.root(), "publish_context")});
}

Result<CsiExpansion> controller_expansion(std::string_view response) {
  const Reader reader(ControllerCall::Expand, response);
  return reader.take(CsiExpansion{Reader::amount(reader.root(), "capacity_bytes"),
                                  Reader::flag(reader.root(), "node_expansion_required")});
}

Result<CsiSnapshot> created_snapshot(std::string_view response) {
  Reader reader(ControllerCall::CreateSnapshot, response);
  const json& from = member(reader.root(), "snapshot");
  CsiSnapshot snapshot;
  snapshot.id = reader.required_id(from, "snapshot_id");
  snapshot.source_volume_id = reader.id(from, "source_volume_id");
  snapshot.size_bytes = Reader::amount(from, "size_bytes");
  snapshot.creation_time = timestamp(from);
  snapshot.is_ready = Reader::flag(from, "ready_to_use");
  return reader.take(std::move(snapshot));
}

}  // namespace mooring::csi
