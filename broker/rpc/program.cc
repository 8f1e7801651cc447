#include "broker/rpc/program.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "broker/crypto/policy_format.h"
#include "broker/crypto/secret.h"
#include "broker/machine/machine.h"
#include "broker/merkle/note.h"
#include "broker/rpc/broker_server.h"
#include "broker/rpc/program_copies.h"
#include "broker/rpc/reload.h"
#include "broker/transport/service_manager.h"
#include "policy/engine/pack.h"

namespace schakel::rpc {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitNegative = 1;
constexpr int kExitUsage = 64;
constexpr int kExitInternal = 70;
constexpr int kExitConfig = 78;

struct Flags {
  std::string config;
  bool check_config = false;
  std::string origin;
  std::string registrar_certificate;
  std::string registrar_name = "registrar";
  std::string log_key;
  std::string policy;
  std::string accept_time;
  uint64_t incarnation = 0;
  std::string backup_to;
  InspectFlags inspect;
};

void Print(const Error& error) {
  if (!error.field.empty()) std::cerr << error.field << ": ";
  std::cerr << error.message << '\n';
}

int Report(const std::vector<Error>& problems) {
  int code = kExitConfig;
  for (const Error& problem : problems) {
    Print(problem);
    bool ours = problem.code == ErrorCode::kInternal || problem.code == ErrorCode::kDataLoss ||
                problem.code == ErrorCode::kUnavailable;
    if (ours) code = kExitInternal;
  }
  return code;
}

Result<v1::Organisation> ReadRegistrar(const Flags& flags) {
  SCHAKEL_ASSIGN(auto pem, ReadFile(flags.registrar_certificate));
  SCHAKEL_ASSIGN(auto chain, crypto::Certificate::ParseChain(pem));
  SCHAKEL_ASSIGN(auto oin, crypto::RequireOin(chain.front()));
  v1::Organisation registrar;
  registrar.set_oin(oin.str());
  registrar.set_name(flags.registrar_name);
  registrar.set_role(v1::ROLE_REGISTRAR);
  registrar.set_certificate_issuer_digest(chain.front().facts().issuer.str());
  registrar.set_certificate_spki_digest(chain.front().facts().spki.str());
  return registrar;
}

Result<std::unique_ptr<store::Store>> OpenAlone(const Settings& settings,
                                                const Surroundings& around, bool create) {
  SCHAKEL_ASSIGN(auto placement, store::CheckPlacement(settings.head_file, settings.data_folder));
  if (placement.same_file_system) {
    std::cerr
        << "warning: " << settings.head_file.string()
        << " lies on the same file system as the data folder; a restored disk takes both back\n";
  }
  store::StoreOptions options;
  options.folder = settings.data_folder;
  options.create = create;
  options.cache_bytes = settings.cache_bytes;
  options.free_bytes = around.free_bytes;
  options.file_system = around.file_system;
  return store::Store::Open(std::move(options));
}

Status Init(const Settings& settings, const Surroundings& around, const Flags& flags) {
  auto region = sequencer::RegionOfOrigin(flags.origin);
  if (!region) {
    return InvalidArgument("FIELD_INVALID", "--origin",
                           "<region-domain>/schakel/<incarnation> expected, such as "
                           "zhz.example/schakel/1");
  }
  sequencer::InitOptions options;
  options.origin = flags.origin;
  options.region = *region;
  SCHAKEL_ASSIGN(options.registrar, ReadRegistrar(flags));
  SCHAKEL_ASSIGN(auto folder, ReadFolder(flags.policy));
  SCHAKEL_ASSIGN(auto files, policy::SelectFiles(folder));
  std::vector<crypto::PolicyFile> list;
  for (auto& [path, content] : files) list.push_back({path, content});
  SCHAKEL_ASSIGN(options.bundle, crypto::EncodePolicyBundle(std::move(list)));
  std::filesystem::path key_file =
      flags.log_key.empty() ? settings.log_key_file : std::filesystem::path(flags.log_key);
  if (!std::filesystem::exists(key_file)) SCHAKEL_TRY(WriteNewLogKey(key_file));
  SCHAKEL_ASSIGN(auto log_key, LoadLogKey(key_file));
  SCHAKEL_ASSIGN(auto store, OpenAlone(settings, around, true));
  store::FileHeadStore heads(settings.head_file);
  SCHAKEL_TRY(sequencer::InitialiseLog(store.get(), &heads, log_key, *around.clock, options));
  SCHAKEL_ASSIGN(auto verifier, merkle::VerifierKey::Create(flags.origin, log_key.public_key()));
  std::cout << verifier.Encode() << std::endl;
  return {};
}

Status Recover(const Settings& settings, const Surroundings& around, const Flags& flags) {
  SCHAKEL_ASSIGN(auto log_key, LoadLogKey(settings.log_key_file));
  SCHAKEL_ASSIGN(auto store, OpenAlone(settings, around, false));
  store::FileHeadStore heads(settings.head_file);
  SCHAKEL_TRY(
      sequencer::RecoverLog(store.get(), &heads, log_key, *around.clock, flags.incarnation));
  SCHAKEL_ASSIGN(auto meta, machine::ReadMeta(store->durable()));
  std::cout << meta->log_key() << std::endl;
  return {};
}

// RFC 3339, UTC, whole seconds: 2026-11-22T10:00:00Z.
Result<Micros> ParseTime(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') {
    return InvalidArgument("FIELD_INVALID", "T", "a time such as 2026-11-22T10:00:00Z expected");
  }
  return Micros(std::chrono::seconds(::timegm(&parts)));
}

