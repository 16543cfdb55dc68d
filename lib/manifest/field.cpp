#include "manifest/field.h"

#include <algorithm>
#include <utility>

#include "base/quote.h"
#include "manifest/scalar.h"

namespace mooring::manifest {
namespace {

bool is_null_node(const YamlNode& node) {
  return node.kind == YamlNode::Kind::Scalar && node.is_plain && is_null_scalar(node.text);
}

/// How many letters have to be put in, taken out or exchanged to make one text of the other (Levenshtein).
std::size_t letters_apart(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j)
    row[j] = j;
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t exchanged = diagonal + (one[i] == other[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

/// "; did you mean labels?" if one of the keys is that much like what was written; else nothing.
std::string suggestion(std::string_view written, std::initializer_list<std::string_view> keys) {
  constexpr std::size_t length_max = 64;
  if (written.size() > length_max) return {};
  std::string_view best;
  std::size_t best_distance = std::min<std::size_t>(2, written.size() / 3) + 1;
  for (const std::string_view key : keys) {
    const bool is_start =
        written.size() > 3 && key.starts_with(written);  // storageClass for storageClassName.
    const std::size_t distance = is_start ? 1 : letters_apart(written, key);
    if (distance >= best_distance) continue;
    best = key;
    best_distance = distance;
  }
  return best.empty() ? std::string() : "; did you mean " + std::string(best) + "?";
}

}  // namespace

std::string Origin::text() const {
  return line == 0 ? file : file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Diagnostic::text() const {
  std::string out = where.text() + (severity == Severity::Error ? ": error: " : ": warning: ");
  if (!field.empty()) out += field + ": ";
  return out + message;
}

DecodeContext::DecodeContext(const YamlDocument& document, std::string file,
                             std::vector<Diagnostic>& diagnostics, std::optional<char> end)
    : document_(document), file_(std::move(file)), diagnostics_(diagnostics) {
  if (!end || document.is_empty()) return;
  ends_with_line_ = *end == '\n';
  const YamlNode* node = &document.root();
  while (!node->is_closed) {
    open_.push_back(node);
    if (node->children.empty()) return;
    node = &document.node(node->children.back());
  }
}

bool DecodeContext::is_open(const YamlNode* node) const {
  return std::find(open_.begin(), open_.end(), node) != open_.end();
}

bool DecodeContext::may_still_come(const Frame* absent) const {
  while (absent != nullptr && absent->node == nullptr)
    absent = absent->parent;
  if (absent == nullptr) return !open_.empty();
  if (!is_open(absent->node)) return false;
  // A text does not become a mapping, but on its own line: `- na` may be the start of `- name: web`.
  const bool is_text = absent->node->kind == YamlNode::Kind::Scalar && !is_null_scalar(absent->node->text);
  return !is_text || !ends_with_line_;
}

Field DecodeContext::root() {
  const YamlNode* node = document_.is_empty() ? nullptr : &document_.root();
  frames_.push_back({nullptr, {}, 0, node});
  return {*this, node, &frames_.back()};
}

Origin Field::origin() const {
  if (node_ == nullptr) return {context_->file_, 0, 0};
  return {context_->file_, node_->line, node_->column};
}

std::string Field::path() const {
  std::vector<const DecodeContext::Frame*> frames;
  for (const auto* frame = frame_; frame != nullptr && frame->parent != nullptr; frame = frame->parent) {
    frames.push_back(frame);
  }
  std::string out;
  for (auto it = frames.rbegin(); it != frames.rend(); ++it) {
    if ((*it)->key.empty()) {
      out += "[" + std::to_string((*it)->index) + "]";
    } else if ((*it)->key.find_first_of("./ ") != std::string_view::npos) {
      out += "[" + quoted((*it)->key) + "]";
    } else {
      if (!out.empty()) out += '.';
      out += (*it)->key;
    }
  }
  return out;
}

Field Field::operator[](std::string_view key) const {
  const YamlNode* found = nullptr;
  if (is_mapping()) {
    const auto& children = node_->children;
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
      if (context_->document_.node(children[i]).text != key) continue;
      found = &context_->document_.node(children[i + 1]);
      break;
    }
  }
  if (found != nullptr && is_null_node(*found)) found = nullptr;
  context_->frames_.push_back({frame_, key, 0, found});
  Field field(*context_, found, &context_->frames_.back());
  return field;
}

std::vector<Field> Field::items() const {
  std::vector<Field> out;
  if (!exists()) return out;
  if (node_->kind != YamlNode::Kind::Sequence) {
    error("must be a list, and is " + kind_text());
    return out;
  }
  out.reserve(node_->children.size());
  for (std::size_t i = 0; i < node_->children.size(); ++i) {
    const YamlNode* item = &context_->document_.node(node_->children[i]);
    context_->frames_.push_back({frame_, {}, i, item});
    out.push_back(Field(*context_, item, &context_->frames_.back()));
  }
  return out;
}

std::vector<std::pair<std::string, Field>> Field::entries() const {
  std::vector<std::pair<std::string, Field>> out;
  if (!exists()) return out;
  if (!is_mapping()) {
    error("must be a mapping, and is " + kind_text());
    return out;
  }
  for (std::size_t i = 0; i + 1 < node_->children.size(); i += 2) {
    const YamlNode& key = context_->document_.node(node_->children[i]);
    const YamlNode* value = &context_->document_.node(node_->children[i + 1]);
    context_->frames_.push_back({frame_, key.text, 0, value});
    out.emplace_back(std::string(key.text), Field(*context_, value, &context_->frames_.back()));
  }
  return out;
}

bool Field::is_null() const {
  return node_ == nullptr || is_null_node(*node_);
}

bool Field::is_open() const {
  return context_->is_open(node_);
}

std::string Field::kind_text() const {
  switch (node_->kind) {
    case YamlNode::Kind::Sequence:
      return "a list";
    case YamlNode::Kind::Mapping:
      return "a mapping";
    case YamlNode::Kind::Scalar:
      break;
  }
  if (!node_->is_plain) return "a string";
  if (is_null_scalar(node_->text)) return "null";
  if (to_boolean(node_->text)) return "the boolean " + std::string(node_->text);
  if (to_integer(node_->text) || is_float(node_->text)) return "the number " + std::string(node_->text);
  return "a string";
}

std::string Field::text(std::string_view otherwise) const {
  if (!exists()) return std::string(otherwise);
  const std::string kind = kind_text();
  if (kind != "a string") {
    error("must be a string, and is " + kind +
          (node_->kind == YamlNode::Kind::Scalar && kind != "null" ? "; put it in quotes" : ""));
    return std::string(otherwise);
  }
  return std::string(node_->text);
}

bool Field::boolean(bool otherwise) const {
  if (!exists()) return otherwise;
  if (node_->kind == YamlNode::Kind::Scalar && node_->is_plain) {
    if (const auto value = to_boolean(node_->text)) return *value;
  }
  error("must be true or false, and is " + kind_text());
  return otherwise;
}

std::optional<std::int64_t> Field::integer() const {
  if (!exists()) return std::nullopt;
  if (node_->kind == YamlNode::Kind::Scalar && node_->is_plain) {
    if (const auto value = to_integer(node_->text)) return value;
  }
  error("must be a whole number, and is " + kind_text());
  return std::nullopt;
}

std::optional<Quantity> Field::quantity() const {
  if (!exists()) return std::nullopt;
  if (node_->kind != YamlNode::Kind::Scalar) {
    error("must be a quantity such as 128Mi, and is " + kind_text());
    return std::nullopt;
  }
  std::string text(node_->text);
  if (node_->is_plain) {
    // A bare number is a number first, as any in YAML 1.1: `010` is 8, `1_000` is 1000.
    if (const auto number = to_integer(text)) return Quantity::from_integer(*number);
    std::string digits = text;
    std::erase(digits, '_');
    if (is_float(digits)) text = std::move(digits);
  }
  Result<Quantity> value = Quantity::parse(text);
  if (value) return value.value();
  error(value.error().message + "; " + value.error().remedy);
  return std::nullopt;
}

std::map<std::string, std::string> Field::text_map(bool lenient) const {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : entries()) {
    const bool is_bare = value.node_->kind == YamlNode::Kind::Scalar && value.kind_text() != "a string";
    if (lenient && is_bare) {
      if (is_null_scalar(value.node_->text) && value.node_->is_plain) {
        out.emplace(key, "");
        continue;
      }
      value.warning(value.kind_text() + " is taken as its text; put it in quotes");
      out.emplace(key, value.node_->text);
    } else {
      out.emplace(key, value.text());
    }
  }
  return out;
}

std::vector<std::string> Field::text_list() const {
  std::vector<std::string> out;
  for (const Field& item : items())
    out.push_back(item.text());
  return out;
}

void Field::note(Diagnostic::Severity severity, std::string message) const {
  Origin where = origin();
  // An absent field is reported where its nearest ancestor stands: the last node that was reached has no link
  // back, so the document's start serves; the path says the rest.
  if (node_ == nullptr && !context_->document_.is_empty()) {
    where.line = context_->document_.root().line;
    where.column = context_->document_.root().column;
  }
  Diagnostic diagnostic{severity, std::move(where), path(), std::move(message)};
  if (severity == Diagnostic::Severity::Error) {
    ++context_->error_count_;
    if (is_curable()) ++context_->curable_count_;
  }
  context_->diagnostics_.push_back(std::move(diagnostic));
}

bool Field::is_curable() const {
  return node_ == nullptr ? context_->may_still_come(frame_) : context_->is_open(node_);
}

void Field::error(std::string message) const {
  note(Diagnostic::Severity::Error, std::move(message));
}
void Field::error_unless_more_follows(std::string message) const {
  if (!context_->open_.empty() && !is_curable()) ++context_->curable_count_;
  note(Diagnostic::Severity::Error, std::move(message));
}
void Field::warning(std::string message) const {
  note(Diagnostic::Severity::Warning, std::move(message));
}

bool Field::require() const {
  const bool is_there = exists() && !(node_->kind == YamlNode::Kind::Scalar && node_->text.empty());
  if (!is_there) error("is required");
  return is_there;
}

void Field::known_keys(std::initializer_list<std::string_view> keys) const {
  if (!is_mapping()) return;
  for (const auto& [key, value] : entries()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      value.warning("unknown field: it has no effect" + suggestion(key, keys));
  }
}

void Field::only_keys(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, value] : entries()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) value.error("unknown key");
  }
}

}  // namespace mooring::manifest
