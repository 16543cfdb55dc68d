#include "flex/options.h"

#include <string_view>
#include <utility>

#include "base/quote.h"

namespace mooring::flex {
namespace {

using Values = std::map<std::string, SecretBytes>;

void add_pod(const PodOptions& pod, Values& values) {
  const auto put = [&](const char* key, const std::string& value) {
    values.insert_or_assign(std::string("kubernetes.io/") + key, SecretBytes(value));
  };
  put("pod.name", pod.name);
  put("pod.namespace", pod.name_space);
  put("pod.uid", pod.uid);
  put("serviceAccount.name", pod.service_account);
  if (pod.fs_group) put("mounterArgs.FsGroup", std::to_string(*pod.fs_group));
  for (const auto& [key, value] : pod.secrets)
    values.insert_or_assign("kubernetes.io/secret/" + key, encode_base64(value));
}

}  // namespace

SecretBytes encode_base64(const SecretBytes& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string& in = bytes.expose_secret();
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);  // No copy of it is left behind by growing.
  const auto byte_at = [&](std::size_t i) {
    return i < in.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(in[i])) : 0U;
  };
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const std::uint32_t bits = byte_at(i) << 16U | byte_at(i + 1) << 8U | byte_at(i + 2);
    out += digits[bits >> 18U & 63U];
    out += digits[bits >> 12U & 63U];
    out += i + 1 < in.size() ? digits[bits >> 6U & 63U] : '=';
    out += i + 2 < in.size() ? digits[bits & 63U] : '=';
  }
  return SecretBytes(std::move(out));
}

SecretBytes options_json(const VolumeOptions& volume, const PodOptions* pod) {
  Values values;
  values.emplace("kubernetes.io/fsType", SecretBytes(volume.file_system_type));
  values.emplace("kubernetes.io/readwrite", SecretBytes(volume.read_only ? "ro" : "rw"));
  values.emplace("kubernetes.io/pvOrVolumeName", SecretBytes(volume.name));
  if (pod != nullptr) add_pod(*pod, values);
  for (const auto& [key, value] : volume.options)
    values.insert_or_assign(key, SecretBytes(value));

  // Twice: a string that grows leaves copies of secrets in freed memory.
  std::size_t size = 2;
  constexpr std::size_t escape_size_max = 6;  // "\u001f"
  for (const auto& [key, value] : values)
    size += (key.size() + value.expose_secret().size()) * escape_size_max + 6;
  std::string text;
  text.reserve(size);
  for (const auto& [key, value] : values) {
    text += text.empty() ? "{" : ",";
    text += json_string(key) + ":";
    std::string word = json_string(value.expose_secret());
    text += word;
    wipe(word);
  }
  text += "}";
  return SecretBytes(std::move(text));
}

}  // namespace mooring::flex