Status AcceptTime(const Settings& settings, const Surroundings& around, const Flags& flags) {
  SCHAKEL_ASSIGN(auto time, ParseTime(flags.accept_time));
  SCHAKEL_ASSIGN(auto store, OpenAlone(settings, around, false));
  store::FileHeadStore heads(settings.head_file);
  SCHAKEL_ASSIGN(auto judgement, sequencer::Judge(*store, heads));
  if (judgement.mode != sequencer::Mode::kServing) {
    return MakeError(ErrorCode::kFailedPrecondition, "RESTORED", judgement.why);
  }
  return sequencer::AcceptTime(store.get(), time);
}

// Everything that can be known without opening the store.
Status CheckConfig(const Settings& settings, const Surroundings& around) {
  Millis now = std::chrono::duration_cast<Millis>(around.clock->Wall());
  SCHAKEL_ASSIGN(auto anchors,
                 transport::CheckTlsFiles(settings.tls, crypto::ChainUse::kServer, now));
  SCHAKEL_ASSIGN(auto crls, crypto::CrlStore::Open(settings.crl_path, anchors.certificates()));
  SCHAKEL_ASSIGN(auto key, LoadLogKey(settings.log_key_file));
  SCHAKEL_ASSIGN(auto log, transport::Logger::Make(settings.log_level));
  SCHAKEL_ASSIGN(auto placement, store::CheckPlacement(settings.head_file, settings.data_folder));
  if (placement.same_file_system) {
    std::cerr << "warning: " << settings.head_file.string()
              << " lies on the same file system as the data folder\n";
  }
  std::cerr << settings.file.string() << ": no problems found\n";
  return {};
}

int Serve(const Settings& settings, const Surroundings& around) {
  auto log = transport::Logger::Make(settings.log_level);
  if (!log.ok()) return Report({log.error()});
  const transport::GrpcLogBridge bridge(log->get());
  auto server = BrokerServer::Start(settings, around, log->get());
  if (!server.ok()) return Report({server.error()});
  transport::ServerLife life;
  life.look = [&] { return (*server)->vitals(); };
  life.reload = [&] {
    ReloadSettings(settings, log->get());
    (*server)->ReloadTrust();
  };
  life.drain = [&] { (*server)->Drain(); };
  transport::Live(life, log->get());
  return kExitOk;
}

int Inspected(const Settings& settings, const InspectFlags& flags) {
  const auto all_held = RunInspect(settings, flags);
  if (!all_held.ok()) return Report({all_held.error()});
  return *all_held ? kExitOk : kExitNegative;
}

