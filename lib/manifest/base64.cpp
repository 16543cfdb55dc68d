#include "manifest/base64.h"

#include <cstdint>

namespace mooring::manifest {
namespace {

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int count = 0;
  int padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      if (++padding > 2 || count + padding < 3) return std::nullopt;
    } else {
      const int value = value_of(c);
      if (value < 0 || padding > 0) return std::nullopt;
      bits = bits << 6 | static_cast<std::uint32_t>(value);
      ++count;
    }
    if (count + padding < 4) continue;
    const std::uint32_t whole = bits << (6 * padding);
    out += static_cast<char>(whole >> 16 & 0xFF);
    if (padding < 2) out += static_cast<char>(whole >> 8 & 0xFF);
    if (padding < 1) out += static_cast<char>(whole & 0xFF);
    bits = 0;
    count = 0;
    if (padding > 0) padding = 3;  // Nothing may follow.
  }
  if (count != 0 || (padding != 0 && padding != 3)) return std::nullopt;
  return out;
}

}  // namespace mooring::manifest
