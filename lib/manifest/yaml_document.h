#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mooring::manifest {

/// A node of a YAML document, with where it stands. Scalars are not resolved: what `0644` or `yes` means
/// depends on the field that it is given for (scalar.h).
struct YamlNode {
  enum class Kind : std::uint8_t { Scalar, Sequence, Mapping };
  Kind kind = Kind::Scalar;
  bool is_plain = false;     ///< A scalar without quotes and without a tag that says it is a string.
  bool is_closed = false;    ///< In quotes or brackets: no text that follows can belong to it.
  std::uint32_t line = 0;    ///< In the file, from 1.
  std::uint32_t column = 0;  ///< From 1.
  std::string_view text;     ///< Of a scalar; lives as long as the document.
  std::vector<std::uint32_t> children;  ///< Of a sequence: the items. Of a mapping: key, value, key, value...
};

struct YamlLimits {
  std::size_t depth_max = 64;
  std::size_t alias_nodes_max = 10'000;
};

/// Why a document could not be read.
struct YamlError {
  std::string message;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// One YAML (or JSON) document as a tree of nodes, aliases expanded within the budget. Duplicate keys, keys
/// that are no scalars, too much depth, NUL characters, invalid UTF-8 and a second document are errors. The
/// one place that knows the YAML library.
class YamlDocument {
 public:
  /// `text` must outlive the document. `first_line`: the file's line of the text's first line, from 1.
  YamlDocument(std::string_view text, std::uint32_t first_line, const YamlLimits& limits);
  ~YamlDocument();
  YamlDocument(const YamlDocument&) = delete;
  YamlDocument& operator=(const YamlDocument&) = delete;

  const std::optional<YamlError>& error() const { return error_; }
  /// True if there is nothing in the document (only comments, say).
  bool is_empty() const { return nodes_.empty(); }
  const YamlNode& root() const { return nodes_.front(); }
  const YamlNode& node(std::uint32_t index) const { return nodes_[index]; }

 private:
  struct Library;
  std::vector<YamlNode> nodes_;
  std::optional<YamlError> error_;
  std::unique_ptr<Library> library_;
};

/// A piece of a file: one document's text and the line it starts on.
struct YamlPiece {
  std::string_view text;
  std::uint32_t first_line = 1;
  bool is_last = false;  ///< It goes to the end of the file, with no marker behind it: it may have been cut.
};

/// Splits a stream into documents at its `---` (and `...`) lines, so that one that is broken cannot hide the
/// others (YAML 1.2, 9.1.4: a line that starts with `---` always starts a document). Pieces of only blanks
/// and comments are left out.
std::vector<YamlPiece> split_documents(std::string_view text);

}  // namespace mooring::manifest
