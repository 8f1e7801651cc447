#include "broker/custodian/log_key.h"

#include "broker/crypto/secret.h"
#include "broker/custodian/files.h"

namespace schakel::custodian {
namespace {

// LIMIT: 44 characters of base64 and a line end, with room for an editor's.
constexpr size_t kLogKeyBytesMax = 64;

}  // namespace

Result<crypto::SigningKey> LoadLogKey(const std::filesystem::path& path) {
  SCHAKEL_ASSIGN(const crypto::SecretBytes content, ReadSecretFile(path, kLogKeyBytesMax));
  BytesView line = content.ExposeSecret();
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  auto seed = Base64Decode(line);
  if (!seed || seed->size() != crypto::kEd25519SeedBytes) {
    return InvalidArgument("FIELD_INVALID", path.string(),
                           "one line with the base64 of 32 bytes expected");
  }
  auto secret = crypto::SecretBytes::CopyOf(*seed);
  crypto::WipeMemory(*seed);
  return crypto::SigningKey::FromSeed(std::move(secret));
}

Status WriteNewLogKey(const std::filesystem::path& path) {
  const auto key = crypto::SigningKey::Generate();
  Bytes line = Base64Encode(key.seed().ExposeSecret()) + "\n";
  Status written = WriteNewFile(path, line, kSecretFileMode);
  crypto::WipeMemory(line);
  return written;
}

}  // namespace schakel::custodian
