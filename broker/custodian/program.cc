#include "broker/custodian/program.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "broker/crypto/secret.h"
#include "broker/custodian/custodian_server.h"
#include "broker/custodian/keygen.h"
#include "broker/custodian/log_key.h"
#include "broker/custodian/startup.h"
#include "broker/transport/service_manager.h"

namespace schakel::custodian {
namespace {

struct Flags {
  std::string config;
  bool check_config = false;
  uint32_t number = 0;  // of the log; init: 0 for that of the share
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

void WarnOfPlacement(const Settings& settings, const Materials& materials) {
  if (!materials.head_on_same_file_system) return;
  std::cerr << "warning: " << settings.head_file.string()
            << " lies on the same file system as the data folder; a restored disk takes both "
               "back\n";
}

int CheckConfig(const Settings& settings) {
  std::vector<Error> problems;
  const auto materials = LoadMaterials(settings, SystemClock(), nullptr, &problems);
  if (!materials) return Report(problems);
  WarnOfPlacement(settings, *materials);
  std::cerr << settings.file.string() << ": no problems found\n";
  return kExitOk;
}

// What init and recover share: the custodian is stopped, its store opened alone.
int WithLog(const Settings& settings, bool create,
            const std::function<Result<std::string>(store::Store*, store::HeadStore*,
                                                    const Materials&, Micros)>& act) {
  const SystemClock clock;
  std::vector<Error> problems;
  const auto materials = LoadMaterials(settings, clock, nullptr, &problems);
  if (!materials) return Report(problems);
  WarnOfPlacement(settings, *materials);
  store::FileHeadStore heads(settings.head_file);
  if (create) {
    // Before there is a folder: an empty store beside a head would look like one that lost it all.
    const auto head = heads.Read();
    if (!head.ok()) return Report({head.error()});
    if (*head) {
      return Report({settings.At("head_file", "it exists already, of the log " + (*head)->origin +
                                                  "; see schakel-custodian recover")});
    }
  }
  auto store = OpenStore(settings, create);
  if (!store.ok()) return Report({store.error()});
  const auto log_key = act(store->get(), &heads, *materials, clock.Wall());
  if (!log_key.ok()) return Report({log_key.error()});
  std::cout << *log_key << std::endl;
  return kExitOk;
}

int RunInit(const Settings& settings, uint32_t number) {
  std::error_code failed;
  if (!std::filesystem::exists(settings.log_key_file, failed)) {
    const Status made = WriteNewLogKey(settings.log_key_file);
    if (!made.ok()) return Report({made.error()});
  }
  return WithLog(
      settings, true,
      [&](store::Store* store, store::HeadStore* heads, const Materials& materials, Micros now) {
        const uint32_t which = number != 0 ? number : materials.holder->x();
        return InitialiseLog(store, heads, materials, which, now);
      });
}

int RunRecover(const Settings& settings, uint32_t number) {
  return WithLog(
      settings, false,
      [&](store::Store* store, store::HeadStore* heads, const Materials& materials, Micros now) {
        uint64_t lost = 0;
        auto key = RecoverLog(store, heads, materials, number, now, &lost);
        if (key.ok()) {
          std::cerr << "warning: budgets count on from what this copy holds; at least " << lost
                    << " records that the old log had are not in it, and what they "
                       "charged is given back. Consider a lower cap_per_day for 30 "
                       "days, and give everyone the new log key\n";
        }
        return key;
      });
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

enum class Command { kServe, kInit, kRecover };

int RunConfig(const Flags& flags, Command command) {
  std::vector<Error> problems;
  const auto settings = LoadSettings(flags.config, &problems);
  if (!settings) return Report(problems);
  if (command == Command::kInit) return RunInit(*settings, flags.number);
  if (command == Command::kRecover) return RunRecover(*settings, flags.number);
  return flags.check_config ? CheckConfig(*settings) : Serve(*settings);
}

// What a custodian does first, in order; as a shell takes it. A test plays it.
constexpr const char* kExamples = R"EX(Examples, in the order in which a custodian begins:
schakel-custodian keygen --region zhz.example --epoch 1 --threshold 1 \
    --custodian 00000099000000009001=custodian.pem:custodian.key --out keys
cat > members.yaml <<END
members:
  - oin: "00000099000000002000"
    certificate_spki_digest: $(openssl x509 -in debt-relief.pem -noout -pubkey |
      openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)
    authority: "Wgs art. 8 (example)"
END
cat > custodian.yaml <<END
data_folder: data
share_file: keys/share-1.key
key_document_file: keys/key-document.pb
members_file: members.yaml
head_file: head
log_key_file: log.key
listen: {address: "127.0.0.1:7444"}
tls: {certificate_file: custodian.pem, key_file: custodian.key, ca_file: ca.pem, crl_path: crl.pem}
END
schakel-custodian init --config custodian.yaml
schakel-custodian --config custodian.yaml --check-config
schakel-custodian --config custodian.yaml
)EX";

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
  // The others may have --config behind them.
  auto* init = app.add_subcommand(
      "init", "Begin the custodian's log in an empty data folder; prints the log's verifier key");
  init->fallthrough();
  init->add_option("--number", flags.number, "Of the log (default: that of the share)")
      ->check(CLI::PositiveNumber);
  auto* recover = app.add_subcommand(
      "recover", "Go on after an old copy was put back, custodian stopped; prints the new key");
  recover->fallthrough();
  recover
      ->add_option("--number", flags.number,
                   "One that no log of the region's custodians had, above the custodians' own")
      ->required()
      ->check(CLI::PositiveNumber);
  app.footer(kExamples);  // last, since the others would inherit it
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
  const Command command = init->parsed()      ? Command::kInit
                          : recover->parsed() ? Command::kRecover
                                              : Command::kServe;
  return RunConfig(flags, command);
}

}  // namespace schakel::custodian
