#include "provision/path_pattern.h"

#include <map>
#include <optional>

#include "base/quote.h"
#include "step/layout.h"

namespace mooring {
namespace {

constexpr std::string_view opening = "${";

Error invalid_path(const std::string& pattern, const std::string& what, std::string remedy) {
  return refusal("InvalidPath", "pathPattern " + quoted(pattern) + ": " + what, std::move(remedy));
}

/// The value of a variable; nullopt: there is none of that name.
std::optional<std::string> value_of(std::string_view variable, const manifest::PersistentVolumeClaim& claim) {
  constexpr std::string_view labels = ".PVC.labels.";
  constexpr std::string_view annotations = ".PVC.annotations.";
  const auto entry = [](const std::map<std::string, std::string>& map, std::string_view key) {
    const auto found = map.find(std::string(key));
    return found == map.end() ? std::string() : found->second;
  };
  if (variable == ".PVC.namespace") return claim.key.name_space.str();
  if (variable == ".PVC.name") return claim.key.name.str();
  if (variable.starts_with(labels)) return entry(claim.labels, variable.substr(labels.size()));
  if (variable.starts_with(annotations)) return entry(claim.annotations, variable.substr(annotations.size()));
  return std::nullopt;
}

/// The pattern with its variables replaced, each once: what a value says is not looked at again.
Result<std::string> replaced(const std::string& pattern, const manifest::PersistentVolumeClaim& claim) {
  std::string text;
  std::string_view rest = pattern;
  while (true) {
    const std::size_t start = rest.find(opening);
    text += rest.substr(0, start);
    if (start == std::string_view::npos) return text;
    const std::size_t end = rest.find('}', start);
    if (end == std::string_view::npos) {
      return refusal("InvalidParameters", "pathPattern " + quoted(pattern) + ": a `${` has no `}`",
                     "close it, or leave it out");
    }
    const std::string_view variable = rest.substr(start + opening.size(), end - start - opening.size());
    const std::optional<std::string> value = value_of(variable, claim);
    if (!value) {
      return refusal("InvalidParameters",
                     "pathPattern " + quoted(pattern) + ": there is no " + quoted(variable),
                     "use .PVC.namespace, .PVC.name, .PVC.labels.KEY or .PVC.annotations.KEY");
    }
    if (value->find('/') != std::string::npos || value->find('\0') != std::string::npos) {
      return invalid_path(pattern,
                          std::string(variable) + " of claim " + claim.key.text() + " is " + quoted(*value) +
                              ", and no part of one path element",
                          "write a value without a slash; the pattern itself may have slashes");
    }
    text += *value;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

Result<std::string> directory_of_pattern(const std::string& pattern,
                                         const manifest::PersistentVolumeClaim& claim) {
  constexpr std::size_t size_max = 1024;
  MOORING_TRY(std::string path, replaced(pattern, claim));
  // The pattern is written as a path below the export, with a slash in front or without, and at its end.
  if (path.starts_with('/')) path.erase(0, 1);
  if (path.ends_with('/')) path.pop_back();
  if (path.empty()) return path;
  if (path.size() <= size_max && layout::is_volume_directory(path)) return path;
  return invalid_path(pattern,
                      "it gives " + quoted(path) + " for claim " + claim.key.text() +
                          ", which is no place below the export: an element is empty, `.`, `..`, "
                          "begins with .mooring, or is too long",
                      "see that the claim has the labels and annotations that the pattern names");
}

}  // namespace mooring
