#include "provision/csi_class.h"

#include <array>
#include <string_view>

#include "base/quote.h"
#include "manifest/names.h"
#include "provision/common.h"

namespace mooring {
namespace {

using manifest::PersistentVolumeClaim;
using manifest::StorageClass;

constexpr std::string_view reserved = "csi.storage.k8s.io/";

/// One secret's keys, without the reserved prefix, and the old ones, which have none.
struct SecretKeys {
  std::string_view name;
  std::string_view old_name;
};
constexpr SecretKeys default_secret{"secret", ""};
constexpr SecretKeys provisioner{"provisioner-secret", "csiProvisionerSecret"};
constexpr SecretKeys controller_publish{"controller-publish-secret", "csiControllerPublishSecret"};
constexpr SecretKeys node_stage{"node-stage-secret", "csiNodeStageSecret"};
constexpr SecretKeys node_publish{"node-publish-secret", "csiNodePublishSecret"};
constexpr SecretKeys controller_expand{"controller-expand-secret", ""};
constexpr SecretKeys node_expand{"node-expand-secret", ""};
constexpr std::array<SecretKeys, 7> all_secrets{default_secret, provisioner,  controller_publish,
                                                node_stage,     node_publish, controller_expand,
                                                node_expand};

bool is_fs_type(std::string_view key) {
  constexpr std::string_view word = "fstype";
  if (key.starts_with(reserved)) return key.substr(reserved.size()) == word;
  if (key.size() != word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char lower = key[i] >= 'A' && key[i] <= 'Z' ? static_cast<char>(key[i] - 'A' + 'a') : key[i];
    if (lower != word[i]) return false;
  }
  return true;
}

bool is_known(std::string_view key) {
  if (is_fs_type(key)) return true;
  const std::string_view rest = key.substr(reserved.size());
  for (const SecretKeys& keys : all_secrets) {
    if (rest == std::string(keys.name) + "-name" || rest == std::string(keys.name) + "-namespace")
      return true;
  }
  return false;
}

using Values = std::map<std::string, std::string>;

/// Reads the secrets of one class for one claim.
class SecretReader {
 public:
  SecretReader(const StorageClass& storage_class, const PersistentVolumeClaim& claim,
               const ObjectName& volume)
      : class_(storage_class) {
    for_namespaces_ = {{"pv.name", volume.str()}, {"pvc.namespace", claim.key.name_space.str()}};
    for_names_ = for_namespaces_;
    for_names_["pvc.name"] = claim.key.name.str();
    for (const auto& [key, value] : claim.annotations)
      for_names_["pvc.annotations['" + key + "']"] = value;
  }

  /// nullopt: the class names none.
  Result<std::optional<ObjectKey>> read(const SecretKeys& keys) const {
    MOORING_TRY(const std::optional<ObjectKey> own, read_only(keys));
    if (own) return own;
    return read_only(default_secret);
  }

 private:
  Result<std::optional<ObjectKey>> read_only(const SecretKeys& keys) const {
    MOORING_TRY(const auto name, value_of(keys, "-name", "Name"));
    MOORING_TRY(const auto name_space, value_of(keys, "-namespace", "Namespace"));
    if (!name && !name_space) return std::optional<ObjectKey>();
    if (!name || !name_space || name->empty() || name_space->empty())
      return wrong(keys, "has only one of its name and its namespace", "write both");
    MOORING_TRY(std::string full_name, resolved(keys, *name, for_names_));
    MOORING_TRY(std::string full_space, resolved(keys, *name_space, for_namespaces_));
    if (!manifest::is_dns_label(full_space))
      return wrong(keys, "has the namespace " + quoted(full_space) + ", which is no name of one",
                   "correct it, or what it is made of");
    if (!manifest::is_dns_subdomain(full_name))
      return wrong(keys, "has the name " + quoted(full_name) + ", which no object may have",
                   "correct it, or what it is made of");
    return std::optional<ObjectKey>(
        ObjectKey{Namespace(std::move(full_space)), ObjectName(std::move(full_name))});
  }

  Result<std::optional<std::string>> value_of(const SecretKeys& keys, const char* ending,
                                              const char* old_ending) const {
    const auto now = class_.parameters.find(std::string(reserved) + std::string(keys.name) + ending);
    const auto old = keys.old_name.empty() ? class_.parameters.end()
                                           : class_.parameters.find(std::string(keys.old_name) + old_ending);
    const bool has_now = now != class_.parameters.end();
    const bool has_old = old != class_.parameters.end();
    if (has_now && has_old) return wrong(keys, "is said by two keys", "leave " + old->first + " out");
    if (!has_now && !has_old) return std::optional<std::string>();
    return std::optional<std::string>(has_now ? now->second : old->second);
  }

  Result<std::string> resolved(const SecretKeys& keys, const std::string& text, const Values& values) const {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      if (text[at] != '$') {
        out += text[at++];
        continue;
      }
      const std::size_t end = text.find('}', at);
      const bool is_token = text.compare(at, 2, "${") == 0 && end != std::string::npos;
      const auto value = is_token ? values.find(text.substr(at + 2, end - at - 2)) : values.end();
      if (value == values.end()) {
        std::string known;
        for (const auto& [token, unused] : values)
          known += (known.empty() ? "${" : ", ${") + token + "}";
        return wrong(keys, "has " + quoted(text) + ", in which something stands for nothing",
                     "for this claim there are " + known);
      }
      out += value->second;
      at = end + 1;
    }
    return out;
  }

  Error wrong(const SecretKeys& keys, const std::string& what, std::string remedy) const {
    return invalid_parameters(class_, std::string(reserved) + std::string(keys.name) + " " + what,
                              std::move(remedy));
  }

  const StorageClass& class_;
  Values for_names_;
  Values for_namespaces_;
};

}  // namespace

Result<CsiClass> read_csi_class(const StorageClass& storage_class, const PersistentVolumeClaim& claim,
                                const ObjectName& volume) {
  CsiClass found;
  bool has_fs_type = false;
  for (const auto& [key, value] : storage_class.parameters) {
    if (is_fs_type(key)) {
      if (has_fs_type)
        return invalid_parameters(storage_class, "the file system's type is said by two keys",
                                  "write csi.storage.k8s.io/fstype alone");
      has_fs_type = true;
      found.fs_type = value;
    }
    if (!key.starts_with(reserved)) {
      found.parameters[key] = value;
    } else if (!is_known(key)) {
      return invalid_parameters(
          storage_class, "the parameter " + quoted(key) + " is unknown",
          "parameters of this prefix are not the driver's: correct it, or leave it out");
    }
  }
  const SecretReader secrets(storage_class, claim, volume);
  MOORING_TRY(found.provisioner_secret, secrets.read(provisioner));
  MOORING_TRY(found.controller_publish_secret, secrets.read(controller_publish));
  MOORING_TRY(found.node_stage_secret, secrets.read(node_stage));
  MOORING_TRY(found.node_publish_secret, secrets.read(node_publish));
  MOORING_TRY(found.controller_expand_secret, secrets.read(controller_expand));
  MOORING_TRY(found.node_expand_secret, secrets.read(node_expand));
  return found;
}

}  // namespace mooring
