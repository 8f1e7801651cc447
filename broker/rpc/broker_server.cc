#include "broker/rpc/broker_server.h"

#include <set>

#include "broker/base/limits.h"
#include "broker/merkle/checkpoint.h"
#include "broker/rpc/audit_service.h"
#include "broker/rpc/backup.h"
#include "broker/rpc/consent_service.h"
#include "broker/rpc/directory_service.h"
#include "broker/rpc/flow_service.h"
#include "broker/rpc/inbox_service.h"
#include "broker/rpc/policy_service.h"
#include "broker/rpc/signal_service.h"

namespace schakel::rpc {

using transport::HealthService;
using transport::LogKey;

namespace {

Error Restored() {
  return MakeError(ErrorCode::kFailedPrecondition, "RESTORED",
                   "the store was restored from a copy: only checkpoints, tiles and proofs may be "
                   "read");
}

}  // namespace

BrokerServer::BrokerServer(Settings settings, Surroundings surroundings, transport::Logger* log)
    : settings_(std::move(settings)),
      surroundings_(std::move(surroundings)),
      clock_(surroundings_.clock),
      log_(log) {}

BrokerServer::~BrokerServer() {
  Drain();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (looker_.joinable()) looker_.join();
  server_.reset();
  checkpointer_.reset();
  sequencer_.reset();
}

Result<std::unique_ptr<BrokerServer>> BrokerServer::Start(const Settings& settings,
                                                          const Surroundings& surroundings,
                                                          transport::Logger* log) {
  std::unique_ptr<BrokerServer> server(new BrokerServer(settings, surroundings, log));
  SCHAKEL_TRY(server->Open());
  return server;
}

Status BrokerServer::Open() {
  Millis now = std::chrono::duration_cast<Millis>(clock_->Wall());
  SCHAKEL_ASSIGN(anchors_, transport::CheckTlsFiles(settings_.tls, crypto::ChainUse::kServer, now));
  SCHAKEL_ASSIGN(crls_, crypto::CrlStore::Open(settings_.crl_path, anchors_->certificates(),
                                               limits::kCrlLookEvery));
  SCHAKEL_ASSIGN(log_key_, LoadLogKey(settings_.log_key_file));
  SCHAKEL_TRY(OpenStore());
  directory_ = std::make_unique<DirectoryCache>(store_.get());
  SCHAKEL_TRY(directory_->Refresh());
  key_sets_ = std::make_unique<KeySets>(store_.get());
  tokens_.emplace(query::PageTokens::Fresh());
  MakeGuard();
  if (judgement_.mode == sequencer::Mode::kServing) {
    SCHAKEL_TRY(StartSequencer());
  } else {
    halted_ = Restored();
    log_->Failure("mode_restored", {{LogKey::kDetail, judgement_.why}});
  }
  ShowHealth();  // before the first call can come: whoever finds the port finds it ready
  SCHAKEL_TRY(Listen());
  trust_ = std::make_unique<transport::TrustWatch>(&metrics_, log_, server_->tls(), crls_.get());
  SCHAKEL_ASSIGN(control_,
                 ControlSocket::Listen(settings_.data_folder, [this](const std::string& request) {
                   return OnCommand(request);
                 }));
  Look();
  looker_ = std::thread([this] { LookOften(); });
  log_->Info("broker_ready",
             {{LogKey::kAddress, settings_.listen_address},
              {LogKey::kPort, port()},
              {LogKey::kPosition, store_->position()},
              {LogKey::kMode, sequencer_ ? std::string("SERVING") : halted_->reason}});
  return {};
}

Status BrokerServer::OpenStore() {
  SCHAKEL_ASSIGN(auto placement, store::CheckPlacement(settings_.head_file, settings_.data_folder));
  if (placement.same_file_system) {
    log_->Warning("head_on_same_file_system", {{LogKey::kPath, settings_.head_file.string()}});
  }
  store::StoreOptions options;
  options.folder = settings_.data_folder;
  options.cache_bytes = settings_.cache_bytes;
  options.free_bytes = surroundings_.free_bytes;
  options.file_system = surroundings_.file_system;
  SCHAKEL_ASSIGN(store_, store::Store::Open(std::move(options)));
  heads_ = std::make_unique<store::FileHeadStore>(settings_.head_file);
  SCHAKEL_ASSIGN(judgement_, sequencer::Judge(*store_, *heads_));
  reserve_ = std::make_unique<store::ReserveFile>(settings_.data_folder / "reserve");
  storage_ = std::make_unique<store::StorageGuard>([this] { return store_->FreeBytes(); },
                                                   settings_.reserve_bytes, reserve_.get());
  return storage_->Refresh();
}

Status BrokerServer::StartSequencer() {
  sequencer::SequencerOptions options;
  options.clock = clock_;
  options.storage = storage_.get();
  options.listener = this;
  options.ticks = false;  // until the leases of before this start are given back
  auto started = sequencer::Sequencer::Start(store_.get(), options);
  if (!started.ok() && started.error().reason == "CLOCK_DOUBTFUL") {
    // Its operator stops it and runs accept-time.
    halted_ = started.error();
    log_->Failure("clock_doubtful", {{LogKey::kDetail, halted_->message}});
    return {};
  }
  SCHAKEL_ASSIGN(sequencer_, std::move(started));
  checkpointer_ = std::make_unique<sequencer::Checkpointer>(sequencer_.get(), heads_.get(),
                                                            &*log_key_, judgement_.head);
  SCHAKEL_TRY(checkpointer_->SignNow());
  checkpointer_->Start();
  ReleaseLeftovers();
  DestroyerParts parts{store_.get(), sequencer_.get(),       clock_, &instruments_,
                       log_,         settings_.reserve_bytes};
  SCHAKEL_ASSIGN(destroyer_, Destroyer::Start(parts));
  return {};
}

// What streams held before this start did not run out, however long the broker was away: no tick
// comes before it is given back, uncounted, and no stream takes anything anew.
void BrokerServer::ReleaseLeftovers() {
  machine::ReleaseLeftovers next;
  while (true) {
    const auto outcome = sequencer_->Call(next, std::nullopt);
    if (!outcome.ok() || !outcome->effects.leftovers_from) break;
    next.from = *outcome->effects.leftovers_from;
  }
  sequencer_->StartTicks();
}

void BrokerServer::RecordRefusal(const transport::Refusal& refusal) {
  if (!sequencer_) return;
  std::string method(refusal.method);
  machine::DeniedAttempt denied{refusal.organisation.str(), refusal.error.reason,
                                method.substr(method.rfind('/') + 1)};
  sequencer_->Submit(std::move(denied), std::nullopt, [](const Result<machine::Outcome>&) {});
}

// Before the sequencer: its failure is shown by the health service.
void BrokerServer::MakeGuard() {
  call_metrics_ = std::make_unique<transport::CallMetrics>(&metrics_);
  transport::Authenticator::Options access;
  access.limits = settings_.limits;
  access.on_refused = [this](const transport::Refusal& refusal) { RecordRefusal(refusal); };
  authenticator_ = std::make_unique<transport::Authenticator>(directory_.get(), crls_.get(), clock_,
                                                              std::move(access));
  guard_ = std::make_unique<transport::CallGuard>(authenticator_.get(), &streams_, clock_,
                                                  call_metrics_.get(), log_);
  health_ = std::make_unique<HealthService>(guard_.get());
}

Status BrokerServer::Listen() {
  Parts parts;
  parts.guard = guard_.get();
  parts.clock = clock_;
  parts.store = store_.get();
  parts.sequencer = sequencer_.get();
  parts.halted = halted_;
  parts.gate = &gate_;
  parts.hub = &hub_;
  parts.key_sets = key_sets_.get();
  parts.bundles = &bundles_;
  parts.tokens = &*tokens_;
  parts.anchors = &*anchors_;
  parts.crls = crls_.get();
  std::vector<transport::NamedService> named;
  auto add = [&]<typename Service>(std::unique_ptr<grpc::Service> service) {
    named.push_back(transport::NamedService::Of<Service>(service.get()));
    services_.push_back(std::move(service));
  };
  add.operator()<v1::SignalService>(std::make_unique<SignalService>(parts));
  add.operator()<v1::InboxService>(std::make_unique<InboxService>(parts));
  add.operator()<v1::ConsentService>(std::make_unique<ConsentService>(parts));
  add.operator()<v1::DirectoryService>(std::make_unique<DirectoryService>(parts));
  add.operator()<v1::PolicyService>(std::make_unique<PolicyService>(parts));
  add.operator()<v1::AuditService>(std::make_unique<AuditService>(parts));
  add.operator()<v1::FlowService>(std::make_unique<FlowService>(parts));

  if (!settings_.metrics_address.empty()) {
    SCHAKEL_ASSIGN(endpoint_,
                   transport::MetricsEndpoint::Start(settings_.metrics_address, metrics_));
  }
  std::error_code ignored;
  if (!settings_.port_file.empty()) std::filesystem::remove(settings_.port_file, ignored);
  transport::ServerOptions options;
  options.address = settings_.listen_address;
  options.tls = settings_.tls;
  options.reflection = settings_.reflection;
  SCHAKEL_ASSIGN(server_,
                 transport::Server::Start(options, guard_.get(), health_.get(), std::move(named)));
  if (!settings_.port_file.empty()) {
    SCHAKEL_TRY(transport::WritePortFile(settings_.port_file, server_->port()));
  }
  return {};
}

void BrokerServer::OnDurable(const sequencer::DurableEffects& effects) {
  gate_.SubjectsChanged(effects.changed_subjects);
  if (effects.directory_changed) {
    if (Status refreshed = directory_->Refresh(); !refreshed.ok()) {
      log_->Failure("directory_unreadable", {{LogKey::kDetail, refreshed.error().message}});
    }
  }
  // Once each: a batch may hold hundreds of signals to one recipient.
  const std::set<OrganisationId> wake(effects.wake.begin(), effects.wake.end());
  for (const auto& organisation : wake) hub_.Wake(organisation);
}

void BrokerServer::OnFailed(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    failed_ = error.reason;
  }
  log_->Failure("broker_failed",
                {{LogKey::kReason, error.reason}, {LogKey::kDetail, error.message}});
  ShowHealth();
  // INVARIANT I1: nothing further is delivered, and nobody waits for it.
  hub_.EndAll(sequencer::ToCaller(error));
}

