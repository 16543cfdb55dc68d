#include "output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/quote.h"

namespace mooring::ctl {
namespace {

bool color_is_on = false;

constexpr std::string_view red = "31";
constexpr std::string_view green = "32";
constexpr std::string_view yellow = "33";
constexpr std::string_view bold = "1";

std::string with(std::string_view code, std::string_view text) {
  if (!color_is_on) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

/// How many columns a UTF-8 text takes, near enough: a character each.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }));
}

bool is_plain_yaml(const std::string& text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  if (text.empty() || (letters.find(text[0]) == std::string_view::npos && text[0] != '/')) return false;
  const std::string allowed = std::string(letters) + "0123456789/._-";
  if (text.find_first_not_of(allowed) != std::string::npos) return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const char* word : {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}) {
    if (lower == word) return false;
  }
  return true;
}

std::string yaml_scalar(const Json& value) {
  if (!value.is_string()) return value.is_structured() ? (value.is_array() ? "[]" : "{}") : value.dump();
  const auto& text = value.get_ref<const std::string&>();
  return is_plain_yaml(text) ? text : json_string(text);
}

void append_yaml(std::string& out, const Json& value, std::size_t indent);

/// What stands after "key:" or "- ".
void append_member(std::string& out, const Json& value, std::size_t indent, bool in_list) {
  if (!value.is_structured() || value.empty()) {
    out += (in_list ? "" : " ") + yaml_scalar(value) + "\n";
    return;
  }
  std::string inner;
  append_yaml(inner, value, in_list ? indent + 2 : (value.is_array() ? indent : indent + 2));
  if (in_list) {
    out += inner.substr(indent + 2);
  } else {
    out += "\n" + inner;
  }
}

void append_yaml(std::string& out, const Json& value, std::size_t indent) {
  const std::string margin(indent, ' ');
  if (value.is_array()) {
    for (const Json& item : value) {
      out += margin + "- ";
      append_member(out, item, indent, true);
    }
    return;
  }
  for (const auto& [key, member] : value.items()) {
    out += margin + (is_plain_yaml(key) ? key : json_string(key)) + ":";
    append_member(out, member, indent, false);
  }
}

}  // namespace

void set_color(ColorMode mode) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool is_unwanted = no_color != nullptr && *no_color != '\0';
  color_is_on =
      mode == ColorMode::Always || (mode == ColorMode::Auto && !is_unwanted && isatty(STDOUT_FILENO) == 1);
}

std::string paint(Phase phase, std::string_view text) {
  if (phase == Phase::Ready) return with(green, text);
  return with(phase == Phase::Stuck ? red : yellow, text);
}

std::string paint_good(std::string_view text) {
  return with(green, text);
}

std::string paint_bad(std::string_view text) {
  return with(red, text);
}

std::string paint_bold(std::string_view text) {
  return with(bold, text);
}

void answer(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void message(std::string_view text) {
  std::fflush(stdout);
  const std::string line = "mooringctl: " + clean(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string to_yaml(const Json& document) {
  if (!document.is_structured() || document.empty()) return yaml_scalar(document) + "\n";
  std::string out;
  append_yaml(out, document, 0);
  return out;
}

void print_document(const Json& document, Format format) {
  if (format == Format::Yaml) return answer(to_yaml(document));
  // Of what a terminal obeys, dump() leaves DEL and C1 as they are; in JSON they are only ever in strings.
  const std::string text = document.dump(2, ' ', false, Json::error_handler_t::replace);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte == 0xc2 && next < 0xa0) {
      out += fmt::format("\\u{:04x}", next);
      ++i;
    } else if (byte == 0x7f) {
      out += "\\u007f";
    } else {
      out += text[i];
    }
  }
  answer(out + "\n");
}

Table::Table(std::vector<std::string> head) : head_(std::move(head)) {}

void Table::row(std::vector<std::string> cells) {
  row(std::move(cells), SIZE_MAX, Phase::Ready);
}

void Table::row(std::vector<std::string> cells, std::size_t painted, Phase phase) {
  for (std::string& cell : cells)
    cell = cell.empty() ? "-" : clean(cell);
  rows_.push_back({std::move(cells), painted, phase});
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const std::string& cell : head_)
    widths.push_back(width(cell));
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      widths[i] = std::max(widths[i], width(row.cells[i]));
  }
  std::string out;
  const auto append = [&](const Row& row, bool is_head) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const std::string& cell = row.cells[i];
      if (is_head) {
        out += paint_bold(cell);
      } else {
        out += i == row.painted ? paint(row.phase, cell) : cell;
      }
      if (i + 1 < row.cells.size()) out.append(widths[i] - width(cell) + 2, ' ');
    }
    out += '\n';
  };
  append({head_, SIZE_MAX, Phase::Ready}, true);
  for (const Row& row : rows_)
    append(row, false);
  return out;
}

std::string size_text(const std::optional<std::uint64_t>& bytes) {
  constexpr std::array units{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  constexpr double step = 1024;
  if (!bytes) return "-";
  auto number = static_cast<double>(*bytes);
  std::size_t unit = 0;
  for (; number >= step && unit + 1 < units.size(); ++unit)
    number /= step;
  const bool is_whole = number >= 10 || number == std::floor(number);
  return fmt::format("{:.{}f}{}", number, is_whole ? 0 : 1, units[unit]);
}

WallTime now_wall() {
  return {std::chrono::system_clock::now().time_since_epoch()};
}

std::string age(WallTime since) {
  if (since.since_epoch <= Duration::zero()) return "-";
  const Duration passed = now_wall().since_epoch - since.since_epoch;
  return human_duration(std::max(passed, Duration::zero()));
}

std::string next_try(const VolumeStatus& volume) {
  return next_try(volume.next_retry);
}

std::string next_try(const std::optional<WallTime>& when) {
  if (!when) return "-";
  const Duration rest = when->since_epoch - now_wall().since_epoch;
  return rest <= Duration::zero() ? "now" : "in " + human_duration(rest);
}

}  // namespace mooring::ctl
