#include "broker/rpc/reload.h"

namespace schakel::rpc {

using transport::LogKey;

std::vector<std::string> KeysForRestart(const Settings& running, const Settings& fresh) {
  std::vector<std::string> keys;
  const auto compare = [&](const char* key, const auto& before, const auto& now) {
    if (before != now) keys.push_back(key);
  };
  compare("data_folder", running.data_folder, fresh.data_folder);
  compare("head_file", running.head_file, fresh.head_file);
  compare("log_key_file", running.log_key_file, fresh.log_key_file);
  compare("listen.address", running.listen_address, fresh.listen_address);
  compare("listen.port_file", running.port_file, fresh.port_file);
  compare("tls.certificate_file", running.tls.certificate, fresh.tls.certificate);
  compare("tls.key_file", running.tls.key, fresh.tls.key);
  compare("tls.ca_file", running.tls.ca, fresh.tls.ca);
  compare("tls.crl_path", running.crl_path, fresh.crl_path);
  compare("metrics_address", running.metrics_address, fresh.metrics_address);
  compare("reflection", running.reflection, fresh.reflection);
  compare("storage.reserve_bytes", running.reserve_bytes, fresh.reserve_bytes);
  compare("storage.cache_bytes", running.cache_bytes, fresh.cache_bytes);
  compare("limits.streams", running.limits.streams, fresh.limits.streams);
  compare("limits.calls_per_second", running.limits.calls_per_second,
          fresh.limits.calls_per_second);
  compare("drain_timeout", running.drain_timeout, fresh.drain_timeout);
  return keys;
}

void ReloadSettings(const Settings& running, transport::Logger* log) {
  std::vector<Error> problems;
  const auto fresh = LoadSettings(running.file, &problems);
  if (fresh) {
    Status leveled = log->SetLevel(fresh->log_level);
    if (!leveled.ok()) problems.push_back(leveled.error());
  }
  for (const Error& problem : problems) {
    log->Failure("config_refused", {{LogKey::kPath, problem.field},
                                    {LogKey::kDetail, problem.message + "; nothing was changed"}});
  }
  if (!problems.empty()) return;
  log->Info("config_read", {{LogKey::kPath, running.file.string()}});
  for (const std::string& key : KeysForRestart(running, *fresh)) {
    log->Warning(
        "config_needs_restart",
        {{LogKey::kDetail, key + " is taken at a start only; the old value stays in use"}});
  }
}

}  // namespace schakel::rpc
