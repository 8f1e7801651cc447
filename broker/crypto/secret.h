// Memory for secrets: BSNs, blinds, shares, content keys, private keys, plaintexts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::crypto {

// A byte string in guarded, locked memory (sodium_malloc, shared by small ones: secret_pool.h) that
// is wiped when it goes. Move-only; a moved-from object is empty. Every read of the bytes shows in
// the code as ExposeSecret...(). Locking is best effort: under a low RLIMIT_MEMLOCK the pages may
// be swapped.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(size_t size);  // zeros
  ~SecretBytes();
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  // The caller wipes the source where it owns it (WipeMemory).
  static SecretBytes CopyOf(BytesView source);
  SecretBytes Clone() const { return CopyOf(ExposeSecret()); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Views are valid as long as the object. Never copy them into a Bytes, a log or a protobuf.
  BytesView ExposeSecret() const { return {reinterpret_cast<const char*>(data_), size_}; }
  std::span<uint8_t> ExposeSecretForWrite() { return {data_, size_}; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// Whether `a` equals `b`, in a time that depends on the sizes only. Unequal sizes are unequal.
bool ConstantTimeEqual(BytesView a, BytesView b);

// Overwrites with zeros; the compiler may not leave it out.
void WipeMemory(std::span<uint8_t> memory);
void WipeMemory(Bytes& bytes);  // and empties it

// No core files, no debugger, no /proc/<pid>/mem for others: RLIMIT_CORE 0, PR_SET_DUMPABLE 0.
// Called first in the main of each program that holds secrets. Fails when the kernel refuses. A
// build with SCHAKEL_ALLOW_CORE_IMAGE defined (the test that searches a core image for known
// secrets) does nothing here; there is no switch at run time.
Status LockDownProcess();

}  // namespace schakel::crypto
