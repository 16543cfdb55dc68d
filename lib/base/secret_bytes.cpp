#include "base/secret_bytes.h"

#include <cstring>

namespace mooring {

void wipe(std::string& text) {
  // All that was allocated: a text that was longer once left its end there.
  text.resize(text.capacity());
  explicit_bzero(text.data(), text.size());
  text.clear();
}

void SecretBytes::wipe() {
  mooring::wipe(bytes_);
}

SecretBytes::~SecretBytes() {
  wipe();
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept : bytes_(other.bytes_) {
  // A short string is copied by its move: copy in any case, and wipe what is left behind.
  other.wipe();
}

SecretBytes& SecretBytes::operator=(const SecretBytes& other) {
  if (this == &other) return *this;
  wipe();
  bytes_ = other.bytes_;
  return *this;
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  bytes_ = other.bytes_;
  other.wipe();
  return *this;
}

}  // namespace mooring
