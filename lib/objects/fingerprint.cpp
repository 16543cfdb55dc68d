#include "objects/fingerprint.h"

#include <set>
#include <type_traits>
#include <variant>

#include "manifest/objects.h"

namespace mooring {
namespace {

using namespace manifest;  // NOLINT(google-build-using-namespace): the whole file walks the types of that
                           // room.

/// Feeds values into the hash, each closed by a byte that no UTF-8 text holds, so that "ab","c" and "a","bc"
/// differ.
class Hasher {
 public:
  void add(std::string_view text) {
    for (const char c : text)
      feed(static_cast<unsigned char>(c));
    feed(0xFF);
  }
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(const char* text) { add(std::string_view(text)); }
  void add(const Quantity& quantity) {
    has_any_ = true;
    add(quantity.text());
  }
  template <class Tag>
  void add(const Id<Tag>& id) {
    add(id.str());
  }
  template <class T>
  requires(std::is_integral_v<T> || std::is_enum_v<T>) void add(T value) {
    add(std::to_string(static_cast<std::int64_t>(value)));
  }
  template <class T>
  void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) add(*value);
  }
  template <class K, class V>
  void add(const std::map<K, V>& values) {
    add(values.size());
    for (const auto& [key, value] : values) {
      add(key);
      add(value);
    }
  }
  template <class T>
  void add(const std::vector<T>& values) {
    add(values.size());
    for (const T& value : values)
      add(value);
  }
  template <class T>
  void add(const std::set<T>& values) {
    add(values.size());
    for (const T& value : values)
      add(value);
  }
  template <class... T>
  void add(const std::variant<T...>& value) {
    if (value.index() != 0) has_any_ = true;
    add(value.index());
    std::visit([this](const auto& alternative) { this->add(alternative); }, value);
  }

  void add(const EmptyDirSource& s) { fields(s.medium, s.huge_page_size, s.size_limit); }
  void add(const HostPathSource& s) { fields(s.path, s.type); }
  void add(const NfsSource& s) { fields(s.server, s.path, s.read_only); }
  void add(const KeyToPath& s) { fields(s.key, s.path, s.mode); }
  void add(const ConfigMapSource& s) { fields(s.name, s.items, s.default_mode, s.optional); }
  void add(const SecretSource& s) { fields(s.secret_name, s.items, s.default_mode, s.optional); }
  void add(const FieldReference& s) { fields(s.field_path); }
  void add(const ResourceReference& s) { fields(s.container_name, s.resource, s.divisor); }
  void add(const DownwardApiItem& s) { fields(s.path, s.value, s.mode); }
  void add(const DownwardApiSource& s) { fields(s.items, s.default_mode); }
  void add(const ServiceAccountTokenProjection& s) { fields(s.path, s.audience, s.expiration_seconds); }
  void add(const OtherProjection& s) { fields(s.kind); }
  void add(const ProjectedSource& s) { fields(s.sources, s.default_mode); }
  void add(const ClaimSource& s) { fields(s.claim_name, s.read_only); }
  void add(const DataSource& s) { fields(s.api_group, s.kind, s.name, s.name_space); }
  /// What only a PersistentVolume may have is not in a pod.
  void add(const CsiSource& s) {
    fields(s.driver, s.file_system_type, s.read_only, s.attributes, s.publish_secret_name, s.volume_handle);
  }
  void add(const FlexVolumeSource& s) {
    fields(s.driver, s.file_system_type, s.read_only, s.options, s.secret_name);
  }
  void add(const OtherSource& s) { fields(s.kind); }
  void add(const LocalSource& s) { fields(s.path, s.file_system_type); }
  void add(const SelectorRequirement& r) { fields(r.key, r.operation, r.values); }
  /// What a template of a claim says of itself; its name is the pod's. Not which access mode comes first: it
  /// was not kept once, and pods that say it would all be others.
  void add(const EphemeralSource& s) {
    const PersistentVolumeClaim& c = *s.claim_template;
    fields(c.labels, c.annotations, c.access_modes, c.volume_mode, c.request, c.storage_class, c.volume_name,
           c.has_selector, c.match_labels, c.match_expressions, c.data_source);
  }
  void add(const Volume& v) { fields(v.name, v.source); }
  void add(const VolumeMount& m) {
    fields(m.name, m.mount_path, m.read_only, m.recursive_read_only, m.sub_path, m.sub_path_expression,
           m.propagation);
  }
  void add(const VolumeDevice& d) { fields(d.name, d.device_path); }
  void add(const std::monostate&) {}
  void add(const ConfigMapKeyReference& r) { fields(r.name, r.key, r.optional); }
  void add(const SecretKeyReference& r) { fields(r.name, r.key, r.optional); }
  void add(const EnvironmentVariable& e) { fields(e.name, e.value, e.source); }
  void add(const EnvironmentSource& e) { fields(e.kind, e.prefix, e.name, e.optional); }
  void add(const SelinuxOptions& s) { fields(s.user, s.role, s.type, s.level); }
  void add(const Container& c) {
    fields(c.name, c.kind, c.mounts, c.devices, c.environment, c.environment_from, c.limits, c.requests,
           c.run_as_user, c.privileged, c.selinux);
  }
  void add(const PodSecurity& s) {
    fields(s.fs_group, s.fs_group_change_policy, s.run_as_user, s.supplemental_groups,
           s.supplemental_groups_policy, s.selinux, s.selinux_change_policy);
  }

  /// The fields of a struct, each by its place in the list. One that is at its default adds nothing, so that
  /// a field that is added to the end of a list one day changes no pod's name that does not use it: pods of
  /// another name would be other pods, and the volumes of those before would go. Never change the order.
  template <class... T>
  void fields(const T&... values) {
    int place = 0;
    (field(place++, values), ...);
    feed(0xFE);
  }

  std::uint64_t value() const { return hash_; }

 private:
  template <class T>
  void field(int place, const T& value) {
    if (is_default(value)) return;
    has_any_ = true;
    add(place);
    add(value);
  }
  template <class T>
  static bool is_default(const T& value) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      return value == T{};
    } else if constexpr (requires { value.empty(); }) {
      return value.empty();
    } else if constexpr (requires { value.has_value(); }) {
      return !value.has_value();
    } else {
      Hasher alone;
      alone.add(value);
      return !alone.has_any_;
    }
  }

  void feed(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3ULL; }
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
  bool has_any_ = false;  ///< Something was added that is not at its default.
};

}  // namespace

std::uint64_t stable_hash(std::string_view bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hasher.value();
}

std::uint64_t fingerprint(const Pod& pod) {
  Hasher hasher;
  hasher.fields(pod.labels, pod.annotations, pod.volumes, pod.containers, pod.security, pod.node_name,
                pod.node_selector, pod.service_account, !pod.host_users, pod.is_terminated);
  return hasher.value();
}

std::string safe_letters(std::uint64_t number, std::size_t count) {
  constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += alphabet[number % alphabet.size()];
    number /= alphabet.size();
  }
  return out;
}

}  // namespace mooring
