#include "broker/crypto/secret.h"

#include <sodium.h>

#include <utility>

#include "broker/crypto/init.h"
#include "broker/crypto/raw.h"

namespace schakel::crypto {

SecretBytes::SecretBytes(size_t size) : size_(size) {
  if (size == 0) return;
  InitCrypto();
  data_ = static_cast<uint8_t*>(sodium_malloc(size));
  SCHAKEL_CHECK(data_ != nullptr, "memory for a secret");
  sodium_memzero(data_, size);  // sodium_malloc fills with 0xdb
}

SecretBytes::~SecretBytes() { sodium_free(data_); }

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    sodium_free(data_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

SecretBytes SecretBytes::CopyOf(BytesView source) {
  SecretBytes copy(source.size());
  if (!source.empty()) std::memcpy(copy.data_, source.data(), source.size());
  return copy;
}

bool ConstantTimeEqual(BytesView a, BytesView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void WipeMemory(std::span<uint8_t> memory) { sodium_memzero(memory.data(), memory.size()); }

void WipeMemory(Bytes& bytes) {
  sodium_memzero(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace schakel::crypto
