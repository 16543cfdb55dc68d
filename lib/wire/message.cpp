#include "wire/message.h"

#include <cstring>
#include <map>
#include <type_traits>
#include <utility>

#include "wire/fields.h"

namespace mooring::wire {
namespace {

template <class E>
constexpr E last_value();
template <>
constexpr Lane last_value<Lane>() {
  return Lane::Own;
}
template <>
constexpr HostPathType last_value<HostPathType>() {
  return HostPathType::BlockDevice;
}
template <>
constexpr Propagation last_value<Propagation>() {
  return Propagation::Shared;
}
template <>
constexpr DeviceName::Kind last_value<DeviceName::Kind>() {
  return DeviceName::Kind::Csi;
}
template <>
constexpr FormatPolicy last_value<FormatPolicy>() {
  return FormatPolicy::IfBlank;
}
template <>
constexpr UnmountPolicy last_value<UnmountPolicy>() {
  return UnmountPolicy::Lazy;
}
template <>
constexpr CsiAccessMode last_value<CsiAccessMode>() {
  return CsiAccessMode::SingleNodeMultiWriter;
}
template <>
constexpr CallCode last_value<CallCode>() {
  return CallCode::Unauthenticated;
}
template <>
constexpr CsiContentSource::Kind last_value<CsiContentSource::Kind>() {
  return CsiContentSource::Kind::Volume;
}
template <>
constexpr ErrorKind last_value<ErrorKind>() {
  return ErrorKind::Uncertain;
}

template <class T>
concept Plain = std::is_integral_v<T> && !std::is_same_v<T, bool>;

/// Takes values apart, and hands their bytes to Derived::append: integers in the machine's byte order (both
/// ends are on one machine).
template <class Derived>
class Putter {
 public:
  template <class... T>
  void operator()(T&... values) {
    (put(values), ...);
  }

