#include "manifest/encode.h"

#include <variant>

#include "base/quote.h"
#include "manifest/words.h"

namespace mooring::manifest {
namespace {

/// As json_string(), and in ASCII what YAML takes for the end of a line but JSON does not, and the byte order
/// mark: libfyaml 0.7 loses them, or takes them for the end of the text.
std::string string_literal(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> escapes[] = {
      {"\u2028", "\\u2028"}, {"\u2029", "\\u2029"}, {"\uFEFF", "\\ufeff"}};
  std::string out = json_string(text);
  for (const auto& [character, escape] : escapes) {
    for (std::size_t at = out.find(character); at != std::string::npos; at = out.find(character, at))
      out.replace(at, character.size(), escape);
  }
  return out;
}

/// A JSON object that is being written. What is empty, or false, is left out: it reads as that.
class Fields {
 public:
  Fields& json(std::string_view key, std::string_view value) {
    if (!out_.empty()) out_ += ',';
    out_.append(string_literal(key)).append(":").append(value);
    return *this;
  }
  Fields& text(std::string_view key, std::string_view value) {
    return value.empty() ? *this : json(key, string_literal(value));
  }
  Fields& flag(std::string_view key, bool value) { return value ? json(key, "true") : *this; }
  Fields& texts(std::string_view key, const std::map<std::string, std::string>& values) {
    if (values.empty()) return *this;
    Fields fields;
    for (const auto& [name, value] : values)
      fields.json(name, string_literal(value));
    return json(key, fields.str());
  }
  std::string str() const { return "{" + out_ + "}"; }

 private:
  std::string out_;
};

template <class Items, class Encode>
std::string list(const Items& items, const Encode& encode_one) {
  std::string out;
  for (const auto& item : items)
    out.append(out.empty() ? "" : ",").append(encode_one(item));
  return "[" + out + "]";
}

std::string text_list(const std::vector<std::string>& texts) {
  return list(texts, [](const std::string& text) { return string_literal(text); });
}

std::string reference_to(const std::string& name) {
  return Fields().json("name", string_literal(name)).str();
}

/// The one that was written first stays the first.
std::string access_modes(const std::set<AccessMode>& modes, std::optional<AccessMode> first) {
  return list(in_order(modes, first),
              [](AccessMode mode) { return string_literal(std::string(to_string(mode))); });
}

std::string requirements(const std::vector<SelectorRequirement>& all) {
  return list(all, [](const SelectorRequirement& one) {
    Fields fields;
    fields.text("key", one.key).text("operator", one.operation);
    if (!one.values.empty()) fields.json("values", text_list(one.values));
    return fields.str();
  });
}

std::string node_affinity(const NodeAffinity& affinity) {
  const std::string terms = list(affinity.terms, [](const NodeSelectorTerm& term) {
    Fields fields;
    if (!term.expressions.empty()) fields.json("matchExpressions", requirements(term.expressions));
    if (!term.fields.empty()) fields.json("matchFields", requirements(term.fields));
    return fields.str();
  });
  return Fields().json("required", Fields().json("nodeSelectorTerms", terms).str()).str();
}

/// The source's key and content, into a PersistentVolume's spec.
class SourceEncoder {
 public:
  explicit SourceEncoder(Fields& spec) : spec_(spec) {}
  void operator()(const HostPathSource& s) {
    spec_.json("hostPath", Fields().text("path", s.path).text("type", s.type).str());
  }
  void operator()(const NfsSource& s) {
    spec_.json("nfs",
               Fields().text("server", s.server).text("path", s.path).flag("readOnly", s.read_only).str());
  }
  void operator()(const LocalSource& s) {
    spec_.json("local", Fields().text("path", s.path).text("fsType", s.file_system_type).str());
  }
  void operator()(const CsiSource& s) {
    Fields fields;
    fields.text("driver", s.driver).text("volumeHandle", s.volume_handle).text("fsType", s.file_system_type);
    fields.flag("readOnly", s.read_only).texts("volumeAttributes", s.attributes);
    if (!s.node_publish_secret && !s.publish_secret_name.empty())
      fields.json("nodePublishSecretRef", reference_to(s.publish_secret_name));
    secret(fields, "controllerPublishSecretRef", s.controller_publish_secret);
    secret(fields, "nodeStageSecretRef", s.node_stage_secret);
    secret(fields, "nodePublishSecretRef", s.node_publish_secret);
    secret(fields, "nodeExpandSecretRef", s.node_expand_secret);
    secret(fields, "controllerExpandSecretRef", s.controller_expand_secret);
    spec_.json("csi", fields.str());
  }
  void operator()(const FlexVolumeSource& s) {
    Fields fields;
    fields.text("driver", s.driver).text("fsType", s.file_system_type).flag("readOnly", s.read_only);
    fields.texts("options", s.options);
    if (!s.secret_name.empty()) {
      fields.json("secretRef",
                  Fields().text("name", s.secret_name).text("namespace", s.secret_namespace).str());
    }
    spec_.json("flexVolume", fields.str());
  }
  void operator()(const OtherSource& s) { spec_.json(s.kind, "{}"); }
  /// A source of pods only: nothing, and nothing reads it back.
  template <class T>
  void operator()(const T&) {}

