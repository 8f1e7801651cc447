// The configuration file, read and checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/result.h"
#include "broker/transport/tls.h"

namespace schakel::custodian {

// All paths are absolute or relative to the working folder: those of the file were relative to it.
struct Settings {
  std::filesystem::path data_folder;
  std::filesystem::path share_file;
  std::filesystem::path key_document_file;
  std::filesystem::path members_file;
  std::filesystem::path head_file;
  std::filesystem::path log_key_file;
  std::string listen_address;
  std::filesystem::path port_file;  // empty: none
  transport::TlsFiles tls;
  std::filesystem::path crl_path;
  uint32_t cap_per_day = 0;
  std::string metrics_address;  // empty: none
  std::string log_level;
  bool reflection = false;
  std::chrono::milliseconds drain_timeout{};

  std::filesystem::path file;        // the configuration file itself
  std::map<std::string, int> lines;  // of its keys, such as "tls.ca_file", from 1

  // An Error at a key: reason CONFIG_INVALID, field "file:line", message "key: ...".
  Error At(const std::string& key, const std::string& message) const;
};

// Reads the file (schakel.config.v1.CustodianConfig) and appends one Error per mistake, its field
// "file:line". nullopt when there was one. Opens no file that it names.
std::optional<Settings> LoadSettings(const std::filesystem::path& file,
                                     std::vector<Error>* problems);

}  // namespace schakel::custodian
