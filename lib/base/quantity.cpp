#include "base/quantity.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/quote.h"

namespace mooring {
namespace {

__extension__ using Wide = __int128;

constexpr Wide nano_per_unit = 1'000'000'000;
// 1.7e38 fits __int128; values are kept below a tenth of that so that sums of a few cannot overflow.
constexpr Wide wide_max = static_cast<Wide>(1) << 123;

struct Suffix {
  std::string_view text;
  int power_of_ten;  ///< Of a decimal suffix.
  int power_of_two;  ///< Of a binary suffix; 0 for a decimal one.
};
constexpr std::array<Suffix, 16> suffixes{{{"n", -9, 0},
                                           {"u", -6, 0},
                                           {"m", -3, 0},
                                           {"", 0, 0},
                                           {"k", 3, 0},
                                           {"M", 6, 0},
                                           {"G", 9, 0},
                                           {"T", 12, 0},
                                           {"P", 15, 0},
                                           {"E", 18, 0},
                                           {"Ki", 0, 10},
                                           {"Mi", 0, 20},
                                           {"Gi", 0, 30},
                                           {"Ti", 0, 40},
                                           {"Pi", 0, 50},
                                           {"Ei", 0, 60}}};

Error invalid(std::string_view text, std::string_view why) {
  Error error;
  error.kind = ErrorKind::Final;
  error.reason = "InvalidQuantity";
  error.message = quoted(text) + " is not a quantity: " + std::string(why);
  error.remedy = "write a number with an optional suffix, as in 128Mi, 1.5Gi, 100m or 1e3";
  return error;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Digits around a decimal point: the digits as one number, and how many of them stand behind the point.
struct Decimal {
  Wide digits = 0;
  int scale = 0;
  bool is_valid = false;
  bool is_too_large = false;
  bool lost_a_nonzero_digit = false;  ///< Behind the 18th decimal place: matters only for rounding up.
};

Decimal read_decimal(std::string_view& text) {
  Decimal number;
  bool after_point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !after_point) {
      after_point = true;
    } else if (is_digit(c)) {
      number.is_valid = true;
      if (after_point && number.scale >= 18) {
        number.lost_a_nonzero_digit |= c != '0';
        continue;
      }
      number.digits = number.digits * 10 + (c - '0');
      if (after_point) ++number.scale;
      if (number.digits > wide_max / 16) number.is_too_large = true;
      if (number.is_too_large) number.digits = wide_max / 16;
    } else {
      break;
    }
  }
  text.remove_prefix(i);
  return number;
}

/// An exponent ("e3", "E-2"); false if `text` is not one. "E" alone is the suffix for 10^18.
bool read_exponent(std::string_view text, int& power) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return false;
  text.remove_prefix(1);
  const bool is_negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  power = 0;
  for (const char c : text)
    power = power * 10 + (c - '0');
  if (is_negative) power = -power;
  return true;
}

std::int64_t saturate(Wide value) {
  constexpr Wide low = std::numeric_limits<std::int64_t>::min();
  constexpr Wide high = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp(value, low, high));
}

/// The quotient rounded up (towards plus infinity); `divisor` is positive.
Wide divide_up(Wide value, Wide divisor) {
  const Wide quotient = value / divisor;
  return value % divisor > 0 ? quotient + 1 : quotient;
}

std::string wide_text(Wide value) {
  if (value == 0) return "0";
  std::string out;
  const bool is_negative = value < 0;
  for (; value != 0; value /= 10) {
    const int digit = static_cast<int>(value % 10);
    out += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  if (is_negative) out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

Result<Quantity> Quantity::parse(std::string_view text) {
  const std::string_view whole = text;
  if (text.empty()) return invalid(whole, "it is empty");
  if (text.size() > 64) return invalid(whole.substr(0, 64), "it is longer than 64 characters");
  const bool is_negative = text.front() == '-';
  if (text.front() == '-' || text.front() == '+') text.remove_prefix(1);
  const Decimal number = read_decimal(text);
  if (!number.is_valid) return invalid(whole, "it has no digits");
  Quantity quantity;
  int power_of_ten = 0;
  int power_of_two = 0;
  if (!read_exponent(text, power_of_ten)) {
    const auto suffix =
        std::find_if(suffixes.begin(), suffixes.end(), [&](const Suffix& s) { return s.text == text; });
    if (suffix == suffixes.end()) return invalid(whole, "unknown suffix " + quoted(text));
    power_of_ten = suffix->power_of_ten;
    power_of_two = suffix->power_of_two;
    quantity.binary_ = power_of_two != 0;
  }
  Wide value = number.digits;
  bool is_too_large = number.is_too_large;
  bool has_rest = number.lost_a_nonzero_digit;
  for (int i = 0; i < power_of_two && value != 0; ++i) {
    if (value > wide_max / 2) is_too_large = true;
    if (!is_too_large) value *= 2;
  }
  for (int power = power_of_ten - number.scale + 9; power != 0 && value != 0; power += power > 0 ? -1 : 1) {
    if (power > 0) {
      if (value > wide_max / 10) is_too_large = true;
      if (is_too_large) break;
      value *= 10;
    } else {
      has_rest |= value % 10 != 0;
      value /= 10;
    }
  }
  if (is_too_large || value > wide_max) return invalid(whole, "it is too large");
  if (has_rest && !is_negative) ++value;
  quantity.nano_ = is_negative ? -value : value;
  return quantity;
}

Quantity Quantity::from_integer(std::int64_t value) {
  Quantity quantity;
  quantity.nano_ = static_cast<Wide>(value) * nano_per_unit;
  return quantity;
}

std::int64_t Quantity::rounded_up() const {
  return saturate(divide_up(nano_, nano_per_unit));
}

std::int64_t Quantity::divided_rounded_up(const Quantity& divisor) const {
  if (divisor.nano_ <= 0) return rounded_up();
  return saturate(divide_up(nano_, divisor.nano_));
}

std::string Quantity::text() const {
  if (nano_ % nano_per_unit != 0) {
    if (nano_ % 1'000'000 == 0) return wide_text(nano_ / 1'000'000) + "m";
    if (nano_ % 1'000 == 0) return wide_text(nano_ / 1'000) + "u";
    return wide_text(nano_) + "n";
  }
  Wide value = nano_ / nano_per_unit;
  constexpr std::array<std::string_view, 7> binary{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  constexpr std::array<std::string_view, 7> decimal{"", "k", "M", "G", "T", "P", "E"};
  const Wide step = binary_ ? 1024 : 1000;
  std::size_t power = 0;
  while (value != 0 && value % step == 0 && power + 1 < binary.size()) {
    value /= step;
    ++power;
  }
  return wide_text(value) + std::string(binary_ ? binary[power] : decimal[power]);
}

Quantity operator+(const Quantity& a, const Quantity& b) {
  Quantity sum = a;
  sum.nano_ = std::clamp(a.nano_ + b.nano_, -wide_max, wide_max);
  sum.binary_ = a.binary_ || b.binary_;
  return sum;
}

}  // namespace mooring
