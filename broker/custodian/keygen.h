// The dealer: makes the pseudonym key and deals its shares. It sees the whole key and holds every
// custodian's certificate key, so it is for tests and the quickstart, and says so on every run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::custodian {

struct KeygenCustodian {
  std::string oin;
  std::filesystem::path certificate_file;  // PEM chain, leaf first; names the OIN
  std::filesystem::path key_file;          // its private key, mode 0600
};

struct KeygenOptions {
  std::string region;
  uint32_t epoch = 0;
  uint32_t threshold = 0;
  std::vector<KeygenCustodian> custodians;  // the first gets share 1
  std::filesystem::path out;                // folder; made when missing
};

// "OIN=certificate.pem:key.pem". Errors: FIELD_INVALID with the text as field.
Result<KeygenCustodian> ParseKeygenCustodian(const std::string& text);

inline constexpr std::string_view kKeygenWarning =
    "schakel-custodian keygen is a dealer: whoever runs it could keep the whole key. "
    "For tests and the quickstart only.";

// Writes key-document.pb and share-1.key .. share-n.key (mode 0600) into the folder `out`, or
// nothing: what was written is removed again when a later file fails. Returns the digest of the key
// document. Errors: FIELD_INVALID (threshold, epoch, a file that is there already, ...),
// CERTIFICATE_INVALID, KEY_DOCUMENT_INVALID.
Result<Digest> Keygen(const KeygenOptions& options);

}  // namespace schakel::custodian
