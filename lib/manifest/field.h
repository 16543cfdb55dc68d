#pragma once

#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.h"
#include "manifest/origin.h"
#include "manifest/yaml_document.h"

namespace mooring::manifest {

class Field;

/// What decoding one document goes by and what it finds wrong.
class DecodeContext {
 public:
  /// `end`: nullopt if the document's end is certain. Else it may have been cut off, and this is its last
  /// character.
  DecodeContext(const YamlDocument& document, std::string file, std::vector<Diagnostic>& diagnostics,
                std::optional<char> end = std::nullopt);

  Field root();
  /// The errors that were found so far in this document.
  std::size_t error_count() const { return error_count_; }
  /// Those of them that may be there only because the document was cut off: more text could cure them.
  std::size_t curable_count() const { return curable_count_; }
  const std::string& file() const { return file_; }

 private:
  friend class Field;
  /// A step of a field path; kept here so that fields may be passed and returned freely.
  struct Frame {
    const Frame* parent = nullptr;
    std::string_view key;  ///< Empty: an item of a sequence.
    std::size_t index = 0;
    const YamlNode* node = nullptr;  ///< nullptr: absent.
  };
  bool is_open(const YamlNode* node) const;
  /// True if text behind the document's end could bring a field that is absent.
  bool may_still_come(const Frame* absent) const;
  const YamlDocument& document_;
  std::string file_;
  std::vector<Diagnostic>& diagnostics_;
  std::deque<Frame> frames_;
  /// The nodes that text behind the document's end would belong to, from the root on; empty if its end is
  /// certain.
  std::vector<const YamlNode*> open_;
  bool ends_with_line_ = true;
  std::size_t error_count_ = 0;
  std::size_t curable_count_ = 0;
};

/// A place in a document: a node, or the absence of one, with its path for messages. Reading it as a type
/// notes an error if it is another; an absent (or null) one reads as the default.
class Field {
 public:
  bool exists() const { return node_ != nullptr; }
  /// A scalar that reads as a string.
  bool is_string() const { return exists() && kind_text() == "a string"; }
  /// Is given as null (which is read as absent) or not at all.
  bool is_null() const;
  /// Text behind the document's end would belong to it, if the document was cut off.
  bool is_open() const;
  bool is_list() const { return exists() && node_->kind == YamlNode::Kind::Sequence; }
  bool is_mapping() const { return exists() && node_->kind == YamlNode::Kind::Mapping; }
  Origin origin() const;
  std::string path() const;

  /// The value of a key; absent if there is none, or if this is no mapping (which is noted once, by entries()
  /// or here).
  Field operator[](std::string_view key) const;
  /// Items of a sequence, entries of a mapping; empty when absent, noted when of another kind.
  std::vector<Field> items() const;
  std::vector<std::pair<std::string, Field>> entries() const;

  std::string text(std::string_view otherwise = {}) const;
  bool boolean(bool otherwise = false) const;
  std::optional<std::int64_t> integer() const;
  std::optional<Quantity> quantity() const;
  /// A mapping of strings. `lenient`: a bare number or boolean is taken as its text, with a warning (labels,
  /// annotations).
  std::map<std::string, std::string> text_map(bool lenient = false) const;
  std::vector<std::string> text_list() const;

  /// Notes an error (warning) here.
  void error(std::string message) const;
  /// The same for one that another field, further down in the document, could cure.
  void error_unless_more_follows(std::string message) const;
  void warning(std::string message) const;
  /// Notes an error if it is absent or an empty string; true if it is there.
  bool require() const;
  /// Warns of keys that are not in the list: they have no effect. Names the key that was meant, if one of the
  /// list is much like it.
  void known_keys(std::initializer_list<std::string_view> keys) const;
  /// Notes an error for each key that is not in the list.
  void only_keys(std::initializer_list<std::string_view> keys) const;

 private:
  friend class DecodeContext;
  Field(DecodeContext& context, const YamlNode* node, const DecodeContext::Frame* frame)
      : context_(&context), node_(node), frame_(frame) {}
  void note(Diagnostic::Severity severity, std::string message) const;
  bool is_curable() const;
  std::string kind_text() const;

  DecodeContext* context_;
  const YamlNode* node_;
  const DecodeContext::Frame* frame_;
};

}  // namespace mooring::manifest
