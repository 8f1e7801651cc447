#include "clients/cli/program.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <memory>

#include "clients/cli/main_tasks.h"
#include "clients/cli/verb.h"

namespace schakel::cli {
namespace {

// Help that begins with examples; they stand in the app's footer.
class ExamplesFirst final : public CLI::Formatter {
 public:
  explicit ExamplesFirst(const Invocation& invocation)
      : invocation_(invocation),
        examples_(invocation.Text(Msg::kExamples)),
        common_(invocation.Text(Msg::kCommonOptions)) {
    column_width(34);
    label("REQUIRED", invocation.Text(Msg::kRequired));
    label("OPTIONS", invocation.Text(Msg::kOptionsLabel));
    label("SUBCOMMAND", invocation.Text(Msg::kVerbLabel));
    label("SUBCOMMANDS", invocation.Text(Msg::kVerbLabel));
    label("Usage", invocation.Text(Msg::kUsageLabel));
    label("Options", invocation.Text(Msg::kOptionsLabel));
    label("Positionals", invocation.Text(Msg::kArgumentsLabel));
    label("Subcommands", invocation.Text(Msg::kVerbsLabel));
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    if (mode == CLI::AppFormatMode::Sub) return make_expanded(app);
    std::string out = make_description(app);
    if (!app->get_footer().empty()) {
      out += examples_ + ":\n";
      std::string rest = app->get_footer();
      while (!rest.empty()) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        out += "  " + rest.substr(0, end) + "\n";
        rest.erase(0, std::min(end + 1, rest.size()));
      }
      out += "\n";
    }
    out += Tasks(app);
    // What one may do before how: the program's own options are many and stand in the context.
    out += make_usage(app, std::move(name)) + make_subcommands(app, mode) + make_positionals(app) +
           make_groups(app, mode);
    // The program's own options stand there; here one must know that they exist.
    if (app->get_parent() != nullptr) out += "\n" + common_ + "\n";
    return out;
  }

 private:
  // Of the program and of nouns: in which order somebody new goes on.
  std::string Tasks(const CLI::App* app) const {
    const bool is_program = app->get_parent() == nullptr;
    if (app->get_subcommands([](const CLI::App*) { return true; }).empty()) return {};
    const auto tasks = MainTasksOf(is_program ? std::string() : app->get_name());
    if (tasks.empty()) return {};
    std::string out = invocation_.Text(Msg::kMainTasks) + ":\n";
    constexpr size_t kWidth = 32;
    for (const auto& task : tasks) {
      std::string line = "  " + invocation_.Text(task.who);
      line.resize(std::max(line.size() + 1, kWidth + 2), ' ');
      for (const auto& step : task.steps) line += (&step == &task.steps[0] ? "" : ", ") + step;
      out += line + "\n";
    }
    if (is_program) out += "  " + invocation_.Text(Msg::kOtherPrograms) + "\n";
    return out + "\n";
  }

  const Invocation& invocation_;
  std::string examples_;
  std::string common_;
};

// What --language says, before anything is parsed: help needs it.
Language FirstLanguage(const std::vector<std::string>& args, const Io& io) {
  std::string code = io.environment("SCHAKEL_LANGUAGE").value_or("");
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--language" && i + 1 < args.size()) code = args[i + 1];
    if (args[i].starts_with("--language=")) code = args[i].substr(11);
  }
  return LanguageOf(code).value_or(LanguageOfLocale(io.environment));
}

// `--identity:2 @f` and `--identity:2=@f` become `--identity 2=@f`.
std::vector<std::string> SplitIdentityNumbers(const std::vector<std::string>& args) {
  constexpr std::string_view kFlag = "--identity:";
  std::vector<std::string> out;
  for (size_t i = 0; i < args.size(); ++i) {
    if (!args[i].starts_with(kFlag)) {
      out.push_back(args[i]);
      continue;
    }
    std::string value = args[i].substr(kFlag.size());
    if (value.find('=') == std::string::npos && i + 1 < args.size()) value += "=" + args[++i];
    out.push_back("--identity");
    out.push_back(value);
  }
  return out;
}