  template <Plain T>
  void put(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    append({bytes, sizeof(T)});
  }
  void put(bool value) { put(static_cast<std::uint8_t>(value ? 1 : 0)); }
  void put_text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    append(text);
  }
  void put(std::string& text) { put_text(text); }
  void put(SecretBytes& secret) { put_text(secret.expose_secret()); }
  template <class Tag>
  void put(Id<Tag>& id) {
    put_text(id.str());
  }
  void put(OperationId id) { put(static_cast<std::uint64_t>(id)); }
  template <class E>
  requires std::is_enum_v<E>
  void put(E value) { put(static_cast<std::uint8_t>(value)); }
  template <class T>
  void put(std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class T>
  void put(std::vector<T>& values) {
    put(static_cast<std::uint32_t>(values.size()));
    for (T& value : values)
      put(value);
  }
  template <class V>
  void put(std::map<std::string, V>& values) {
    put(static_cast<std::uint32_t>(values.size()));
    for (auto& [key, value] : values) {
      put_text(key);
      put(value);
    }
  }
  template <class... T>
  void put(std::variant<T...>& value) {
    put(static_cast<std::uint8_t>(value.index()));
    std::visit([this](auto& alternative) { this->put(alternative); }, value);
  }
  void put(Step& step) { put(static_cast<AnyStep&>(step)); }
  template <class T>
  requires std::is_class_v<T>
  void put(T& structure) { fields(*this, structure); }

 private:
  void append(std::string_view bytes) { static_cast<Derived*>(this)->append_bytes(bytes); }
};

/// Only counts.
class Sizer : public Putter<Sizer> {
 public:
  void append_bytes(std::string_view bytes) { size_ += bytes.size(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class Writer : public Putter<Writer> {
 public:
  /// `size`: of all that will be written, so that growing leaves no copy of it behind.
  explicit Writer(std::size_t size) { out_.reserve(size); }
  void append_bytes(std::string_view bytes) { out_ += bytes; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads what Writer wrote. The first value that does not fit makes everything after it fail too.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool is_good() const { return is_good_; }
  bool is_at_end() const { return bytes_.empty(); }

  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }

  template <Plain T>
  void get(T& value) {
    if (!require(sizeof(T))) return;
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
  }
  void get(bool& value) {
    std::uint8_t byte = 0;
    get(byte);
    if (byte > 1) is_good_ = false;
    value = byte == 1;
  }
  void get(std::string& text) {
    std::uint32_t size = 0;
    get(size);
    if (!require(size)) return;
    text.assign(bytes_.data(), size);
    bytes_.remove_prefix(size);
  }
  void get(SecretBytes& secret) {
    std::string text;
    get(text);
    secret = SecretBytes(std::move(text));
  }
  template <class Tag>
  void get(Id<Tag>& id) {
    std::string text;
    get(text);
    id = Id<Tag>(std::move(text));
  }
  void get(OperationId& id) {
    std::uint64_t number = 0;
    get(number);
    id = OperationId{number};
  }
  template <class E>
  requires std::is_enum_v<E>
  void get(E& value) {
    std::uint8_t byte = 0;
    get(byte);
    if (byte > static_cast<std::uint8_t>(last_value<E>())) {
      is_good_ = false;
    } else {
      value = static_cast<E>(byte);
    }
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool has_value = false;
    get(has_value);
    if (has_value && is_good_) get(value.emplace());
  }
  template <class T>
  void get(std::vector<T>& values) {
    std::uint32_t size = 0;
    get(size);
    // Every element takes at least one byte, so that a count beyond the bytes left is a lie.
    if (!require(size)) return;
    for (std::uint32_t i = 0; i < size && is_good_; ++i)
      get(values.emplace_back());
  }
  template <class V>
  void get(std::map<std::string, V>& values) {
    std::uint32_t size = 0;
    get(size);
    if (!require(size)) return;
    for (std::uint32_t i = 0; i < size && is_good_; ++i) {
      std::string key;
      get(key);
      // Keys are written in their order, none of them twice.
      if (!values.empty() && key <= values.rbegin()->first) is_good_ = false;
      if (!is_good_) return;
      get(values[std::move(key)]);
    }
  }
  template <class... T>
  void get(std::variant<T...>& value) {
    std::uint8_t index = 0;
    get(index);
    if (!emplace(value, index, std::index_sequence_for<T...>())) is_good_ = false;
  }
  void get(Step& step) { get(static_cast<AnyStep&>(step)); }
  template <class T>
  requires std::is_class_v<T>
  void get(T& structure) { fields(*this, structure); }

 private:
  template <class V, std::size_t... I>
  bool emplace(V& value, std::size_t index, std::index_sequence<I...>) {
    return ((I == index && (get(value.template emplace<I>()), true)) || ...);
  }
  bool require(std::size_t size) {
    if (size > bytes_.size()) is_good_ = false;
    return is_good_;
  }

  std::string_view bytes_;
  bool is_good_ = true;
};

}  // namespace

std::string encode(const Message& message) {
  // fields() describes mutable structs once for both directions; nothing is changed.
  auto& mutable_message = const_cast<Message&>(message);
  Sizer sizer;
  sizer.put(mutable_message);
  Writer writer(sizer.size());
  writer.put(mutable_message);
  return writer.take();
}

std::size_t encoded_size(const Operation& operation) {
  Sizer sizer;
  sizer.put(const_cast<Operation&>(operation));
  return sizer.size();
}

Result<Message> decode(std::string_view bytes) {
  Reader reader(bytes);
  Message message;
  reader.get(message);
  if (reader.is_good() && reader.is_at_end()) return message;
  Error error;
  error.kind = ErrorKind::Final;
  error.reason = "BadMessage";
  error.message =
      "a message of " + std::to_string(bytes.size()) + " bytes between core and worker is not understood";
  error.remedy = "make sure that mooringd and mooring-worker are of one version";
  return error;
}

}  // namespace mooring::wire
