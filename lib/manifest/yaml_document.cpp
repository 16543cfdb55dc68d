#include "manifest/yaml_document.h"

#include <libfyaml.h>

#include <algorithm>
#include <set>

#include "base/quote.h"

namespace mooring::manifest {
namespace {

struct ParserDeleter {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DocumentDeleter {
  void operator()(fy_document* document) const { fy_document_destroy(document); }
};
struct DiagnosticDeleter {
  void operator()(fy_diag* diagnostic) const { fy_diag_destroy(diagnostic); }
};

/// Where the first byte that is not UTF-8 stands; nullopt if all is.
std::optional<std::pair<std::uint32_t, std::uint32_t>> first_bad_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::nullopt;
  std::uint32_t line = 0;
  while (true) {
    const std::size_t end = text.find('\n');
    if (!is_valid_utf8(text.substr(0, end)) || end == std::string_view::npos) return std::pair{line, 0U};
    text.remove_prefix(end + 1);
    ++line;
  }
}

/// The first control character that YAML does not allow (YAML 1.1, 5.1, c-printable), which the library takes
/// and trips over; nullopt if there is none. `text` is UTF-8.
std::optional<YamlError> first_control(std::string_view text, std::uint32_t first_line) {
  std::uint32_t line = first_line;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      ++line;
      line_start = i + 1;
    }
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    const bool is_c0 = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    const bool is_c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0 && next != 0x85;
    if (is_c0 || is_c1 || byte == 0x7F) {
      return YamlError{
          "not valid YAML: control characters are not allowed; write them escaped, in double quotes", line,
          static_cast<std::uint32_t>(i - line_start + 1)};
    }
  }
  return std::nullopt;
}

/// Copies the library's tree into nodes, aliases expanded.
class Builder {
 public:
  Builder(std::vector<YamlNode>& nodes, std::uint32_t first_line, const YamlLimits& limits)
      : nodes_(nodes), first_line_(first_line), limits_(limits) {}

  std::optional<YamlError> error;

  std::uint32_t add(fy_node* source, std::size_t depth, bool in_alias) {
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    place(source, index);
    if (depth > limits_.depth_max)
      return fail(index, "nested deeper than " + std::to_string(limits_.depth_max) + " levels");
    if (in_alias && ++alias_nodes_ > limits_.alias_nodes_max) {
      return fail(index, "aliases expand to more than " + std::to_string(limits_.alias_nodes_max) + " nodes");
    }
    if (fy_node_is_alias(source)) {
      fy_node* target = fy_node_resolve_alias(source);
      if (target == nullptr) return fail(index, "alias of an anchor that is not in this document");
      nodes_.pop_back();
      return add(target, depth + 1, true);
    }
    switch (fy_node_get_type(source)) {
      case FYNT_SCALAR:
        add_scalar(source, index);
        break;
      case FYNT_SEQUENCE:
        add_sequence(source, index, depth, in_alias);
        break;
      case FYNT_MAPPING:
        add_mapping(source, index, depth, in_alias);
        break;
    }
    return index;
  }

 private:
  std::uint32_t fail(std::uint32_t index, std::string message) {
    if (!error) error = YamlError{std::move(message), nodes_[index].line, nodes_[index].column};
    return index;
  }

  /// A scalar stands where its token starts; a collection where its first scalar does.
  void place(fy_node* source, std::uint32_t index) {
    fy_token* token = fy_node_is_scalar(source) ? fy_node_get_scalar_token(source) : nullptr;
    const fy_mark* mark = token != nullptr ? fy_token_start_mark(token) : nullptr;
    if (mark == nullptr) return;
    nodes_[index].line = first_line_ + static_cast<std::uint32_t>(mark->line);
    nodes_[index].column = static_cast<std::uint32_t>(mark->column) + 1;
  }

  void inherit_place(std::uint32_t index, std::uint32_t from) {
    if (nodes_[index].line != 0) return;
    nodes_[index].line = nodes_[from].line;
    nodes_[index].column = nodes_[from].column;
  }

