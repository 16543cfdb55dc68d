#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "options.h"
#include "status/status.h"

namespace mooring::ctl {

using Json = nlohmann::ordered_json;

/// Decides once whether colours are used: NO_COLOR and a terminal count for Auto only.
void set_color(ColorMode mode);
/// The text, coloured for how good the phase is. The words alone say all.
std::string paint(Phase phase, std::string_view text);
std::string paint_good(std::string_view text);
std::string paint_bad(std::string_view text);
std::string paint_bold(std::string_view text);

/// An answer, to stdout.
void answer(std::string_view text);
/// A line for the person, to stderr.
void message(std::string_view text);

/// Prints a JSON or YAML document, as the format says.
void print_document(const Json& document, Format format);
std::string to_yaml(const Json& document);

/// Columns of equal width. The last one is never padded.
class Table {
 public:
  explicit Table(std::vector<std::string> head);
  void row(std::vector<std::string> cells);
  /// As row(), with the phase's colour on one cell.
  void row(std::vector<std::string> cells, std::size_t painted, Phase phase);
  std::string text() const;
  bool is_empty() const { return rows_.empty(); }

 private:
  struct Row {
    std::vector<std::string> cells;
    std::size_t painted = SIZE_MAX;
    Phase phase = Phase::Ready;
  };
  std::vector<std::string> head_;
  std::vector<Row> rows_;
};

/// "1.5Gi", "512Mi", "17"; "-" if it is not known.
std::string size_text(const std::optional<std::uint64_t>& bytes);

WallTime now_wall();
/// "3m12s" since then; "-" if it is not known.
std::string age(WallTime since);
/// "in 18s", "now"; "-" without a next try.
std::string next_try(const VolumeStatus& volume);
std::string next_try(const std::optional<WallTime>& when);

}  // namespace mooring::ctl
