#include "csi/requests.h"

#include "csi/names.h"

namespace mooring::csi {
namespace {

/// Counts what Writer will write.
class Counter {
 public:
  void append(std::string_view text) { size_ += text.size(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

/// Writes into memory that was made large enough at once.
class Writer {
 public:
  explicit Writer(std::size_t size) { text_.reserve(size); }
  void append(std::string_view text) { text_ += text; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// A JSON object, written member by member.
template <class Out>
class Object {
 public:
  explicit Object(Out& out) : out_(out) { out_.append("{"); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  ~Object() { out_.append("}"); }

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    begin(key);
    literal(value);
  }
  void flag(std::string_view key, bool value) {
    if (!value) return;
    begin(key);
    out_.append("true");
  }
  void texts(std::string_view key, const Context& values) {
    if (values.empty()) return;
    Object map(begin(key));
    for (const auto& [name, value] : values)
      map.entry(name, value);
  }
  void secrets(std::string_view key, const Secrets& values) {
    if (values.empty()) return;
    Object map(begin(key));
    for (const auto& [name, value] : values)
      map.entry(name, value.expose_secret());
  }
  void list(std::string_view key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    begin(key);
    const char* separator = "[";
    for (const std::string& value : values) {
      out_.append(separator);
      literal(value);
      separator = ",";
    }
    out_.append("]");
  }
  /// Where the value of a member goes.
  Out& begin(std::string_view key) {
    if (has_member_) out_.append(",");
    has_member_ = true;
    literal(key);
    out_.append(":");
    return out_;
  }

 private:
  /// A map's entry counts even if it is empty.
  void entry(std::string_view key, std::string_view value) {
    begin(key);
    literal(value);
  }
  /// Piece by piece: nothing of a secret is put together anywhere else.
  void literal(std::string_view value) {
    constexpr std::string_view digits = "0123456789abcdef";
    out_.append("\"");
    for (std::size_t begin = 0; begin < value.size();) {
      std::size_t end = begin;
      while (end < value.size() && is_plain(value[end]))
        ++end;
      out_.append(value.substr(begin, end - begin));
      if (end < value.size()) {
        const auto byte = static_cast<unsigned char>(value[end]);
        const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4U], digits[byte & 15U]};
        out_.append({escape, sizeof escape});
      }
      begin = end + 1;
    }
    out_.append("\"");
  }
  static bool is_plain(char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != '\x7f';
  }

  Out& out_;
  bool has_member_ = false;
};

template <class Out>
void write_capability(Object<Out>& object, const CsiCapability& capability) {
  Object<Out> inner(object.begin("volume_capability"));
  if (capability.is_block) {
    Object<Out> block(inner.begin("block"));
  } else {
    Object<Out> mount(inner.begin("mount"));
    mount.text("fs_type", capability.fs_type);
    mount.list("mount_flags", capability.mount_flags);
    mount.text("volume_mount_group", capability.volume_mount_group);
  }
  Object<Out> mode(inner.begin("access_mode"));
  mode.text("mode", to_string(capability.access_mode));
}

/// What `fill` puts into an object. It is asked twice: how long it is, and for the text.
template <class Fill>
SecretBytes made(const Fill& fill) {
  Counter counter;
  {
    Object<Counter> object(counter);
    fill(object);
  }
  Writer writer(counter.size());
  {
    Object<Writer> object(writer);
    fill(object);
  }
  return SecretBytes(writer.take());
}

}  // namespace

SecretBytes stage_request(const StageRequest& request) {
  return made([&](auto& object) {
    object.text("volume_id", request.volume_id);
    object.texts("publish_context", request.publish_context);
    object.text("staging_target_path", request.staging_target_path);
    write_capability(object, request.capability);
    object.secrets("secrets", request.secrets);
    object.texts("volume_context", request.volume_context);
  });
}

SecretBytes unstage_request(std::string_view volume_id, std::string_view staging_target_path) {
  return made([&](auto& object) {
    object.text("volume_id", volume_id);
    object.text("staging_target_path", staging_target_path);
  });
}

SecretBytes publish_request(const PublishRequest& request) {
  return made([&](auto& object) {
    object.text("volume_id", request.volume_id);
    object.texts("publish_context", request.publish_context);
    object.text("staging_target_path", request.staging_target_path);
    object.text("target_path", request.target_path);
    write_capability(object, request.capability);
    object.flag("readonly", request.read_only);
    object.secrets("secrets", request.secrets);
    object.texts("volume_context", request.volume_context);
  });
}

SecretBytes unpublish_request(std::string_view volume_id, std::string_view target_path) {
  return made([&](auto& object) {
    object.text("volume_id", volume_id);
    object.text("target_path", target_path);
  });
}

SecretBytes expand_request(const ExpandRequest& request) {
  return made([&](auto& object) {
    object.text("volume_id", request.volume_id);
    object.text("volume_path", request.volume_path);
    if (request.required_bytes != 0) {
      Object inner(object.begin("capacity_range"));
      // A number of 64 bits is a string in protobuf's JSON.
      inner.text("required_bytes", std::to_string(request.required_bytes));
    }
    object.text("staging_target_path", request.staging_target_path);
    write_capability(object, request.capability);
    object.secrets("secrets", request.secrets);
  });
}

SecretBytes stats_request(std::string_view volume_id, std::string_view volume_path,
                          std::string_view staging_target_path) {
  return made([&](auto& object) {
    object.text("volume_id", volume_id);
    object.text("volume_path", volume_path);
    object.text("staging_target_path", staging_target_path);
  });
}

void add_pod_info(const PodInfo& pod, Context& context) {
  const std::string prefix = "csi.storage.k8s.io/";
  context[prefix + "pod.name"] = pod.name;
  context[prefix + "pod.namespace"] = pod.name_space;
  context[prefix + "pod.uid"] = pod.uid;
  context[prefix + "serviceAccount.name"] = pod.service_account;
  context[prefix + "ephemeral"] = pod.is_ephemeral ? "true" : "false";
}

}  // namespace mooring::csi