 private:
  static void secret(Fields& fields, std::string_view key, const std::optional<ObjectKey>& secret) {
    if (!secret) return;
    Fields reference;
    reference.text("name", secret->name.str()).text("namespace", secret->name_space.str());
    fields.json(key, reference.str());
  }
  Fields& spec_;
};

Fields document(std::string_view kind) {
  Fields fields;
  fields.text("apiVersion", "v1").text("kind", kind);
  return fields;
}

Fields metadata_of(const std::map<std::string, std::string>& labels,
                   const std::map<std::string, std::string>& annotations, bool is_being_deleted) {
  Fields fields;
  fields.texts("labels", labels).texts("annotations", annotations);
  // When that was is not kept, nor needed.
  if (is_being_deleted) fields.text("deletionTimestamp", "1970-01-01T00:00:00Z");
  return fields;
}

}  // namespace

std::string encode(const PersistentVolume& volume) {
  Fields metadata = metadata_of(volume.labels, volume.annotations, volume.is_being_deleted);
  metadata.text("name", volume.name.str());
  Fields spec;
  spec.json("capacity", Fields().text("storage", volume.capacity.text()).str());
  spec.json("accessModes", access_modes(volume.access_modes, volume.first_access_mode));
  spec.text("volumeMode", to_string(volume.volume_mode));
  spec.text("persistentVolumeReclaimPolicy", to_string(volume.reclaim_policy));
  spec.text("storageClassName", volume.storage_class);
  if (!volume.mount_options.empty()) spec.json("mountOptions", text_list(volume.mount_options));
  if (volume.node_affinity) spec.json("nodeAffinity", node_affinity(*volume.node_affinity));
  if (volume.claim) {
    spec.json("claimRef", Fields()
                              .text("kind", "PersistentVolumeClaim")
                              .text("namespace", volume.claim->key.name_space.str())
                              .text("name", volume.claim->key.name.str())
                              .text("uid", volume.claim->uid)
                              .str());
  }
  std::visit(SourceEncoder(spec), volume.source);
  return document("PersistentVolume").json("metadata", metadata.str()).json("spec", spec.str()).str();
}

std::string encode(const PersistentVolumeClaim& claim) {
  Fields metadata = metadata_of(claim.labels, claim.annotations, claim.is_being_deleted);
  metadata.text("namespace", claim.key.name_space.str()).text("name", claim.key.name.str());
  metadata.text("uid", claim.uid);
  Fields spec;
  spec.json("accessModes", access_modes(claim.access_modes, claim.first_access_mode));
  spec.text("volumeMode", to_string(claim.volume_mode));
  const Fields requests = Fields().text("storage", claim.request.text());
  spec.json("resources", Fields().json("requests", requests.str()).str());
  if (claim.storage_class) spec.json("storageClassName", string_literal(*claim.storage_class));
  spec.text("volumeName", claim.volume_name);
  if (claim.has_selector) {
    Fields selector;
    selector.texts("matchLabels", claim.match_labels);
    if (!claim.match_expressions.empty())
      selector.json("matchExpressions", requirements(claim.match_expressions));
    spec.json("selector", selector.str());
  }
  if (claim.data_source) {
    Fields source;
    source.text("apiGroup", claim.data_source->api_group).text("kind", claim.data_source->kind);
    source.text("name", claim.data_source->name).text("namespace", claim.data_source->name_space);
    spec.json("dataSourceRef", source.str());
  }
  return document("PersistentVolumeClaim").json("metadata", metadata.str()).json("spec", spec.str()).str();
}

}  // namespace mooring::manifest
