#include "objects/fingerprint.h"

#include <type_traits>
#include <variant>

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
  void add(const Quantity& quantity) { add(quantity.text()); }
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
  template <class... T>
  void add(const std::variant<T...>& value) {
    add(value.index());
    std::visit([this](const auto& alternative) { this->add(alternative); }, value);
  }

  void add(const EmptyDirSource& s) { all(s.medium, s.huge_page_size, s.size_limit); }
  void add(const HostPathSource& s) { all(s.path, s.type); }
  void add(const NfsSource& s) { all(s.server, s.path, s.read_only); }
  void add(const KeyToPath& s) { all(s.key, s.path, s.mode); }
  void add(const ConfigMapSource& s) { all(s.name, s.items, s.default_mode, s.optional); }
  void add(const SecretSource& s) { all(s.secret_name, s.items, s.default_mode, s.optional); }
  void add(const FieldReference& s) { all(s.field_path); }
  void add(const ResourceReference& s) { all(s.container_name, s.resource, s.divisor); }
  void add(const DownwardApiItem& s) { all(s.path, s.value, s.mode); }
  void add(const DownwardApiSource& s) { all(s.items, s.default_mode); }
  void add(const ServiceAccountTokenProjection& s) { all(s.path, s.audience, s.expiration_seconds); }
  void add(const OtherProjection& s) { all(s.kind); }
  void add(const ProjectedSource& s) { all(s.sources, s.default_mode); }
  void add(const ClaimSource& s) { all(s.claim_name, s.read_only); }
  void add(const CsiSource& s) {
    all(s.driver, s.file_system_type, s.read_only, s.attributes, s.publish_secret_name);
  }
  void add(const FlexVolumeSource& s) {
    all(s.driver, s.file_system_type, s.read_only, s.options, s.secret_name);
  }
  void add(const OtherSource& s) { all(s.kind); }
  void add(const Volume& v) { all(v.name, v.source); }
  void add(const VolumeMount& m) {
    all(m.name, m.mount_path, m.read_only, m.recursive_read_only, m.sub_path, m.sub_path_expression,
        m.propagation);
  }
  void add(const VolumeDevice& d) { all(d.name, d.device_path); }
  void add(const EnvironmentVariable& e) { all(e.name, e.value, e.field_path); }
  void add(const Container& c) {
    all(c.name, c.kind, c.mounts, c.devices, c.environment, c.limits, c.requests, c.run_as_user,
        c.privileged);
  }
  void add(const PodSecurity& s) {
    all(s.fs_group, s.fs_group_change_policy, s.run_as_user, s.supplemental_groups, s.selinux_level);
  }

  template <class... T>
  void all(const T&... values) {
    (add(values), ...);
  }

  std::uint64_t value() const { return hash_; }

 private:
  void feed(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3ULL; }
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace

std::uint64_t stable_hash(std::string_view bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hasher.value();
}

std::uint64_t fingerprint(const Pod& pod) {
  Hasher hasher;
  hasher.all(pod.labels, pod.annotations, pod.volumes, pod.containers, pod.security, pod.node_name,
             pod.node_selector, pod.service_account, pod.host_users, pod.is_terminated);
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
