// share-<x>.key: one custodian's share of the pseudonym key, on disk.
//   public = "schakel/v1/custodian-share\n" || lp(region) || u32 epoch || OIN || u8 x
//            || digest of the key document(32) || pk_x(32)
//   file   = public || SHA-256(public)(32) || share(32, little-endian)
// The digest finds damage of what is public; pk_x = share times the generator finds damage of the
// share, so that the secret itself is never hashed. Worked example: FORMAT.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/key_document.h"
#include "broker/crypto/ristretto.h"
#include "broker/crypto/secret.h"
#include "broker/crypto/threshold.h"

namespace schakel::custodian {

// A share that exists fits its public_share. Move-only.
struct KeyShareFile {
  std::string region;
  uint32_t epoch;
  OrganisationId custodian;  // whose share it is
  Digest key_document;       // that it was dealt with
  crypto::Point public_share;
  crypto::KeyShare share;
};

// The file of a custodian of `document`. REQUIRES: `document` has a custodian with share.x whose
// public_share is that of the share.
crypto::SecretBytes EncodeShareFile(const crypto::KeyDocument& document,
                                    const crypto::KeyShare& share);

// Strict. Errors: KEY_SHARE_INVALID, with what does not fit.
Result<KeyShareFile> ParseShareFile(BytesView secret_content);

// Reads and parses it. Errors: as above, with the path as field, and those of ReadSecretFile.
Result<KeyShareFile> LoadShareFile(const std::filesystem::path& path);

}  // namespace schakel::custodian
