#include "manifest/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace mooring::manifest {
namespace {

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool is_null_scalar(std::string_view text) {
  constexpr std::array<std::string_view, 5> words{"", "~", "null", "Null", "NULL"};
  return is_one_of(words, text);
}

std::optional<bool> to_boolean(std::string_view text) {
  constexpr std::array<std::string_view, 11> yes{"true", "True", "TRUE", "yes", "Yes", "YES",
                                                 "on",   "On",   "ON",   "y",   "Y"};
  constexpr std::array<std::string_view, 11> no{"false", "False", "FALSE", "no", "No", "NO",
                                                "off",   "Off",   "OFF",   "n",  "N"};
  if (is_one_of(yes, text)) return true;
  if (is_one_of(no, text)) return false;
  return std::nullopt;
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::string digits;
  bool is_negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    is_negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  for (const char c : text) {
    if (c != '_') digits += c;
  }
  int base = 10;
  std::string_view rest = digits;
  if (rest.starts_with("0x") || rest.starts_with("0X")) base = 16;
  if (rest.starts_with("0b") || rest.starts_with("0B")) base = 2;
  if (rest.starts_with("0o") || rest.starts_with("0O")) base = 8;
  if (base != 10) {
    rest.remove_prefix(2);
  } else if (rest.size() > 1 && rest.front() == '0') {
    base = 8;
    rest.remove_prefix(1);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value, base);
  if (error != std::errc() || end != rest.data() + rest.size() || rest.empty()) return std::nullopt;
  constexpr std::uint64_t positive_max = INT64_MAX;
  if (value > positive_max + (is_negative ? 1 : 0)) return std::nullopt;
  return is_negative ? static_cast<std::int64_t>(~value + 1) : static_cast<std::int64_t>(value);
}

bool is_float(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  constexpr std::array<std::string_view, 6> words{".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
  if (is_one_of(words, text)) return true;
  std::size_t i = 0;
  std::size_t digits = 0;
  bool has_point = false;
  for (; i < text.size() && (is_digit(text[i]) || (text[i] == '.' && !has_point)); ++i) {
    has_point |= text[i] == '.';
    digits += is_digit(text[i]) ? 1 : 0;
  }
  if (digits == 0) return false;
  if (i == text.size()) return has_point;
  if (text[i] != 'e' && text[i] != 'E') return false;
  ++i;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  return i < text.size() && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_digit);
}

}  // namespace mooring::manifest