void BrokerServer::ShowHealth() {
  // One at a time: an older finding never comes after a newer one.
  std::lock_guard lock(mutex_);
  bool serving = failed_.empty() && !stopping_ && sequencer_ != nullptr;
  health_->Set("", serving ? HealthService::kServing : HealthService::kNotServing);
}

void BrokerServer::Look() {
  if (Status refreshed = storage_->Refresh(); !refreshed.ok()) {
    log_->Warning("disk_unreadable", {{LogKey::kDetail, refreshed.error().message}});
  }
  ShowHealth();
  {
    std::lock_guard lock(trust_mutex_);
    trust_->Look(std::chrono::duration_cast<Millis>(clock_->Wall()));
  }
  instruments_.Show(Levels());
  if (!sequencer_) return;
  // What was decided a minute ago is no longer on its way to a transport.
  constexpr uint64_t kPositionsKept = 100'000;
  if (store_->position() > kPositionsKept) gate_.Forget(store_->position() - kPositionsKept);
}

void BrokerServer::LookOften() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
    lock.unlock();
    Look();
    hub_.CheckStreams(clock_->Steady());
    lock.lock();
  }
}

Instruments::Levels BrokerServer::Levels() {
  Instruments::Levels levels;
  levels.restored = judgement_.mode != sequencer::Mode::kServing;
  {
    std::lock_guard lock(mutex_);
    const bool halted = !sequencer_ && !levels.restored;
    levels.failed = !failed_.empty() || halted;
    levels.serving = sequencer_ != nullptr && failed_.empty() && !stopping_;
  }
  levels.storage_free_bytes = storage_->free_bytes();
  levels.storage_reserve_bytes = settings_.reserve_bytes;
  levels.inbox_streams = hub_.size();
  if (!sequencer_) return levels;
  const auto stats = sequencer_->stats();
  levels.commands = stats.commands;
  levels.batches = stats.batches;
  levels.queued = stats.queued;
  // In this order: what is signed was durable before.
  levels.signed_records = SignedRecords();
  levels.records = sequencer_->durable_head().size;
  return levels;
}

