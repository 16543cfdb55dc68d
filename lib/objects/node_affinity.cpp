#include "objects/node_affinity.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace mooring {
namespace {

using manifest::NodeSelectorTerm;
using manifest::SelectorRequirement;

std::optional<std::int64_t> number_of(const std::string& text) {
  // strconv.ParseInt takes a sign of either kind, std::from_chars a minus only.
  const bool has_plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  const char* const begin = text.data() + (has_plus ? 1 : 0);
  const char* const end = text.data() + text.size();
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// `value`: the label's; nullptr if the node has none of that key.
bool is_met(const SelectorRequirement& requirement, const std::string* value) {
  const std::vector<std::string>& values = requirement.values;
  const std::string& operation = requirement.operation;
  const auto is_named = [&] { return std::find(values.begin(), values.end(), *value) != values.end(); };
  if (operation == "Exists") return value != nullptr;
  if (operation == "DoesNotExist") return value == nullptr;
  if (operation == "In") return value != nullptr && is_named();
  // A node without the label is none of those that are ruled out.
  if (operation == "NotIn") return value == nullptr || !is_named();
  if (value == nullptr || values.size() != 1) return false;
  const std::optional<std::int64_t> have = number_of(*value);
  const std::optional<std::int64_t> bound = number_of(values.front());
  if (!have || !bound) return false;
  if (operation == "Gt") return *have > *bound;
  return operation == "Lt" && *have < *bound;
}

}  // namespace

bool fits_node(const manifest::NodeAffinity& affinity, const NodeName& node,
               const std::map<std::string, std::string>& labels) {
  const auto label_is_right = [&](const SelectorRequirement& requirement) {
    const auto label = labels.find(requirement.key);
    return is_met(requirement, label == labels.end() ? nullptr : &label->second);
  };
  const auto field_is_right = [&](const SelectorRequirement& requirement) {
    return requirement.key == "metadata.name" && is_met(requirement, &node.str());
  };
  return std::any_of(affinity.terms.begin(), affinity.terms.end(), [&](const NodeSelectorTerm& term) {
    return (!term.expressions.empty() || !term.fields.empty()) &&
           std::all_of(term.expressions.begin(), term.expressions.end(), label_is_right) &&
           std::all_of(term.fields.begin(), term.fields.end(), field_is_right);
  });
}

}  // namespace mooring
