// SIGHUP: what of the configuration can be taken while the broker runs, and what takes a restart.
#pragma once

#include <string>
#include <vector>

#include "broker/rpc/settings.h"
#include "broker/transport/log.h"

namespace schakel::rpc {

// Keys of the configuration, as they stand in the file, that differ and are taken at a start only.
std::vector<std::string> KeysForRestart(const Settings& running, const Settings& fresh);

// Reads the configuration again. A file with mistakes changes nothing (event config_refused, once
// for each); otherwise the log's level is taken (config_read), and config_needs_restart names each
// key that differs and was not.
void ReloadSettings(const Settings& running, transport::Logger* log);

}  // namespace schakel::rpc