uint64_t BrokerServer::SignedRecords() const {
  const auto note = merkle::ParseNote(checkpointer_->last());
  if (!note.ok()) return 0;
  const auto checkpoint = merkle::ParseCheckpointBody(note->text);
  return checkpoint.ok() ? checkpoint->head.size : 0;
}

transport::Vitals BrokerServer::vitals() const {
  transport::Vitals vitals;
  {
    std::lock_guard lock(mutex_);
    vitals.failed = !failed_.empty();
    if (vitals.failed) vitals.status = "FAILED (" + failed_ + "): takes nothing until a restart";
  }
  if (!sequencer_) {
    vitals.status = judgement_.mode == sequencer::Mode::kServing
                        ? halted_->reason + ": stop it and run schakel-broker accept-time"
                        : "RESTORED: only checkpoints and proofs are served; run "
                          "schakel-broker inspect";
    return vitals;
  }
  const auto stats = sequencer_->stats();
  vitals.done = stats.batches;
  vitals.waiting = stats.queued;
  if (!vitals.failed) {
    vitals.status = "serving on port " + std::to_string(port()) + "; the log has " +
                    std::to_string(sequencer_->durable_head().size) + " records";
  }
  return vitals;
}

void BrokerServer::ReloadTrust() {
  std::lock_guard lock(trust_mutex_);
  trust_->Reload(std::chrono::duration_cast<Millis>(clock_->Wall()));
}

