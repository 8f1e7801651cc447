// The signing key of the custodian's log: a file of one line, the base64 of the 32-byte Ed25519
// seed, mode 0600. The same form as the broker's.
#pragma once

#include <filesystem>

#include "broker/base/result.h"
#include "broker/crypto/sign.h"

namespace schakel::custodian {

// FIELD_INVALID with the path as field.
Result<crypto::SigningKey> LoadLogKey(const std::filesystem::path& path);
// Makes a new one. Never overwrites. Errors as above.
Status WriteNewLogKey(const std::filesystem::path& path);

}  // namespace schakel::custodian
