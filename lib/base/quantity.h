#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mooring {

/// A Kubernetes quantity ("128Mi", "1.5", "100m", "1e3"), kept exactly as a number of billionths.
/// Grammar and suffixes: Kubernetes API reference, "Quantity" (k8s.io/apimachinery/pkg/api/resource).
/// Values finer than one billionth are rounded up, as Kubernetes does; values of ±2^123 billionths (1.06e28)
/// and beyond are refused.
class Quantity {
 public:
  Quantity() = default;

  /// Parses; the error (Final, "InvalidQuantity") says what is wrong with the text.
  static Result<Quantity> parse(std::string_view text);
  static Quantity from_integer(std::int64_t value);

  /// The value rounded up to a whole number (bytes, say); saturates at the ends of int64.
  std::int64_t rounded_up() const;
  /// The value divided by `divisor` (0 counts as 1), rounded up (downward API); saturates.
  std::int64_t divided_rounded_up(const Quantity& divisor) const;

  bool is_negative() const { return nano_ < 0; }
  bool is_zero() const { return nano_ == 0; }

  /// The canonical text: a binary suffix if the value was written with one and divides evenly, else decimal.
  std::string text() const;

  friend bool operator==(const Quantity& a, const Quantity& b) { return a.nano_ == b.nano_; }
  friend std::strong_ordering operator<=>(const Quantity& a, const Quantity& b) {
    return a.nano_ <=> b.nano_;
  }
  friend Quantity operator+(const Quantity& a, const Quantity& b);

 private:
  __extension__ using Wide = __int128;
  Wide nano_ = 0;
  bool binary_ = false;
};

}  // namespace mooring
