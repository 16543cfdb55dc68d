#include "manifest/parse.h"

#include <algorithm>
#include <array>

#include "base/quote.h"
#include "manifest/decode.h"
#include "manifest/identify.h"
#include "manifest/yaml_document.h"

namespace mooring::manifest {
namespace {

/// A kind that Mooring reads, by its API group (empty: the core group) and name.
struct KnownKind {
  std::string_view group;
  std::string_view kind;
  std::optional<Object> (*decode)(const Field&);
};

template <Workload::Kind K>
std::optional<Object> decode_workload_of(const Field& document) {
  return decode_workload(document, K);
}

constexpr std::array<KnownKind, 12> known_kinds{{
    {"", "Pod", decode_pod_object},
    {"", "ConfigMap", decode_config_map},
    {"", "Secret", decode_secret},
    {"", "PersistentVolume", decode_persistent_volume},
    {"", "PersistentVolumeClaim", decode_claim_object},
    {"storage.k8s.io", "StorageClass", decode_storage_class},
    {"apps", "Deployment", decode_workload_of<Workload::Kind::Deployment>},
    {"apps", "StatefulSet", decode_workload_of<Workload::Kind::StatefulSet>},
    {"apps", "DaemonSet", decode_workload_of<Workload::Kind::DaemonSet>},
    {"extensions", "Deployment", decode_workload_of<Workload::Kind::Deployment>},
    {"extensions", "DaemonSet", decode_workload_of<Workload::Kind::DaemonSet>},
    {"batch", "Job", decode_workload_of<Workload::Kind::Job>},
}};

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
    for (const YamlPiece& piece : split_documents(bytes))
      parse_piece(piece);
  }

 private:
  void refuse_file(const std::string& why) {
    out_.is_whole = false;
    out_.diagnostics.push_back(
        {Diagnostic::Severity::Error, {out_.file, 0, 0}, {}, why + "; it is not read"});
  }

  void parse_piece(const YamlPiece& piece) {
    if (piece.text.size() > limits_.document_bytes_max) {
      BrokenDocument broken{{out_.file, piece.first_line, 1}, {}, {}, "the document is too large"};
      identify_text(piece.text.substr(0, limits_.document_bytes_max), broken);
      out_.diagnostics.push_back(
          {Diagnostic::Severity::Error,
           broken.origin,
           {},
           "the document is larger than " + std::to_string(limits_.document_bytes_max >> 10) + " KiB"});
      return add_broken(std::move(broken));
    }
    const YamlDocument document(piece.text, piece.first_line, {limits_.depth_max, limits_.alias_nodes_max});
    if (document.error()) {
      const YamlError& error = *document.error();
      BrokenDocument broken{{out_.file, error.line, error.column}, {}, {}, error.message};
      identify_text(piece.text, broken);
      out_.diagnostics.push_back({Diagnostic::Severity::Error, broken.origin, {}, error.message});
      return add_broken(std::move(broken));
    }
    if (document.is_empty()) return;
    DecodeContext context(document, out_.file, out_.diagnostics);
    const Field root = context.root();
    if (root["kind"].exists() && root["kind"].is_string() && root["kind"].text() == "List") {
      for (const Field& item : root["items"].items())
        parse_object(item, context);
    } else {
      parse_object(root, context);
    }
  }

  void parse_object(const Field& root, DecodeContext& context) {
    const std::size_t errors_before = context.error_count();
    const std::size_t diagnostics_before = out_.diagnostics.size();
    const std::string kind = root["kind"].text();
    const std::string version = root["apiVersion"].text();
    if (!root.is_mapping()) {
      root.error("a document must be a mapping with apiVersion, kind and metadata");
    } else {
      root["kind"].require();
      root["apiVersion"].require();
    }
    std::optional<Object> object;
    if (context.error_count() == errors_before) {
      const std::size_t slash = version.find('/');
      const std::string group = slash == std::string::npos ? std::string() : version.substr(0, slash);
      const auto known = std::find_if(known_kinds.begin(), known_kinds.end(),
                                      [&](const KnownKind& k) { return k.kind == kind && k.group == group; });
      if (known == known_kinds.end()) return ignore(version + "/" + kind);
      object = known->decode(root);
    }
    if (context.error_count() == errors_before && object) {
      out_.objects.push_back(std::move(*object));
      return;
    }
    BrokenDocument broken{root.origin(), kind, {}, first_error_after(diagnostics_before)};
    const Field metadata = root["metadata"];
    if (metadata["name"].is_string()) {
      const std::string name_space =
          metadata["namespace"].is_string() ? metadata["namespace"].text() : "default";
      broken.key = ObjectKey{Namespace(name_space), ObjectName(metadata["name"].text())};
    }
    add_broken(std::move(broken));
  }

  /// The first error among the diagnostics from `index` on.
  std::string first_error_after(std::size_t index) const {
    for (; index < out_.diagnostics.size(); ++index) {
      if (out_.diagnostics[index].severity == Diagnostic::Severity::Error)
        return out_.diagnostics[index].text();
    }
    return "unreadable";
  }

  void add_broken(BrokenDocument broken) {
    // Nobody can say which object it was: nothing of the file may be taken for deleted.
    if (!broken.key || broken.kind.empty()) out_.is_whole = false;
    out_.broken.push_back(std::move(broken));
  }

  void ignore(std::string kind) {
    if (std::find(out_.ignored_kinds.begin(), out_.ignored_kinds.end(), kind) == out_.ignored_kinds.end()) {
      out_.ignored_kinds.push_back(std::move(kind));
    }
  }

  ParsedFile& out_;
  const Limits& limits_;
};

}  // namespace

ParsedFile parse_file(std::string_view bytes, const std::string& file, const Limits& limits) {
  ParsedFile out;
  out.file = file;
  FileParser(out, limits).parse(bytes);
  return out;
}

}  // namespace mooring::manifest
