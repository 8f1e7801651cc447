#include "clients/sdk/context.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "broker/config/yaml_message.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {
namespace {

namespace fs = std::filesystem;
using config::v1::Context;

// A double-quoted YAML scalar.
std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void AddField(std::string& out, const char* key, const std::string& value) {
  if (!value.empty()) out += std::string("    ") + key + ": " + Quoted(value) + "\n";
}

std::string ToYaml(const config::v1::ContextsFile& contexts) {
  std::string out = "# Which broker, as whom. Written by schakel context; may be edited.\n";
  if (!contexts.current().empty()) out += "current: " + Quoted(contexts.current()) + "\n";
  if (contexts.contexts_size() == 0) return out;
  out += "contexts:\n";
  for (const auto& context : contexts.contexts()) {
    out += "  " + context.name() + ":\n";
    AddField(out, "broker", context.broker());
    AddField(out, "server_name", context.server_name());
    AddField(out, "ca_file", context.ca_file());
    AddField(out, "certificate_file", context.certificate_file());
    AddField(out, "key_file", context.key_file());
    AddField(out, "crl_path", context.crl_path());
    AddField(out, "key_store", context.key_store());
    if (context.custodians_size() > 0) out += "    custodians:\n";
    for (const auto& custodian : context.custodians()) {
      out += "      - oin: " + Quoted(custodian.oin()) + "\n";
      out += "        address: " + Quoted(custodian.address()) + "\n";
      if (!custodian.log_key().empty()) {
        out += "        log_key: " + Quoted(custodian.log_key()) + "\n";
      }
    }
    if (context.key_documents_size() > 0) out += "    key_documents:\n";
    for (const auto& document : context.key_documents()) {
      out += "      - epoch: " + std::to_string(document.epoch()) + "\n";
      out += "        digest: " + Quoted(document.digest()) + "\n";
    }
    AddField(out, "log_key", context.log_key());
    AddField(out, "actor", context.actor());
    AddField(out, "actor_role", context.actor_role());
    AddField(out, "language", context.language());
    AddField(out, "state_folder", context.state_folder());
  }
  return out;
}

struct Setting {
  const char* variable;
  const std::string& (Context::*get)() const;
  std::string* (Context::*mutate)();
  bool is_path;
};

const Setting kSettings[] = {
    {"SCHAKEL_BROKER", &Context::broker, &Context::mutable_broker, false},
    {"SCHAKEL_SERVER_NAME", &Context::server_name, &Context::mutable_server_name, false},
    {"SCHAKEL_CA", &Context::ca_file, &Context::mutable_ca_file, true},
    {"SCHAKEL_CERTIFICATE", &Context::certificate_file, &Context::mutable_certificate_file, true},
    {"SCHAKEL_KEY", &Context::key_file, &Context::mutable_key_file, true},
    {"SCHAKEL_CRL", &Context::crl_path, &Context::mutable_crl_path, true},
    {"SCHAKEL_KEY_STORE", &Context::key_store, &Context::mutable_key_store, true},
    {"SCHAKEL_LOG_KEY", &Context::log_key, &Context::mutable_log_key, false},
    {"SCHAKEL_ACTOR", &Context::actor, &Context::mutable_actor, false},
    {"SCHAKEL_ACTOR_ROLE", &Context::actor_role, &Context::mutable_actor_role, false},
    {"SCHAKEL_LANGUAGE", &Context::language, &Context::mutable_language, false},
    {"SCHAKEL_STATE", &Context::state_folder, &Context::mutable_state_folder, true},
};

fs::path HomeFolder(const Environment& environment, const char* variable, const char* fallback) {
  if (const auto set = environment(variable)) return fs::path(*set) / "schakel";
  return fs::path(environment("HOME").value_or(".")) / fallback / "schakel";
}

std::string AbsoluteFrom(const fs::path& folder, const std::string& path) {
  if (path.empty() || fs::path(path).is_absolute()) return path;
  std::error_code code;
  return fs::absolute(folder / path, code).lexically_normal().string();
}

}  // namespace

Environment SystemEnvironment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  };
}

fs::path ContextsFilePath(const Environment& environment) {
  if (const auto file = environment("SCHAKEL_CONTEXTS")) return *file;
  return HomeFolder(environment, "XDG_CONFIG_HOME", ".config") / "contexts.yaml";
}

fs::path StateHome(const Environment& environment) {
  return HomeFolder(environment, "XDG_STATE_HOME", ".local/state");
}

Result<config::v1::ContextsFile> LoadContexts(const fs::path& file) {
  config::v1::ContextsFile contexts;
  SCHAKEL_ASSIGN(const auto text, ReadFileIfThere(file, 1 << 20));
  if (!text) return contexts;
  SCHAKEL_TRY(config::ReadYaml(file.string(), *text, &contexts));
  return contexts;
}

Status SaveContexts(const fs::path& file, const config::v1::ContextsFile& contexts) {
  if (file.has_parent_path()) {
    std::error_code code;
    if (!fs::exists(file.parent_path(), code)) {
      SCHAKEL_TRY(EnsurePrivateFolder(file.parent_path()));
    }
  }
  return WriteFileDurably(file, ToYaml(contexts));
}

Result<Context> ResolveContext(const fs::path& file, const Context& flags,
                               const Environment& environment) {
  SCHAKEL_ASSIGN(const auto contexts, LoadContexts(file));
  std::string name = flags.name();
  if (name.empty()) name = environment("SCHAKEL_CONTEXT").value_or(contexts.current());
  Context context;
  if (!name.empty()) {
    const auto& all = contexts.contexts();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.name() == name; });
    if (found == all.end()) {
      return MakeError(ErrorCode::kNotFound, "CONTEXT_UNKNOWN",
                       "there is no context '" + name + "' in " + file.string(), name);
    }
    context = *found;
  }
  for (const auto& setting : kSettings) {
    std::string& value = *(context.*setting.mutate)();
    if (setting.is_path) value = AbsoluteFrom(file.parent_path(), value);
    const std::string& flag = (flags.*setting.get)();
    if (!flag.empty()) {
      value = setting.is_path ? AbsoluteFrom(fs::current_path(), flag) : flag;
    } else if (const auto set = environment(setting.variable)) {
      value = setting.is_path ? AbsoluteFrom(fs::current_path(), *set) : *set;
    }
  }
  if (flags.custodians_size() > 0) *context.mutable_custodians() = flags.custodians();
  if (flags.key_documents_size() > 0) *context.mutable_key_documents() = flags.key_documents();
  if (context.language().empty()) context.set_language("en");
  if (context.state_folder().empty()) {
    const std::string leaf = context.name().empty() ? "default" : context.name();
    context.set_state_folder((StateHome(environment) / leaf).string());
  }
  return context;
}

}  // namespace schakel::sdk
