#pragma once

#include <string>
#include <utility>

namespace mooring {

/// Bytes that must not be printed: what a Secret holds. There is no operator<<, no formatter and no implicit
/// conversion; the memory is wiped when it goes.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  SecretBytes(const SecretBytes&) = default;
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(const SecretBytes& other);
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes();

  /// The only way to the bytes; the name is long so that a review finds it.
  const std::string& expose_secret() const { return bytes_; }
  friend bool operator==(const SecretBytes&, const SecretBytes&) = default;

 private:
  void wipe();
  std::string bytes_;
};

/// Overwrites the text's memory and empties it: for buffers that secrets went through.
void wipe(std::string& text);

}  // namespace mooring