  void add_scalar(fy_node* source, std::uint32_t index) {
    YamlNode& node = nodes_[index];
    std::size_t length = 0;
    const char* text = fy_node_get_scalar(source, &length);
    if (text != nullptr) node.text = std::string_view(text, length);
    if (node.text.find('\0') != std::string_view::npos) fail(index, "a text must not have a NUL character");
    std::size_t tag_length = 0;
    const char* tag = fy_node_get_tag(source, &tag_length);
    const bool is_string = tag != nullptr && std::string_view(tag, tag_length) == "tag:yaml.org,2002:str";
    const fy_node_style style = fy_node_get_style(source);
    node.is_plain = style == FYNS_PLAIN && !is_string;
    node.is_closed = style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED;
  }

  void add_sequence(fy_node* source, std::uint32_t index, std::size_t depth, bool in_alias) {
    nodes_[index].kind = YamlNode::Kind::Sequence;
    nodes_[index].is_closed = fy_node_get_style(source) == FYNS_FLOW;
    void* position = nullptr;
    std::vector<std::uint32_t> children;
    while (fy_node* item = fy_node_sequence_iterate(source, &position)) {
      children.push_back(add(item, depth + 1, in_alias));
      if (error) return;
    }
    if (!children.empty()) inherit_place(index, children.front());
    nodes_[index].children = std::move(children);
  }

  void add_mapping(fy_node* source, std::uint32_t index, std::size_t depth, bool in_alias) {
    nodes_[index].kind = YamlNode::Kind::Mapping;
    nodes_[index].is_closed = fy_node_get_style(source) == FYNS_FLOW;
    void* position = nullptr;
    std::set<std::string_view> keys;  // The library compares each key with each other.
    std::vector<std::uint32_t> children;
    while (fy_node_pair* pair = fy_node_mapping_iterate(source, &position)) {
      fy_node* key = fy_node_pair_key(pair);
      fy_node* value = fy_node_pair_value(pair);
      if (key == nullptr || !fy_node_is_scalar(key) || fy_node_is_alias(key)) {
        fail(index, "a key of a mapping is not a plain scalar");
        return;
      }
      const std::uint32_t key_index = add(key, depth + 1, in_alias);
      children.push_back(key_index);
      if (error) return;
      if (!keys.insert(nodes_[key_index].text).second) {
        fail(key_index, "duplicate key " + quoted(nodes_[key_index].text));
        return;
      }
      if (value != nullptr) {
        children.push_back(add(value, depth + 1, in_alias));
      } else {
        children.push_back(static_cast<std::uint32_t>(nodes_.size()));
        nodes_.emplace_back().is_plain = true;
      }
      inherit_place(children.back(), key_index);
      if (error) return;
      if (nodes_[key_index].is_plain && nodes_[key_index].text == "<<") {
        fail(key_index, "merge keys (<<) are not used in manifests: write the fields out");
        return;
      }
    }
    if (!children.empty()) inherit_place(index, children.front());
    nodes_[index].children = std::move(children);
  }

  std::vector<YamlNode>& nodes_;
  std::uint32_t first_line_;
  const YamlLimits& limits_;
  std::size_t alias_nodes_ = 0;
};

bool is_marker(std::string_view line, std::string_view marker) {
  return line.starts_with(marker) &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

/// True if the text has more than blanks, comments, directives and document markers.
bool has_content(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == 0 && (is_marker(line, "---") || is_marker(line, "..."))) {
      line.remove_prefix(3);
      const std::size_t rest = line.find_first_not_of(" \t\r");
      if (rest != std::string_view::npos && line[rest] != '#') return true;
    } else if (start != std::string_view::npos && line[start] != '#' && !(start == 0 && line[0] == '%')) {
      return true;
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return false;
}

}  // namespace

