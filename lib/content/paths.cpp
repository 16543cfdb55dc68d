#include <algorithm>

#include "base/quote.h"
#include "content/content.h"
#include "content/environment.h"

namespace mooring {
namespace {

constexpr std::size_t path_bytes_max = 4096;
constexpr std::size_t element_bytes_max = 255;

std::vector<std::string_view> elements_of(std::string_view path) {
  std::vector<std::string_view> elements;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view element = path.substr(0, slash);
    if (!element.empty() && element != ".") elements.push_back(element);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return elements;
}

std::string joined(std::vector<std::string_view>::const_iterator from,
                   std::vector<std::string_view>::const_iterator to) {
  std::string out;
  for (; from != to; ++from) {
    if (!out.empty()) out += '/';
    out += *from;
  }
  return out;
}

/// The path of `inner` below `outer`, both mount paths; nullopt if it is not below it, or leads out again.
std::optional<std::string> relative_path(const std::string& outer, const std::string& inner) {
  const auto above = elements_of(outer);
  const auto below = elements_of(inner);
  if (below.size() <= above.size() || !std::equal(above.begin(), above.end(), below.begin()))
    return std::nullopt;
  std::vector<std::string_view> rest;
  for (auto element = below.begin() + static_cast<std::ptrdiff_t>(above.size()); element != below.end();
       ++element) {
    if (*element != "..") {
      rest.push_back(*element);
    } else if (rest.empty()) {
      return std::nullopt;
    } else {
      rest.pop_back();
    }
  }
  return joined(rest.begin(), rest.end());
}

Error bad_sub_path(std::string message) {
  Error error;
  error.reason = "InvalidSubPath";
  error.message = std::move(message);
  error.remedy = "use a relative path without `..` elements";
  return error;
}

}  // namespace

Result<std::string> clean_sub_path(std::string_view path) {
  if (path.size() > path_bytes_max) {
    return bad_sub_path("unable to provision a SubPath of more than " + std::to_string(path_bytes_max) +
                        " bytes");
  }
  if (clean(path) != path) {
    return bad_sub_path("unable to provision SubPath " + quoted(path) +
                        ": must not contain control characters or bytes that are not UTF-8");
  }
  const std::string shown = "`" + std::string(path) + "`";
  if (path.starts_with('/')) return bad_sub_path("error SubPath " + shown + " must not be an absolute path");
  const auto elements = elements_of(path);
  for (const std::string_view element : elements) {
    if (element == "..")
      return bad_sub_path("unable to provision SubPath " + shown + ": must not contain '..'");
    if (element.size() > element_bytes_max) {
      return bad_sub_path("unable to provision SubPath " + shown + ": an element has more than " +
                          std::to_string(element_bytes_max) + " bytes");
    }
  }
  return joined(elements.begin(), elements.end());
}

std::optional<std::string> clean_content_path(std::string_view path) {
  if (path.size() > path_bytes_max || path.starts_with('/')) return std::nullopt;
  if (path.find('\0') != std::string_view::npos) return std::nullopt;
  const auto elements = elements_of(path);
  if (elements.empty() || elements.front().starts_with("..")) return std::nullopt;
  const bool is_bad = std::any_of(elements.begin(), elements.end(), [](std::string_view element) {
    return element == ".." || element.size() > element_bytes_max;
  });
  if (is_bad) return std::nullopt;
  return joined(elements.begin(), elements.end());
}

std::set<std::string> nested_mount_points(const manifest::Pod& pod, const VolumeName& volume) {
  std::set<std::string> found;
  for (const manifest::Container& container : pod.containers) {
    for (const manifest::VolumeMount& outer : container.mounts) {
      if (outer.name != volume || !outer.sub_path.empty() || !outer.sub_path_expression.empty()) continue;
      for (const manifest::VolumeMount& inner : container.mounts) {
        if (&inner == &outer) continue;
        const auto relative = relative_path(outer.mount_path, inner.mount_path);
        if (!relative) continue;
        if (auto clean = clean_content_path(*relative)) found.insert(std::move(*clean));
      }
    }
  }
  std::set<std::string> outermost;
  for (const std::string& path : found) {
    const bool is_inside = std::any_of(outermost.begin(), outermost.end(), [&](const std::string& other) {
      return path.starts_with(other + "/");
    });
    if (!is_inside) outermost.insert(path);
  }
  return outermost;
}

}  // namespace mooring
