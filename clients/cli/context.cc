// schakel context: which broker, as whom. Testing it: context_check.cc.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "clients/cli/context_check.h"
#include "clients/cli/parse.h"

namespace schakel::cli {
namespace {

using config::v1::Context;
using config::v1::ContextsFile;

Result<ContextsFile> Load(Invocation& invocation) {
  return sdk::LoadContexts(sdk::ContextsFilePath(invocation.io().environment));
}

Status Save(Invocation& invocation, const ContextsFile& contexts) {
  return sdk::SaveContexts(sdk::ContextsFilePath(invocation.io().environment), contexts);
}

Context* Find(ContextsFile& contexts, const std::string& name) {
  for (auto& context : *contexts.mutable_contexts()) {
    if (context.name() == name) return &context;
  }
  return nullptr;
}

Error Unknown(Invocation& invocation, const std::string& name) {
  return MakeError(ErrorCode::kNotFound, "CONTEXT_UNKNOWN",
                   invocation.Text(Msg::kNoContext, {name}), name);
}

struct AddOptions {
  std::string name;
  std::string certificate;
  std::string key;
};

bool IsCode(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

// Writes what the flags say under a name; fields that a context had before and that are not given
// stay. Paths become absolute, so that the context works from anywhere.
Result<ExitCode> Add(Invocation& invocation, const AddOptions& options) {
  if (!IsCode(options.name)) return UsageError(invocation.Text(Msg::kContextName), "NAME");
  SCHAKEL_ASSIGN(auto contexts, Load(invocation));
  SCHAKEL_ASSIGN(Context given, invocation.Flags());
  if (!options.certificate.empty()) given.set_certificate_file(options.certificate);
  if (!options.key.empty()) given.set_key_file(options.key);
  for (auto* path :
       {given.mutable_ca_file(), given.mutable_certificate_file(), given.mutable_key_file(),
        given.mutable_crl_path(), given.mutable_key_store(), given.mutable_state_folder()}) {
    if (!path->empty()) *path = std::filesystem::absolute(*path).lexically_normal().string();
  }
  given.set_name(options.name);
  Context* context = Find(contexts, options.name);
  if (context == nullptr) context = contexts.add_contexts();
  if (given.custodians_size() > 0) context->clear_custodians();
  if (given.key_documents_size() > 0) context->clear_key_documents();
  context->MergeFrom(given);
  if (contexts.current().empty()) contexts.set_current(options.name);
  SCHAKEL_TRY(Save(invocation, contexts));
  invocation.Note(
      contexts.current() == options.name ? Msg::kContextAddedCurrent : Msg::kContextAdded,
      {options.name});
  return ExitCode::kOk;
}

Result<ExitCode> Use(Invocation& invocation, const std::string& name) {
  SCHAKEL_ASSIGN(auto contexts, Load(invocation));
  if (Find(contexts, name) == nullptr) return Unknown(invocation, name);
  contexts.set_current(name);
  SCHAKEL_TRY(Save(invocation, contexts));
  invocation.Note(Msg::kContextUsed, {name});
  return ExitCode::kOk;
}

Result<ExitCode> List(Invocation& invocation) {
  SCHAKEL_ASSIGN(const auto contexts, Load(invocation));
  Table table({"", invocation.Text(Msg::kColName), invocation.Text(Msg::kColBroker),
               invocation.Text(Msg::kColCertificate)});
  for (const auto& context : contexts.contexts()) {
    table.Add({context.name() == contexts.current() ? "*" : "", context.name(), context.broker(),
               context.certificate_file()});
  }
  invocation.Show(contexts, "contexts", table);
  return ExitCode::kOk;
}

Result<ExitCode> ShowContext(Invocation& invocation, const std::string& name) {
  if (!name.empty()) invocation.options().flags.set_name(name);
  SCHAKEL_ASSIGN(const auto context, invocation.Context());
  Table table({invocation.Text(Msg::kColField), invocation.Text(Msg::kColValue)});
  const auto row = [&](const char* field, const std::string& value) {
    if (!value.empty()) table.Add({field, value});
  };
  // Names as in contexts.yaml: whoever looks here wants to change it there.
  row("name", context.name());
  row("broker", context.broker());
  row("server_name", context.server_name());
  row("ca_file", context.ca_file());
  row("certificate_file", context.certificate_file());
  row("key_file", context.key_file());
  row("crl_path", context.crl_path());
  row("key_store", context.key_store());
  for (const auto& custodian : context.custodians()) {
    row("custodians", custodian.oin() + " " + custodian.address() +
                          (custodian.log_key().empty() ? "" : " " + custodian.log_key()));
  }
  for (const auto& document : context.key_documents()) {
    row("key_documents", std::to_string(document.epoch()) + ": " + document.digest());
  }
  row("log_key", context.log_key());
  row("actor", context.actor());
  row("actor_role", context.actor_role());
  row("language", context.language());
  row("state_folder", context.state_folder());
  invocation.Show(context, nullptr, table);
  return ExitCode::kOk;
}

}  // namespace

void AddContext(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "context", Msg::kNounContext);

  Verb add(noun, invocation, "add", Msg::kVerbContextAdd,
           R"EX(schakel context add team --broker broker.zhz.example:7443 --ca ca.pem \
    --certificate team.pem --key team.key --key-store keys --crl crl.pem \
    --log-key "$(cat log-key.txt)" --actor u123 --actor-role wijkteam \
    --custodian 00000099000000009001=custodian-1.example:7444 \
    --custodian 00000099000000009002=custodian-2.example:7444 \
    --key-document 1=@key-document.pb)EX");
  const auto options = std::make_shared<AddOptions>();
  add.Value("NAME", options->name, Msg::kArgContext, "NAME").Required();
  add.Value("--certificate", options->certificate, Msg::kOptTlsCertificate, "FILE");
  add.Value("--key", options->key, Msg::kOptTlsKey, "FILE");
  add.Run([&invocation, options] { return Add(invocation, *options); });

  Verb use(noun, invocation, "use", Msg::kVerbContextUse, "schakel context use team");
  const auto used = std::make_shared<std::string>();
  use.Value("NAME", *used, Msg::kArgContext, "NAME").Required();
  use.Run([&invocation, used] { return Use(invocation, *used); });

  Verb list(noun, invocation, "list", Msg::kVerbContextList, "schakel context list");
  list.Run([&invocation] { return List(invocation); });

  Verb show(noun, invocation, "show", Msg::kVerbContextShow,
            "schakel context show\nschakel context show team");
  const auto shown = std::make_shared<std::string>();
  show.Value("NAME", *shown, Msg::kArgContextOwn, "NAME");
  show.Run([&invocation, shown] { return ShowContext(invocation, *shown); });

  AddContextCheck(noun, invocation);
}

}  // namespace schakel::cli
