// The few files that a custodian and its dealer read and write by themselves.
#pragma once

#include <filesystem>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/secret.h"

namespace schakel::custodian {

// Errors of all three: FIELD_INVALID with the path as field; what to do stands in the message.

// Of a file that holds a secret: its owner alone reads and writes it.
inline constexpr unsigned kSecretFileMode = 0600;

// The whole of a file. LIMIT: a longer one than `bytes_max` is refused.
Result<Bytes> ReadFile(const std::filesystem::path& path, size_t bytes_max);

// The same into secret memory. Refused unless it is a regular file (no symbolic link) that neither
// group nor others may use.
Result<crypto::SecretBytes> ReadSecretFile(const std::filesystem::path& path, size_t bytes_max);

// Creates a file of that mode and syncs it. Never overwrites: whatever is there is
// refused. A failed write leaves no file behind.
Status WriteNewFile(const std::filesystem::path& path, BytesView content, unsigned mode);

}  // namespace schakel::custodian
