#include "manifest/names.h"

#include <algorithm>

namespace mooring::manifest {
namespace {

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_alphanumeric(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

bool is_label_shape(std::string_view text) {
  return !text.empty() && is_lower_or_digit(text.front()) && is_lower_or_digit(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

std::string_view take_element(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view element = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return element;
}

}  // namespace

bool is_dns_label(std::string_view text) {
  return text.size() <= 63 && is_label_shape(text);
}

bool is_dns_subdomain(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.back() == '.') return false;
  while (!text.empty()) {
    if (!is_label_shape(take_element(text, '.'))) return false;
  }
  return true;
}

bool is_data_key(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text != "." && !text.starts_with("..") &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_pod_uid(std::string_view text) {
  return !text.empty() && text.size() <= 63 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool has_parent_element(std::string_view path) {
  while (!path.empty()) {
    if (take_element(path, '/') == "..") return true;
  }
  return false;
}

bool is_projected_path(std::string_view path) {
  return !path.empty() && path.front() != '/' && !path.starts_with("..") && !has_parent_element(path);
}

}  // namespace mooring::manifest