struct YamlDocument::Library {
  std::unique_ptr<fy_diag, DiagnosticDeleter> diagnostic;
  std::unique_ptr<fy_parser, ParserDeleter> parser;
  std::unique_ptr<fy_document, DocumentDeleter> document;

  /// The first thing that the library found wrong.
  YamlError first_error(std::uint32_t first_line) const {
    void* position = nullptr;
    const fy_diag_error* first = fy_diag_errors_iterate(diagnostic.get(), &position);
    if (first == nullptr) return {"not valid YAML", first_line, 1};
    const auto line = static_cast<std::uint32_t>(std::max(first->line, 1));
    return {std::string("not valid YAML: ") + (first->msg != nullptr ? first->msg : "unknown error"),
            first_line + line - 1, static_cast<std::uint32_t>(std::max(first->column, 1))};
  }
};

YamlDocument::YamlDocument(std::string_view text, std::uint32_t first_line, const YamlLimits& limits)
    : library_(std::make_unique<Library>()) {
  if (const auto bad = first_bad_utf8(text)) {
    error_ = YamlError{"the text is not valid UTF-8", first_line + bad->first, 1};
    return;
  }
  error_ = first_control(text, first_line);
  if (error_) return;
  if (!has_content(text)) return;  // To the library no document is a failure without a message.
  fy_diag_cfg diagnostic_options;
  fy_diag_cfg_default(&diagnostic_options);
  diagnostic_options.fp = nullptr;
  library_->diagnostic.reset(fy_diag_create(&diagnostic_options));
  fy_diag_set_collect_errors(library_->diagnostic.get(), true);
  fy_parse_cfg options{};
  options.flags =
      static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_1 | FYPCF_ALLOW_DUPLICATE_KEYS);
  options.diag = library_->diagnostic.get();
  library_->parser.reset(fy_parser_create(&options));
  if (!library_->parser || fy_parser_set_string(library_->parser.get(), text.data(), text.size()) != 0) {
    error_ = YamlError{"the YAML library has no memory", first_line, 1};
    return;
  }
  library_->document.reset(fy_parse_load_document(library_->parser.get()));
  if (!library_->document) {
    error_ = library_->first_error(first_line);
    return;
  }
  // Whatever stands behind the document must not be taken for nothing: it may be another one.
  const std::unique_ptr<fy_document, DocumentDeleter> next(fy_parse_load_document(library_->parser.get()));
  if (next || fy_parser_get_stream_error(library_->parser.get())) {
    error_ = library_->first_error(first_line);
    error_->message = "more text behind the end of the document: a line `---` must stand between documents";
    return;
  }
  fy_node* root = fy_document_root(library_->document.get());
  if (root == nullptr) return;
  Builder builder(nodes_, first_line, limits);
  builder.add(root, 1, false);
  error_ = std::move(builder.error);
}

YamlDocument::~YamlDocument() = default;

std::vector<YamlPiece> split_documents(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<YamlPiece> pieces;
  std::size_t piece_start = 0;
  std::uint32_t piece_line = 1;
  std::uint32_t line_number = 1;
  const auto close = [&](std::size_t end, bool is_last) {
    const std::string_view piece = text.substr(piece_start, end - piece_start);
    if (has_content(piece)) pieces.push_back({piece, piece_line, is_last});
  };
  for (std::size_t start = 0; start < text.size(); ++line_number) {
    const std::size_t newline = text.find('\n', start);
    const std::size_t end = newline == std::string_view::npos ? text.size() : newline;
    const std::string_view line = text.substr(start, end - start);
    const bool starts = is_marker(line, "---");
    if (starts || is_marker(line, "...")) {
      close(start, false);
      // What follows the marker on its own line belongs to the document: "--- {a: b}".
      piece_start = std::min(start + 3, text.size());
      piece_line = line_number;
    }
    start = newline == std::string_view::npos ? text.size() : newline + 1;
  }
  close(text.size(), true);
  return pieces;
}

}  // namespace mooring::manifest
