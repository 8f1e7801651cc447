#include "broker/custodian/settings.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

#include "broker/base/limits.h"
#include "broker/config/yaml_message.h"
#include "broker/custodian/files.h"
#include "schakel/config/v1/custodian.pb.h"

namespace schakel::custodian {
namespace {

constexpr size_t kConfigBytesMax = size_t{64} * 1024;
constexpr std::chrono::milliseconds kDrainDefault = std::chrono::seconds(10);

// Lines of all keys by their path. Only called for a text that ReadYaml took.
void AddLines(const YAML::Node& node, const std::string& prefix, std::map<std::string, int>* out) {
  for (const auto& entry : node) {
    const std::string path = prefix + entry.first.Scalar();
    out->emplace(path, entry.first.Mark().line + 1);
    if (entry.second.IsMap()) AddLines(entry.second, path + ".", out);
  }
}

std::map<std::string, int> LinesOf(const std::string& text) {
  std::map<std::string, int> lines;
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsMap()) AddLines(root, "", &lines);
  } catch (const YAML::Exception&) {
    lines.clear();  // ReadYaml reported it
  }
  return lines;
}

// host:port with a port of 0 to 65535; the host may be an IPv6 address in brackets.
bool IsAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const std::string port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5) return false;
  if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return false;
  }
  return std::stoi(port) <= 65535;
}

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("[::1]:");
}

void CheckValues(const Settings& settings, std::vector<Error>* problems) {
  if (!IsAddress(settings.listen_address)) {
    problems->push_back(settings.At(
        "listen.address",
        "expected host:port, such as 0.0.0.0:7444; found '" + settings.listen_address + "'"));
  }
  const std::string& metrics = settings.metrics_address;
  if (!metrics.empty() && (!IsAddress(metrics) || !IsLoopback(metrics))) {
    problems->push_back(settings.At("metrics_address",
                                    "expected a loopback address with a port, such as "
                                    "127.0.0.1:9465; found '" +
                                        metrics + "'"));
  }
  constexpr std::array<std::string_view, 5> kLevels = {"", "debug", "info", "warning", "error"};
  if (std::find(kLevels.begin(), kLevels.end(), settings.log_level) == kLevels.end()) {
    problems->push_back(settings.At(
        "log.level", "expected debug, info, warning or error; found '" + settings.log_level + "'"));
  }
}

}  // namespace

Error Settings::At(const std::string& key, const std::string& message) const {
  const auto found = lines.find(key);
  const int line = found == lines.end() ? 1 : found->second;
  return InvalidArgument("CONFIG_INVALID", file.string() + ":" + std::to_string(line),
                         key + ": " + message);
}

std::optional<Settings> LoadSettings(const std::filesystem::path& file,
                                     std::vector<Error>* problems) {
  const size_t before = problems->size();
  const auto text = ReadFile(file, kConfigBytesMax);
  if (!text.ok()) {
    problems->push_back(text.error());
    return std::nullopt;
  }
  config::v1::CustodianConfig config;
  if (!config::ReadYaml(file.string(), *text, &config, problems)) return std::nullopt;

  const auto path_of = [&](const std::string& path) {
    return path.empty() ? std::filesystem::path() : file.parent_path() / path;
  };
  Settings settings;
  settings.file = file;
  settings.lines = LinesOf(*text);
  settings.data_folder = path_of(config.data_folder());
  settings.share_file = path_of(config.share_file());
  settings.key_document_file = path_of(config.key_document_file());
  settings.members_file = path_of(config.members_file());
  settings.head_file = path_of(config.head_file());
  settings.log_key_file = path_of(config.log_key_file());
  settings.listen_address = config.listen().address();
  settings.port_file = path_of(config.listen().port_file());
  settings.tls = {path_of(config.tls().certificate_file()), path_of(config.tls().key_file()),
                  path_of(config.tls().ca_file())};
  settings.crl_path = path_of(config.tls().crl_path());
  settings.cap_per_day =
      config.cap_per_day() != 0 ? config.cap_per_day() : limits::kBudgetCapPerDayDefault;
  settings.metrics_address = config.metrics_address();
  settings.log_level = config.log().level();
  settings.reflection = config.reflection();
  settings.drain_timeout = kDrainDefault;
  if (config.has_drain_timeout()) {
    settings.drain_timeout = std::chrono::seconds(config.drain_timeout().seconds()) +
                             std::chrono::milliseconds(config.drain_timeout().nanos() / 1'000'000);
  }
  CheckValues(settings, problems);
  if (problems->size() != before) return std::nullopt;
  return settings;
}

}  // namespace schakel::custodian