// What an operator does first, in order; as a shell takes it. A test plays it.
constexpr const char* kExamples = R"EX(Examples, in the order in which an operator begins:
cat > broker.yaml <<END
data_folder: data
head_file: head
log_key_file: log.key
listen: {address: "127.0.0.1:7443"}
tls: {certificate_file: broker.pem, key_file: broker.key, ca_file: ca.pem, crl_path: crl.pem}
END
schakel-broker init --config broker.yaml --origin zhz.example/schakel/1 \
    --registrar-cert registrar.pem --policy policy/zuid-holland-zuid
schakel-broker --config broker.yaml --check-config
schakel-broker inspect --config broker.yaml
schakel-broker --config broker.yaml
)EX";

int Finish(const Status& status) { return status.ok() ? kExitOk : Report({status.error()}); }

}  // namespace

int RunProgram(int argc, char** argv, Surroundings surroundings) {
  if (Status locked = crypto::LockDownProcess(); !locked.ok()) return Report({locked.error()});
  const sigset_t signals = transport::ServerSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  Flags flags;
  CLI::App app("Carries signals between organisations, and can't read them.", "schakel-broker");
  app.set_version_flag("--version", std::string("schakel-broker ") + SCHAKEL_VERSION);
  // Sub-commands inherit this when they are made: --config may stand behind them.
  app.fallthrough();
  app.add_option("--config", flags.config, "Configuration file (YAML)")->required();
  app.add_flag("--check-config", flags.check_config, "Check the configuration and end");
  auto* init = app.add_subcommand("init", "Write record 0 into an empty data folder");
  init->add_option("--origin", flags.origin, "Such as zhz.example/schakel/1")->required();
  init->add_option("--registrar-cert", flags.registrar_certificate, "PEM certificate")->required();
  init->add_option("--registrar-name", flags.registrar_name, "Name in the directory");
  init->add_option("--log-key", flags.log_key,
                   "Signing key of the log; made when missing (default: log_key_file)");
  init->add_option("--policy", flags.policy, "Folder of the first policy bundle")->required();
  auto* accept_time = app.add_subcommand("accept-time", "Vouch for the time, broker stopped");
  accept_time->add_option("T", flags.accept_time, "Such as 2026-11-22T10:00:00Z")->required();
  auto* recover = app.add_subcommand("recover", "Go on after a restored copy, broker stopped");
  recover->add_option("--incarnation", flags.incarnation, "A number not used before")->required();
  auto* backup = app.add_subcommand("backup", "Let the running broker copy its store");
  backup->add_option("--to", flags.backup_to, "Folder: new, or empty; the broker writes into it")
      ->required();
  auto* inspect = app.add_subcommand(
      "inspect", "Tell what a store holds and what it lacks, broker stopped; exit 1 when it lacks");
  inspect->add_option("--data", flags.inspect.data,
                      "Another data folder, such as that of a backup (default: data_folder, "
                      "compared with head_file)");
  inspect->add_option("--checkpoint", flags.inspect.checkpoint,
                      "A signed checkpoint that the store should hold");
  inspect->add_flag("--every-file", flags.inspect.every_file,
                    "Compare every file with its check sum; slow");
  app.footer(kExamples);  // last, since the others would inherit it
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  const SystemClock system;
  if (surroundings.clock == nullptr) surroundings.clock = &system;
  std::vector<Error> problems;
  auto settings = LoadSettings(flags.config, &problems);
  if (!settings) return Report(problems);
  if (init->parsed()) return Finish(Init(*settings, surroundings, flags));
  if (recover->parsed()) return Finish(Recover(*settings, surroundings, flags));
  if (accept_time->parsed()) return Finish(AcceptTime(*settings, surroundings, flags));
  if (backup->parsed()) return Finish(RunBackup(*settings, flags.backup_to));
  if (inspect->parsed()) return Inspected(*settings, flags.inspect);
  if (flags.check_config) return Finish(CheckConfig(*settings, surroundings));
  return Serve(*settings, surroundings);
}

}  // namespace schakel::rpc