void AddGlobal(CLI::App& program, Invocation& invocation) {
  using config::v1::Context;
  GlobalOptions& options = invocation.options();
  const auto add = [&](const char* name, std::string* (Context::*field)(), Msg help,
                       const char* value) {
    program.add_option(name, *(options.flags.*field)(), invocation.Text(help))->type_name(value);
  };
  program.add_option("-o,--output", options.output, invocation.Text(Msg::kOptOutput))
      ->type_name("FORMAT");
  add("--context", &Context::mutable_name, Msg::kOptContext, "NAME");
  add("--language", &Context::mutable_language, Msg::kOptLanguage, "nl|en");
  add("--broker", &Context::mutable_broker, Msg::kOptBroker, "HOST:PORT");
  add("--server-name", &Context::mutable_server_name, Msg::kOptServerName, "NAME");
  add("--ca", &Context::mutable_ca_file, Msg::kOptCa, "FILE");
  add("--tls-certificate", &Context::mutable_certificate_file, Msg::kOptTlsCertificate, "FILE");
  add("--tls-key", &Context::mutable_key_file, Msg::kOptTlsKey, "FILE");
  add("--crl", &Context::mutable_crl_path, Msg::kOptCrl, "PATH");
  add("--key-store", &Context::mutable_key_store, Msg::kOptKeyStore, "DIR");
  add("--log-key", &Context::mutable_log_key, Msg::kOptLogKey, "VKEY");
  add("--actor", &Context::mutable_actor, Msg::kOptActor, "ID");
  add("--actor-role", &Context::mutable_actor_role, Msg::kOptActorRole, "ROLE");
  add("--state", &Context::mutable_state_folder, Msg::kOptState, "DIR");
  const auto repeated = [&](const char* name, std::vector<std::string>& to, Msg help,
                            const char* value) {
    program.add_option(name, to, invocation.Text(help))
        ->type_name(value)
        ->type_size(1)
        ->expected(1, CLI::detail::expected_max_vector_size)
        ->allow_extra_args(false);
  };
  repeated("--custodian", options.custodians, Msg::kOptCustodian, "OIN=HOST:PORT");
  repeated("--custodian-log-key", options.custodian_log_keys, Msg::kOptCustodianLogKey, "OIN=VKEY");
  repeated("--key-document", options.key_documents, Msg::kOptKeyDocument, "EPOCH=DIGEST");
  program.add_option("--timeout", options.timeout, invocation.Text(Msg::kOptTimeout))
      ->type_name("TIME");
}

// The deepest verb that was named, for the hint after a mistake.
std::string PathOf(const CLI::App& program) {
  std::string path = program.get_name();
  const CLI::App* at = &program;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().back();
    path += " " + at->get_name();
  }
  return path;
}

// The parser's complaint in the user's language, where it is one of the usual ones.
std::string Mistake(const Invocation& invocation, const CLI::App& program,
                    const CLI::ParseError& error) {
  // A word that is no verb counts as a missing verb first; what is wrong is the word.
  const auto unknown = program.remaining(true);
  if (!unknown.empty()) return invocation.Text(Msg::kUnknownHere, {unknown.front()});
  const std::string what = error.what();
  constexpr std::string_view kEnd = " is required";
  if (what == "A subcommand is required") return invocation.Text(Msg::kMissingVerb);
  if (what.ends_with(kEnd)) {
    return invocation.Text(Msg::kMissingFlag,
                           {std::string_view(what).substr(0, what.size() - kEnd.size())});
  }
  return what;
}

}  // namespace

void BuildProgram(CLI::App& program, Invocation& invocation) {
  program.name("schakel");
  program.description(invocation.Text(Msg::kProgram));
  program.formatter(std::make_shared<ExamplesFirst>(invocation));
  program.option_defaults()->group(invocation.Text(Msg::kOptionsLabel));
  program.set_help_flag("-h,--help", invocation.Text(Msg::kOptHelp));
  program.get_help_ptr()->group(invocation.Text(Msg::kOptionsLabel));
  program.fallthrough();
  program.require_subcommand(1);
  AddGlobal(program, invocation);
  AddSignal(program, invocation);
  AddInbox(program, invocation);
  AddLoopback(program, invocation);
  AddConsent(program, invocation);
  AddPseudonym(program, invocation);
  AddKeys(program, invocation);
  AddOrg(program, invocation);
  AddPolicy(program, invocation);
  AddFlow(program, invocation);
  AddAudit(program, invocation);
  AddContext(program, invocation);
  AddBench(program, invocation);
  AddCompletion(program, invocation);
  AddVersion(program, invocation);
  // After its nouns were added, since they would inherit it.
  program.footer(
      "schakel context add team --broker broker.zhz.example:7443 --ca ca.pem \\\n"
      "    --certificate team.pem --key team.key --key-store keys --crl crl.pem \\\n"
      "    --actor u123 --actor-role wijkteam\n"
      "schakel context check\n"
      "schakel policy show --codes\n"
      "schakel signal send --help\n"
      "schakel inbox watch --out signals --exec 'cat *.json'\n"
      "schakel signal list");
}

ExitCode RunCli(std::vector<std::string> args, Io& io) {
  Invocation invocation(io, FirstLanguage(args, io));
  CLI::App program;
  BuildProgram(program, invocation);
  try {
    args = SplitIdentityNumbers(args);
    std::reverse(args.begin(), args.end());  // as CLI11 wants them
    program.parse(args);
  } catch (const CLI::CallForHelp&) {
    io.out << program.help();
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    invocation.Note(Msg::kUsage, {Mistake(invocation, program, error)});
    invocation.Note(Msg::kSeeHelp, {PathOf(program)});
    return ExitCode::kUsage;
  }
  const Result<ExitCode> result = [&]() -> Result<ExitCode> {
    // Libraries throw (JSON on bytes that are no UTF-8, file systems); nothing of ours does.
    try {
      SCHAKEL_TRY(invocation.Start());
      return invocation.action();
    } catch (const std::exception& error) {
      return Internal(error.what());
    }
  }();
  io.out.flush();
  if (result.ok()) return *result;
  invocation.ReportError(result.error());
  const ExitCode code = ExitCodeOf(result.error());
  if (code == ExitCode::kUsage) invocation.Note(Msg::kSeeHelp, {PathOf(program)});
  return code;
}

}  // namespace schakel::cli
