#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "manifest/objects.h"

namespace mooring {

// How the store keeps the objects of one kind that count. For its own files.

/// The namespace and name of an identity that starts with the kind; nullopt: it is of another kind.
inline std::optional<ObjectKey> key_of(std::string_view identity, std::string_view kind) {
  if (!identity.starts_with(kind) || identity.substr(kind.size(), 1) != "/") return std::nullopt;
  identity.remove_prefix(kind.size() + 1);
  const std::size_t slash = identity.find('/');
  return ObjectKey{Namespace(identity.substr(0, slash)), ObjectName(identity.substr(slash + 1))};
}

/// nullptr for nullptr.
template <class T>
std::shared_ptr<const T> as(const manifest::Object* object) {
  return object == nullptr ? nullptr : std::get<std::shared_ptr<const T>>(*object);
}

/// Makes `object` what counts under the key, nullptr: nothing does. True if that says something else than
/// before.
template <class Key, class T>
bool put(std::map<Key, std::shared_ptr<const T>>& all, const Key& key, std::shared_ptr<const T> object) {
  const auto found = all.find(key);
  if (object == nullptr) {
    if (found == all.end()) return false;
    all.erase(found);
    return true;
  }
  if (found == all.end()) {
    all.emplace(key, std::move(object));
    return true;
  }
  const bool is_same = *found->second == *object;
  found->second = std::move(object);  // Also if it only stands elsewhere now.
  return !is_same;
}

template <class Key, class T>
std::shared_ptr<const T> get(const std::map<Key, std::shared_ptr<const T>>& all, const Key& key) {
  const auto found = all.find(key);
  return found == all.end() ? nullptr : found->second;
}

template <class Key, class T>
std::vector<Key> keys_of(const std::map<Key, T>& all) {
  std::vector<Key> keys;
  keys.reserve(all.size());
  for (const auto& [key, object] : all)
    keys.push_back(key);
  return keys;
}

}  // namespace mooring
