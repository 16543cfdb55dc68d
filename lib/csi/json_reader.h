#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace mooring::csi::json_reader {

// What the readers of answers have in common. A driver may answer anything: what is not as it should be is as
// if it were not there.

using nlohmann::json;

/// What a driver said; no object if it is no JSON object. Nothing at all is a message all of whose fields are
/// at their defaults.
inline json parsed(std::string_view response) {
  return response.empty() ? json::object() : json::parse(response, nullptr, /*allow_exceptions=*/false);
}

/// The member of an object; a null value if there is none.
inline const json& member(const json& object, const char* key) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

/// A text; empty if it is none, or longer.
inline std::string text(const json& value, std::size_t bytes_max) {
  if (!value.is_string() || value.get_ref<const std::string&>().size() > bytes_max) return {};
  return value.get<std::string>();
}

/// A number of 64 bits is a string in protobuf's JSON; a number counts too. 0: it is none.
inline std::int64_t number(const json& value) {
  if (value.is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value.get<std::uint64_t>(), INT64_MAX));
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return 0;
  const auto& digits = value.get_ref<const std::string&>();
  std::int64_t read = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), read);
  return failed == std::errc() && end == digits.data() + digits.size() ? read : 0;
}

/// The same of what cannot be below zero.
inline std::uint64_t amount(const json& value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number(value), 0));
}

/// An enum's value is its name; printed by its number it counts too.
inline bool is_named(const json& value, std::string_view name, std::int64_t its_number) {
  if (value.is_string()) return value.get_ref<const std::string&>() == name;
  return value.is_number_integer() && number(value) == its_number;
}

/// The elements of a list, as many as count; of what is no list none.
template <class Take>
void each(const json& list, std::size_t items_max, const Take& take) {
  if (!list.is_array()) return;
  for (std::size_t i = 0; i < list.size() && i < items_max; ++i)
    take(list[i]);
}

}  // namespace mooring::csi::json_reader
