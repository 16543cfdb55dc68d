#include "content/go_quote.h"

#include <fmt/format.h>
#include <unictype.h>
#include <unistr.h>

#include <cstdint>

namespace mooring {
namespace {

/// strconv.IsPrint: the categories L, M, N, P, S and the ASCII blank.
bool is_printable(ucs4_t rune) {
  constexpr std::uint32_t printable =
      UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_S;
  return rune == ' ' || uc_is_general_category_withtable(rune, printable);
}

void append_rune(std::string& out, ucs4_t rune, std::string_view bytes) {
  constexpr std::string_view named = "\a\b\f\n\r\t\v";
  constexpr std::string_view names = "abfnrtv";
  if (rune == '"' || rune == '\\') {
    out += '\\';
    out += bytes;
  } else if (is_printable(rune)) {
    out += bytes;
  } else if (rune < 0x80 && named.find(static_cast<char>(rune)) != std::string_view::npos) {
    out += '\\';
    out += names[named.find(static_cast<char>(rune))];
  } else if (rune < ' ' || rune == 0x7f) {
    out += fmt::format("\\x{:02x}", rune);
  } else if (rune < 0x10000) {
    out += fmt::format("\\u{:04x}", rune);
  } else {
    out += fmt::format("\\U{:08x}", rune);
  }
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    ucs4_t rune = 0;
    const int size = u8_mbtoucr(&rune, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    if (size <= 0) {  // Not UTF-8: this byte alone, as Go does.
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    append_rune(out, rune, text.substr(0, static_cast<std::size_t>(size)));
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return out + '"';
}

}  // namespace mooring
