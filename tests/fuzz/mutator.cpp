#include "mutator.h"

#include <array>
#include <string_view>

namespace mooring::fuzz {
namespace {

constexpr std::size_t size_max = 64 * 1024;

/// Bytes and words that mean something in one of the formats.
constexpr std::array<std::string_view, 34> words{
    "\xff", "\x7f", "\x80", "\n",  " ", "\t", "\\",   "\\0", "\\040", "\"",     "'",  "{",
    "}",    "[",    "]",    ":",   ",", "-",  "- ",   "---", "\n---", "&a ",    "*a", "!!binary ",
    "|\n",  ">",    "~",    "../", "/", "#",  "null", "1e9", "Ei",    "\\u0000"};

std::size_t position(const std::string& text, Random& random) {
  return static_cast<std::size_t>(random.below(text.size() + 1));
}

std::string some_range(const std::string& text, Random& random) {
  const std::size_t begin = position(text, random);
  return text.substr(begin, static_cast<std::size_t>(random.below(random.chance(4) ? 512 : 16)));
}

void change(std::string& text, const std::vector<std::string>& seeds, Random& random) {
  const std::size_t at = position(text, random);
  switch (random.below(9)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (at < text.size()) text[at] = static_cast<char>(random.below(256));
      break;
    case 2:
      if (at < text.size()) text[at] = random.chance(2) ? '\0' : '\xff';
      break;
    case 3:
      text.insert(at, words[static_cast<std::size_t>(random.below(words.size()))]);
      break;
    case 4:
      text.erase(at, static_cast<std::size_t>(random.below(random.chance(4) ? 512 : 8)));
      break;
    case 5:
      text.insert(at, some_range(text, random));
      break;
    case 6:
      text.insert(at, some_range(seeds[static_cast<std::size_t>(random.below(seeds.size()))], random));
      break;
    case 7:
      if (random.chance(4)) text.resize(at);
      break;
    default:
      if (at < text.size()) text[at] = static_cast<char>(text[at] + (random.chance(2) ? 1 : -1));
      break;
  }
}

}  // namespace

std::string mutated(const std::vector<std::string>& seeds, Random& random) {
  std::string text = seeds[static_cast<std::size_t>(random.below(seeds.size()))];
  for (std::uint64_t changes = 1 + random.below(6); changes != 0; --changes)
    change(text, seeds, random);
  if (text.size() > size_max) text.resize(size_max);
  return text;
}

}  // namespace mooring::fuzz
