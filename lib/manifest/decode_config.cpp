#include "base/quote.h"
#include "manifest/base64.h"
#include "manifest/decode.h"
#include "manifest/names.h"

namespace mooring::manifest {
namespace {

constexpr std::size_t data_bytes_max = 1024 * 1024;

void check_key(const std::string& key, const Field& value) {
  if (!is_data_key(key))
    value.error("the key is not valid: letters, digits, '-', '_', '.', at most 253, not starting with '..'");
}

}  // namespace

std::optional<Object> decode_config_map(const Field& document) {
  auto map = std::make_shared<ConfigMap>();
  map->key = decode_key(document["metadata"]);
  map->origin = document.origin();
  map->immutable = document["immutable"].boolean();
  std::size_t total = 0;
  for (const auto& [key, value] : document["data"].entries()) {
    check_key(key, value);
    total += map->data.insert_or_assign(key, value.text()).first->second.size();
  }
  for (const auto& [key, value] : document["binaryData"].entries()) {
    check_key(key, value);
    auto bytes = decode_base64(value.text());
    if (!bytes) {
      value.error("is not valid base64");
      continue;
    }
    total += bytes->size();
    if (!map->data.emplace(key, std::move(*bytes)).second) value.error("the key is in data too");
  }
  if (total > data_bytes_max) document["data"].error("more than 1 MiB of data");
  return std::shared_ptr<const ConfigMap>(std::move(map));
}

std::optional<Object> decode_secret(const Field& document) {
  auto secret = std::make_shared<Secret>();
  secret->key = decode_key(document["metadata"]);
  secret->origin = document.origin();
  secret->type = document["type"].text("Opaque");
  secret->immutable = document["immutable"].boolean();
  std::size_t total = 0;
  for (const auto& [key, value] : document["data"].entries()) {
    check_key(key, value);
    if (!value.is_string()) {  // Never the value itself in a message.
      value.error("must be a string in base64");
      continue;
    }
    auto bytes = decode_base64(value.text());
    if (!bytes) {
      value.error("is not valid base64");
      continue;
    }
    total += bytes->size();
    secret->data.insert_or_assign(key, SecretBytes(std::move(*bytes)));
  }
  for (const auto& [key, value] : document["stringData"].entries()) {
    check_key(key, value);
    if (!value.is_string()) {
      value.error("must be a string; put it in quotes");
      continue;
    }
    std::string text = value.text();
    total += text.size();
    secret->data.insert_or_assign(key, SecretBytes(std::move(text)));
  }
  if (total > data_bytes_max) document["data"].error("more than 1 MiB of data");
  return std::shared_ptr<const Secret>(std::move(secret));
}

}  // namespace mooring::manifest
