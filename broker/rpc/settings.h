// schakel-broker's configuration, read and checked. Paths are absolute here.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/result.h"
#include "broker/crypto/sign.h"
#include "broker/transport/rate_limiter.h"
#include "broker/transport/tls.h"

namespace schakel::rpc {

struct Settings {
  std::filesystem::path file;
  std::filesystem::path data_folder;
  std::filesystem::path head_file;
  std::filesystem::path log_key_file;
  std::string listen_address;
  std::filesystem::path port_file;  // empty: none is written
  transport::TlsFiles tls;
  std::filesystem::path crl_path;
  std::string metrics_address;  // empty: off
  bool reflection = false;
  uint64_t reserve_bytes = 0;
  size_t cache_bytes = 0;
  transport::OrganisationLimits limits;
  std::string log_level;
  std::chrono::milliseconds drain_timeout{10'000};
};

// Appends what is wrong, all of it, with file and line; nullopt when something was.
std::optional<Settings> LoadSettings(const std::filesystem::path& file,
                                     std::vector<Error>* problems);

// The log's signing key: a file of one line, the base64 of the 32-byte Ed25519 seed, mode 0600.
// FIELD_INVALID with the path.
Result<crypto::SigningKey> LoadLogKey(const std::filesystem::path& path);
// Writes a new one, mode 0600; refuses to overwrite.
Status WriteNewLogKey(const std::filesystem::path& path);

Result<Bytes> ReadFile(const std::filesystem::path& path);
// All regular files below a folder, by path relative to it, with /. FIELD_INVALID with the path.
Result<std::map<std::string, Bytes>> ReadFolder(const std::filesystem::path& folder);

}  // namespace schakel::rpc
