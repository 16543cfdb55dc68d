#include "manifest/parse.h"

#include <algorithm>
#include <set>

#include "manifest/field.h"
#include "manifest/identify.h"
#include "manifest/kinds.h"
#include "manifest/yaml_document.h"

namespace mooring::manifest {
namespace {

class FileParser {
 public:
  FileParser(ParsedFile& out, const Limits& limits) : out_(out), limits_(limits) {}

  void parse(std::string_view bytes) {
    if (bytes.size() > limits_.file_bytes_max) {
      return refuse_file("the file is larger than " + std::to_string(limits_.file_bytes_max >> 20) + " MiB");
    }
    if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      // A file is empty while its writer has only opened it: no reason to take anything for deleted.
      out_.is_whole = false;
      return;
    }
    // A crash of the machine leaves zeros where the rest of a file should be.
    if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
      const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(nul), '\n');
      return refuse_file("the file has a NUL byte: it is no text in UTF-8, or was not written to its end",
                         static_cast<std::uint32_t>(line));
    }
    const std::vector<YamlPiece> pieces = split_documents(bytes);
    if (pieces.empty()) {
      out_.is_whole = false;
      out_.is_only_comments = true;
    }
    for (const YamlPiece& piece : pieces)
      parse_piece(piece);
  }

 private:
  void refuse_file(const std::string& why, std::uint32_t line = 0) {
    out_.is_whole = false;
    out_.diagnostics.push_back(
        {Diagnostic::Severity::Error, {out_.file, line, line == 0 ? 0U : 1U}, {}, why + "; it is not read"});
  }

  void parse_piece(const YamlPiece& piece) {
    if (piece.text.size() > limits_.document_bytes_max) {
      return refuse_piece(
          piece, {"the document is larger than " + std::to_string(limits_.document_bytes_max >> 10) + " KiB",
                  piece.first_line, 1});
    }
    const YamlDocument document(piece.text, piece.first_line, {limits_.depth_max, limits_.alias_nodes_max});
    if (document.error()) return refuse_piece(piece, *document.error());
    if (document.is_empty())
      return refuse_piece(piece, {"there is no document in this text", piece.first_line, 1});
    std::optional<char> end;
    if (piece.is_last) end = piece.text.back();
    DecodeContext context(document, out_.file, out_.diagnostics, end);
    const Field root = context.root();
    if (root["kind"].exists() && root["kind"].is_string() && root["kind"].text() == "List") {
      parse_list(root, context);
    } else {
      parse_object(root, context);
    }
  }

  /// What could not be made a tree of. The rest of the file may be missing if it is the last.
  void refuse_piece(const YamlPiece& piece, const YamlError& error) {
    BrokenDocument broken{{out_.file, error.line, error.column}, {}, {}, error.message};
    identify_text(piece.text, broken);
    out_.diagnostics.push_back({Diagnostic::Severity::Error, broken.origin, {}, error.message});
    if (piece.is_last) out_.is_whole = false;
    add_broken(std::move(broken));
  }

  void parse_list(const Field& root, DecodeContext& context) {
    const Field items = root["items"];
    if (!items.exists()) items.error("is required: a list of objects, or [] for none");
    for (const Field& item : items.items())
      parse_object(item, context);
    if (!items.is_list()) add_broken({root.origin(), {}, {}, out_.diagnostics.back().text()});
  }

  void parse_object(const Field& root, DecodeContext& context) {
    const std::size_t errors_before = context.error_count();
    const std::size_t curable_before = context.curable_count();
    const std::size_t diagnostics_before = out_.diagnostics.size();
    const std::string kind = root["kind"].text();
    const std::string version = root["apiVersion"].text();
    if (!root.is_mapping()) {
      root.error("a document must be a mapping with apiVersion, kind and metadata");
    } else {
      root["kind"].require();
      root["apiVersion"].require();
    }
    BrokenDocument broken{root.origin(), {}, {}, {}};
    std::optional<Object> object;
    if (context.error_count() == errors_before) {
      const KindRule rule = rule_for(version, kind);
      if (!rule.error.empty()) root[rule.is_about_group ? "apiVersion" : "kind"].error(rule.error);
      if (rule.needs_name && !root["metadata"]["generateName"].exists()) root["metadata"]["name"].require();
      if (rule.is_ignored() && context.error_count() == errors_before) return ignore(version + "/" + kind);
      if (rule.decode != nullptr) {
        object = rule.decode(root);
        broken.kind = kind;
        broken.key = key_of(root["metadata"]);
      }
    }
    if (context.error_count() == errors_before && object) {
      out_.objects.push_back(std::move(*object));
      return;
    }
    broken.message = first_error_after(diagnostics_before);
    if (root.is_open() && context.curable_count() != curable_before) out_.is_whole = false;
    add_broken(std::move(broken));
  }

  /// Namespace and name of a broken object, if they can be those of an object at all.
  static std::optional<ObjectKey> key_of(const Field& metadata) {
    const Field name_space = metadata["namespace"];
    if (!metadata["name"].is_string() || (name_space.exists() && !name_space.is_string()))
      return std::nullopt;
    return valid_key(name_space.text(), metadata["name"].text());
  }

  /// The first error among the diagnostics from `index` on.
  std::string first_error_after(std::size_t index) const {
    for (; index < out_.diagnostics.size(); ++index) {
      if (out_.diagnostics[index].severity == Diagnostic::Severity::Error)
        return out_.diagnostics[index].text();
    }
    return "unreadable";
  }

  void ignore(const std::string& kind) {
    if (ignored_.insert(kind).second) out_.ignored_kinds.push_back(kind);
  }

  void add_broken(BrokenDocument broken) {
    // Nobody can say which object it was: nothing of the file may be taken for deleted.
    if (!is_read_kind(broken.kind)) broken.key.reset();
    if (!broken.key) out_.is_whole = false;
    out_.broken.push_back(std::move(broken));
  }

  ParsedFile& out_;
  const Limits& limits_;
  std::set<std::string> ignored_;
};

}  // namespace

ParsedFile parse_file(std::string_view bytes, const std::string& file, const Limits& limits) {
  ParsedFile out;
  out.file = file;
  FileParser(out, limits).parse(bytes);
  return out;
}

}  // namespace mooring::manifest