// "backup <absolute path>" is answered by "ok" or "error <reason> <text>".
std::string BrokerServer::OnCommand(const std::string& request) {
  constexpr std::string_view kBackup = "backup ";
  if (!request.starts_with(kBackup)) return "error FIELD_INVALID unknown command";
  const std::filesystem::path to = request.substr(kBackup.size());
  log_->Info("backup_begins", {{LogKey::kPath, to.string()}});
  BackupParts parts;
  parts.store = store_.get();
  parts.checkpointer = checkpointer_.get();
  parts.clock = clock_;
  parts.data_folder = settings_.data_folder;
  parts.reserve_bytes = settings_.reserve_bytes;
  const auto made = MakeBackup(parts, to);
  instruments_.BackupEnded(made.ok(), clock_->Wall());
  if (made.ok()) {
    log_->Info("backup_made", {{LogKey::kPath, to.string()}, {LogKey::kPosition, made->position}});
    return made->linked ? "ok linked" : "ok copied";
  }
  log_->Failure("backup_failed", {{LogKey::kPath, to.string()},
                                  {LogKey::kReason, made.error().reason},
                                  {LogKey::kDetail, made.error().message}});
  return "error " + made.error().reason + " " + made.error().message;
}

void BrokerServer::Drain() {
  if (server_) server_->Drain(settings_.drain_timeout);
  destroyer_.reset();
  if (sequencer_) sequencer_->Stop();
  if (checkpointer_) {
    checkpointer_->Stop();
    Status last = checkpointer_->SignNow();
    if (!last.ok()) log_->Warning("no_last_checkpoint", {{LogKey::kDetail, last.error().message}});
  }
  control_.reset();
}

}  // namespace schakel::rpc
