#include "broker/rpc/settings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "broker/base/limits.h"
#include "broker/config/yaml_message.h"
#include "broker/crypto/random.h"
#include "schakel/config/v1/broker.pb.h"

namespace schakel::rpc {

namespace fs = std::filesystem;

Result<Bytes> ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return InvalidArgument("FIELD_INVALID", path.string(), "can't be read");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<std::map<std::string, Bytes>> ReadFolder(const fs::path& folder) {
  std::map<std::string, Bytes> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    SCHAKEL_ASSIGN(auto content, ReadFile(it->path()));
    files[fs::relative(it->path(), folder).generic_string()] = std::move(content);
  }
  if (error) return InvalidArgument("FIELD_INVALID", folder.string(), error.message());
  return files;
}

std::optional<Settings> LoadSettings(const fs::path& file, std::vector<Error>* problems) {
  auto text = ReadFile(file);
  if (!text.ok()) {
    problems->push_back(text.error());
    return std::nullopt;
  }
  config::v1::BrokerConfig config;
  size_t before = problems->size();
  if (!config::ReadYaml(file.string(), *text, &config, problems)) return std::nullopt;

  auto need = [&](const std::string& value, const char* key) {
    if (value.empty()) {
      problems->push_back(
          InvalidArgument("CONFIG_INVALID", file.string(), std::string(key) + " is required"));
    }
  };
  need(config.data_folder(), "data_folder");
  need(config.head_file(), "head_file");
  need(config.log_key_file(), "log_key_file");
  need(config.listen().address(), "listen.address");
  need(config.tls().certificate_file(), "tls.certificate_file");
  need(config.tls().key_file(), "tls.key_file");
  need(config.tls().ca_file(), "tls.ca_file");
  need(config.tls().crl_path(), "tls.crl_path");
  if (problems->size() != before) return std::nullopt;

  fs::path folder = fs::absolute(file).parent_path();
  auto at = [&](const std::string& path) { return (folder / path).lexically_normal(); };
  Settings s;
  s.file = file;
  s.data_folder = at(config.data_folder());
  s.head_file = at(config.head_file());
  s.log_key_file = at(config.log_key_file());
  s.listen_address = config.listen().address();
  if (!config.listen().port_file().empty()) s.port_file = at(config.listen().port_file());
  s.tls = {at(config.tls().certificate_file()), at(config.tls().key_file()),
           at(config.tls().ca_file())};
  s.crl_path = at(config.tls().crl_path());
  s.metrics_address = config.metrics_address();
  s.reflection = config.reflection();
  s.reserve_bytes = config.storage().reserve_bytes() != 0 ? config.storage().reserve_bytes()
                                                          : limits::kReserveBytesDefault;
  s.cache_bytes =
      config.storage().cache_bytes() != 0 ? config.storage().cache_bytes() : size_t{256} << 20;
  if (config.limits().streams() != 0) s.limits.streams = config.limits().streams();
  if (config.limits().calls_per_second() != 0) {
    s.limits.calls_per_second = config.limits().calls_per_second();
  }
  s.log_level = config.log().level();
  if (config.has_drain_timeout()) {
    s.drain_timeout = std::chrono::seconds(config.drain_timeout().seconds()) +
                      std::chrono::milliseconds(config.drain_timeout().nanos() / 1'000'000);
  }
  return s;
}

Result<crypto::SigningKey> LoadLogKey(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return InvalidArgument("FIELD_INVALID", path.string(), "the log key file is missing");
  }
  if ((info.st_mode & 077) != 0) {
    return InvalidArgument("FIELD_INVALID", path.string(),
                           "others may read the log key; run chmod 600 on it");
  }
  SCHAKEL_ASSIGN(auto text, ReadFile(path));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  auto seed = Base64Decode(text);
  crypto::WipeMemory({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  if (!seed || seed->size() != crypto::kEd25519SeedBytes) {
    return InvalidArgument("FIELD_INVALID", path.string(),
                           "one line with the base64 of 32 bytes expected");
  }
  auto secret = crypto::SecretBytes::CopyOf(*seed);
  crypto::WipeMemory({reinterpret_cast<uint8_t*>(seed->data()), seed->size()});
  return crypto::SigningKey::FromSeed(std::move(secret));
}

Status WriteNewLogKey(const fs::path& path) {
  int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) {
    return InvalidArgument("FIELD_INVALID", path.string(),
                           "can't be created; a key file is never overwritten");
  }
  auto key = crypto::SigningKey::Generate();
  std::string line = Base64Encode({reinterpret_cast<const char*>(key.seed().ExposeSecret().data()),
                                   key.seed().size()}) +
                     "\n";
  bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                 ::fsync(fd) == 0;
  ::close(fd);
  crypto::WipeMemory({reinterpret_cast<uint8_t*>(line.data()), line.size()});
  if (!written) return InvalidArgument("FIELD_INVALID", path.string(), "can't be written");
  return {};
}

}  // namespace schakel::rpc
