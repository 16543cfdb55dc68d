#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret_bytes.h"
#include "csi/names.h"
#include "facts/csi.h"

namespace mooring::csi::json_writer {

// Requests are written by hand, and not by a library for JSON: what may hold a secret goes into memory of
// just its size and nowhere else.

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
  void texts(std::string_view key, const std::map<std::string, std::string>& values) {
    if (values.empty()) return;
    Object map(begin(key));
    for (const auto& [name, value] : values)
      map.entry(name, value);
  }
  void secrets(std::string_view key, const std::map<std::string, SecretBytes>& values) {
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
  /// An amount of bytes: a number of 64 bits is a string in protobuf's JSON. 0 is left out.
  void amount(std::string_view key, std::uint64_t value) {
    if (value != 0) text(key, std::to_string(value));
  }
  /// A map's entry, which counts even if it is empty.
  void entry(std::string_view key, std::string_view value) {
    begin(key);
    literal(value);
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

/// A VolumeCapability, as a value.
template <class Out>
void write_capability(Out& out, const CsiCapability& capability) {
  Object<Out> inner(out);
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

}  // namespace mooring::csi::json_writer
