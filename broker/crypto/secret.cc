#include "broker/crypto/secret.h"

#include <sodium.h>

#include <utility>

#include "broker/crypto/raw.h"
#include "broker/crypto/secret_pool.h"

namespace schakel::crypto {

SecretBytes::SecretBytes(size_t size)
    : data_(size == 0 ? nullptr : TakeSecretMemory(size)), size_(size) {}

SecretBytes::~SecretBytes() { GiveBackSecretMemory(data_, size_); }

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    GiveBackSecretMemory(data_, size_);
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
