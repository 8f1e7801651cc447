#include "broker/custodian/program.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "broker/crypto/secret.h"
#include "broker/custodian/custodian_server.h"
#include "broker/custodian/keygen.h"
#include "broker/transport/service_manager.h"

namespace schakel::custodian {
namespace {

struct Flags {
  std::string config;
  bool check_config = false;
  KeygenOptions keygen;
  std::vector<std::string> keygen_custodians;
};

void Print(const Error& error) {
  if (!error.field.empty()) std::cerr << error.field << ": ";
  std::cerr << error.message << '\n';
}

bool IsOurFault(const Error& error) {
  return error.code == ErrorCode::kInternal || error.code == ErrorCode::kDataLoss ||
         error.code == ErrorCode::kUnknown || error.code == ErrorCode::kUnavailable;
}

int Report(const std::vector<Error>& problems) {
  int code = kExitConfig;
  for (const Error& problem : problems) {
    Print(problem);
    if (IsOurFault(problem)) code = kExitInternal;
  }
  return code;
}

int RunKeygen(Flags& flags) {
  std::cerr << kKeygenWarning << '\n';
  for (const std::string& text : flags.keygen_custodians) {
    auto custodian = ParseKeygenCustodian(text);
    if (!custodian.ok()) {
      Print(custodian.error());
      return kExitUsage;
    }
    flags.keygen.custodians.push_back(std::move(custodian).value());
  }
  const auto digest = Keygen(flags.keygen);
  if (!digest.ok()) {
    Print(digest.error());
    if (IsOurFault(digest.error())) return kExitInternal;
    return digest.error().field.starts_with("--") ? kExitUsage : kExitConfig;
  }
  std::cout << HexEncode(digest->view()) << std::endl;
  return kExitOk;
}

int CheckConfig(const Settings& settings) {
  std::vector<Error> problems;
  if (!LoadMaterials(settings, SystemClock(), nullptr, &problems)) return Report(problems);
  std::cerr << settings.file.string() << ": no problems found\n";
  return kExitOk;
}

int Serve(const Settings& settings) {
  auto log = transport::Logger::Make(settings.log_level);
  if (!log.ok()) return Report({log.error()});
  const SystemClock clock;
  const transport::GrpcLogBridge bridge(log->get());
  std::vector<Error> problems;
  const auto server = CustodianServer::Start(settings, &clock, log->get(), &problems);
  if (!server) return Report(problems);
  transport::ServerLife life;
  life.look = [&] { return server->vitals(); };
  life.reload = [&] { server->Reload(); };
  life.drain = [&] { server->Drain(); };
  transport::Live(life, log->get());
  return kExitOk;
}

int RunConfig(const Flags& flags) {
  std::vector<Error> problems;
  const auto settings = LoadSettings(flags.config, &problems);
  if (!settings) return Report(problems);
  return flags.check_config ? CheckConfig(*settings) : Serve(*settings);
}

CLI::App* AddKeygen(CLI::App& app, Flags* flags) {
  auto* keygen = app.add_subcommand(
      "keygen", "Deal a pseudonym key to custodians: for tests and the quickstart only");
  keygen->add_option("--region", flags->keygen.region, "Domain name of the region")->required();
  keygen->add_option("--epoch", flags->keygen.epoch, "Number of the key, from 1")->required();
  keygen
      ->add_option("--threshold", flags->keygen.threshold,
                   "How many custodians are needed for a pseudonym")
      ->required();
  keygen
      ->add_option("--custodian", flags->keygen_custodians,
                   "OIN=certificate.pem:key.pem, once for each; the first gets share 1")
      ->required()
      ->allow_extra_args(false);
  keygen
      ->add_option("--out", flags->keygen.out,
                   "Folder for key-document.pb and share-<n>.key; nothing is overwritten")
      ->required();
  return keygen;
}

}  // namespace

int RunProgram(int argc, char** argv) {
  const Status locked_down = crypto::LockDownProcess();
  if (!locked_down.ok()) {
    Print(locked_down.error());
    return kExitInternal;
  }
  const sigset_t signals = transport::ServerSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  Flags flags;
  CLI::App app("Holds one share of a region's pseudonym key.", "schakel-custodian");
  app.set_version_flag("--version", std::string("schakel-custodian ") + SCHAKEL_VERSION);
  auto* config = app.add_option("--config", flags.config, "Configuration file (YAML)");
  app.add_flag("--check-config", flags.check_config,
               "Read and check the configuration and all files that it names, and end")
      ->needs(config);
  const CLI::App* keygen = AddKeygen(app, &flags);
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (keygen->parsed()) {
    if (flags.config.empty()) return RunKeygen(flags);
    std::cerr << "--config does not go with keygen\n";
    return kExitUsage;
  }
  if (flags.config.empty()) {
    std::cerr << "expected --config FILE or keygen; --help tells more\n";
    return kExitUsage;
  }
  return RunConfig(flags);
}

}  // namespace schakel::custodian
