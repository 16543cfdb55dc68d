#include "csi/answers.h"

#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "csi/names.h"

namespace mooring::csi {
namespace {

using nlohmann::json;

// More than any driver has reason to say; what is beyond is passed over.
constexpr std::size_t items_max = 256;
constexpr std::size_t text_bytes_max = 4096;

Error bad_answer(const std::string& what) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "BadAnswer";
  error.message = "the driver's answer is none: " + what;
  error.remedy = "see the driver's log, and whether its version speaks CSI 1; Mooring tries again by itself";
  return error;
}

Result<json> parsed(std::string_view response) {
  // An answer without any field is an empty message.
  if (response.empty()) return json::object();
  json object = json::parse(response, nullptr, false);
  if (object.is_object()) return object;
  return bad_answer("it is no JSON object");
}

const json& member(const json& object, const char* key) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text_of(const json& object, const char* key) {
  const json& value = member(object, key);
  if (!value.is_string() || value.get_ref<const std::string&>().size() > text_bytes_max) return {};
  return value.get<std::string>();
}

/// A number of 64 bits is a string in protobuf's JSON; a number counts too.
std::optional<std::int64_t> number_of(const json& object, const char* key) {
  const json& value = member(object, key);
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::uint64_t amount_of(const json& object, const char* key) {
  const std::int64_t number = number_of(object, key).value_or(0);
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

template <class Act>
void each(const json& list, const Act& act) {
  if (!list.is_array()) return;
  std::size_t count = 0;
  for (const json& item : list) {
    if (++count > items_max) return;
    act(item);
  }
}

/// An enum's value is its name; printed by its number it counts too.
bool is_named(const json& value, std::string_view name, int number) {
  if (value.is_string()) return value.get_ref<const std::string&>() == name;
  return value.is_number_integer() && value.get<std::int64_t>() == number;
}

}  // namespace

Result<StatsAnswer> volume_stats(std::string_view response) {
  MOORING_TRY(const json object, parsed(response));
  StatsAnswer answer;
  FileSystemUsage usage;
  bool has_bytes = false;
  each(member(object, "usage"), [&](const json& item) {
    const json& unit = member(item, "unit");
    if (is_named(unit, "BYTES", 1)) {
      has_bytes = true;
      usage.capacity_bytes = amount_of(item, "total");
      usage.used_bytes = amount_of(item, "used");
      usage.available_bytes = amount_of(item, "available");
    } else if (is_named(unit, "INODES", 2)) {
      usage.inodes = amount_of(item, "total");
      usage.inodes_used = amount_of(item, "used");
      usage.inodes_free = amount_of(item, "available");
    }
  });
  if (has_bytes) answer.usage = usage;
  if (const json& condition = member(object, "volume_condition"); condition.is_object()) {
    const json& abnormal = member(condition, "abnormal");
    answer.condition = CsiCondition{abnormal.is_boolean() && abnormal.get<bool>(),
                                    bounded_message(text_of(condition, "message"))};
  }
  return answer;
}

Result<std::uint64_t> expanded_bytes(std::string_view response) {
  MOORING_TRY(const json object, parsed(response));
  return amount_of(object, "capacity_bytes");
}

}  // namespace mooring::csi
