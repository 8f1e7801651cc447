// contexts.yaml, and which of flag, environment and context holds.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "broker/base/result.h"
#include "schakel/config/v1/contexts.pb.h"

namespace schakel::sdk {

// Reads an environment variable; nullopt when unset or empty. SystemEnvironment() is getenv.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment SystemEnvironment();

// $XDG_CONFIG_HOME/schakel/contexts.yaml, else ~/.config/schakel/contexts.yaml; SCHAKEL_CONTEXTS
// names another file.
std::filesystem::path ContextsFilePath(const Environment& environment);
// $XDG_STATE_HOME/schakel, else ~/.local/state/schakel.
std::filesystem::path StateHome(const Environment& environment);

// A file that is not there holds no contexts. Errors: CONFIG_INVALID with field "file:line".
Result<config::v1::ContextsFile> LoadContexts(const std::filesystem::path& file);
// Writes it (0600, folder 0700), durably.
Status SaveContexts(const std::filesystem::path& file, const config::v1::ContextsFile& contexts);

// The context to use. Its name: flags.name, SCHAKEL_CONTEXT, the file's `current`; a field: the
// flag, SCHAKEL_BROKER, SCHAKEL_SERVER_NAME, SCHAKEL_CA, SCHAKEL_CERTIFICATE, SCHAKEL_KEY,
// SCHAKEL_CRL, SCHAKEL_KEY_STORE, SCHAKEL_LOG_KEY, SCHAKEL_ACTOR, SCHAKEL_ACTOR_ROLE,
// SCHAKEL_LANGUAGE, SCHAKEL_STATE, the context. Paths come out absolute. A fields that is empty in
// `flags` was not given. Without any context, flags and environment alone may do. NOT_FOUND
// CONTEXT_UNKNOWN when the named one is not in the file.
Result<config::v1::Context> ResolveContext(const std::filesystem::path& file,
                                           const config::v1::Context& flags,
                                           const Environment& environment);

}  // namespace schakel::sdk
