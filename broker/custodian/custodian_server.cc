#include "broker/custodian/custodian_server.h"

#include <utility>

namespace schakel::custodian {

using transport::HealthService;
using transport::LogKey;

CustodianServer::CustodianServer(const Settings& settings, const Clock* clock,
                                 transport::Logger* log)
    : settings_(settings), clock_(clock), log_(log), instruments_(&metrics_, log) {}

CustodianServer::~CustodianServer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (looker_.joinable()) looker_.join();
  Drain();
}

std::unique_ptr<CustodianServer> CustodianServer::Start(const Settings& settings,
                                                        const Clock* clock, transport::Logger* log,
                                                        std::vector<Error>* problems) {
  std::unique_ptr<CustodianServer> server(new CustodianServer(settings, clock, log));
  if (!server->Open(problems)) return nullptr;
  return server;
}

bool CustodianServer::Open(std::vector<Error>* problems) {
  materials_ = LoadMaterials(
      settings_, *clock_,
      [this](const MembersFile::Reading& reading) { MembersReadAgain(reading); }, problems);
  if (!materials_) return false;
  Status opened = OpenLog();
  if (opened.ok() && judgement_.mode == audit::Mode::kServing) opened = GoOn();
  if (opened.ok()) opened = Listen();
  if (!opened.ok()) {
    problems->push_back(opened.error());
    return false;
  }
  looker_ = std::thread([this] { LookOften(); });
  const KeyHolder& holder = *materials_->holder;
  log_->Info("custodian_ready",
             {{LogKey::kOrganisation, materials_->own.str()},
              {LogKey::kAddress, settings_.listen_address},
              {LogKey::kPort, port()},
              {LogKey::kVersion, holder.epoch()},
              {LogKey::kMode, restored() ? "restored" : "serving"},
              {LogKey::kDigest, HexEncode(holder.document().document.digest().view())}});
  return true;
}

Status CustodianServer::OpenLog() {
  if (materials_->head_on_same_file_system) {
    log_->Warning("head_on_same_file_system", {{LogKey::kPath, settings_.head_file.string()}});
  }
  SCHAKEL_ASSIGN(store_, OpenStore(settings_, false));
  heads_ = std::make_unique<store::FileHeadStore>(settings_.head_file);
  auto judged = audit::Judge(*store_, *heads_, "schakel-custodian");
  if (!judged.ok()) {
    const Error& error = judged.error();
    if (error.reason == "LOG_MISSING") return settings_.At("data_folder", error.message);
    return error;
  }
  judgement_ = std::move(judged).value();
  if (judgement_.mode == audit::Mode::kRestored) instruments_.RestoredCopy(judgement_.why);
  storage_ = std::make_unique<store::StorageGuard>([this] { return store_->FreeBytes(); },
                                                   limits::kCustodianReserveBytes, nullptr);
  return storage_->Refresh();
}

Status CustodianServer::GoOn() {
  SCHAKEL_ASSIGN(log_book_, CustodianLog::Open(*store_));
  const state::v1::Meta meta = log_book_->meta();
  const KeyHolder& holder = *materials_->holder;
  if (meta.region() != holder.document().document.region()) {
    return settings_.At(
        "key_document_file",
        "it is of region " + holder.document().document.region() + ", the log of " + meta.region());
  }
  SCHAKEL_ASSIGN(const std::string key, VerifierKeyOf(meta.origin(), materials_->log_key));
  if (key != meta.log_key()) {
    return settings_.At("log_key_file", "it is not the key of the log " + meta.log_key());
  }
  SCHAKEL_ASSIGN(budgets_, BudgetLedger::Open(store_->durable()));
  SCHAKEL_ASSIGN(refusals_, RefusalCounter::Open(*store_, *log_book_));
  v1::Record start;
  start.set_kind(v1::RECORD_KIND_START);
  start.mutable_facts()->set_about_organisation(materials_->own.str());
  start.mutable_facts()->set_version(holder.epoch());
  start.mutable_facts()->set_digest(holder.document().document.digest().str());
  log_book_->Note(std::move(start), clock_->Wall());
  MembersReadAgain(materials_->members->first());
  SCHAKEL_TRY(log_book_->Flush());
  checkpointer_ = std::make_unique<audit::Checkpointer>(log_book_->Signed(), heads_.get(),
                                                        &materials_->log_key, judgement_.head);
  return checkpointer_->SignNow();
}

void CustodianServer::MembersReadAgain(const MembersFile::Reading& reading) {
  instruments_.MembersRead(reading.problems);
  if (!log_book_) return;
  v1::Record record;
  record.set_kind(v1::RECORD_KIND_MEMBERS);
  record.set_outcome(reading.problems.empty() ? v1::OUTCOME_PERMITTED : v1::OUTCOME_DENIED);
  if (!reading.problems.empty()) record.set_reason("FIELD_INVALID");
  record.mutable_facts()->set_digest(reading.digest.str());
  record.mutable_facts()->set_count(reading.members);
  // Written with the next record: the first call that the new file decides stands behind it.
  log_book_->Note(std::move(record), clock_->Wall());
}

// Of members: who is not in the members file is refused by the service.
void CustodianServer::Refused(const transport::Refusal& refusal) {
  if (!refusals_) return;
  const Requester requester{refusal.organisation, refusal.actor, "", refusal.trace_id};
  const std::string method(refusal.method);
  const Status taken = pool_->Submit(
      refusal.organisation,
      [this, requester, reason = refusal.error.reason, rpc = method.substr(method.rfind('.') + 1)] {
        const Status written = refusals_->Refused(requester, reason, rpc, clock_->Wall());
        if (!written.ok()) instruments_.LogFailed(written.error());
      });
  if (!taken.ok()) instruments_.LogFailed(taken.error());
}

Status CustodianServer::Listen() {
  evaluator_ = std::make_unique<Evaluator>(Evaluator::Parts{
      materials_->holder.get(), materials_->members.get(), budgets_.get(), log_book_.get(),
      refusals_.get(), storage_.get(), clock_, &instruments_, settings_.cap_per_day});
  desk_ = std::make_unique<LogDesk>(store_.get(), log_book_.get(), clock_);
  call_metrics_ = std::make_unique<transport::CallMetrics>(&metrics_);
  transport::Authenticator::Options checks;
  checks.on_refused = [this](const transport::Refusal& refusal) { Refused(refusal); };
  authenticator_ = std::make_unique<transport::Authenticator>(
      materials_->members.get(), materials_->crls.get(), clock_, std::move(checks));
  guard_ = std::make_unique<transport::CallGuard>(authenticator_.get(), &streams_, clock_,
                                                  call_metrics_.get(), log_);
  health_ = std::make_unique<HealthService>(guard_.get());
  pool_ = std::make_unique<WorkerPool>(std::thread::hardware_concurrency());
  service_ = std::make_unique<Service>(Service::Parts{guard_.get(), materials_->members.get(),
                                                      evaluator_.get(), desk_.get(), pool_.get()});

  if (!settings_.metrics_address.empty()) {
    auto endpoint = transport::MetricsEndpoint::Start(settings_.metrics_address, metrics_);
    if (!endpoint.ok()) return settings_.At("metrics_address", endpoint.error().message);
    endpoint_ = std::move(endpoint).value();
  }
  // Who waits for the port must not read that of an earlier run.
  std::error_code ignored;
  if (!settings_.port_file.empty()) std::filesystem::remove(settings_.port_file, ignored);
  transport::ServerOptions options;
  options.address = settings_.listen_address;
  options.tls = settings_.tls;
  options.reflection = settings_.reflection;
  options.message_bytes_max = limits::kCustodianMessageBytesMax;
  auto server =
      transport::Server::Start(options, guard_.get(), health_.get(),
                               {transport::NamedService::Of<v1::CustodianService>(service_.get())});
  if (!server.ok()) {
    const Error& error = server.error();
    if (error.field == "listen.address") return settings_.At(error.field, error.message);
    return error;
  }
  server_ = std::move(server).value();
  if (!settings_.port_file.empty()) {
    const Status written = transport::WritePortFile(settings_.port_file, server_->port());
    if (!written.ok()) return settings_.At("listen.port_file", written.error().message);
  }
  trust_ = std::make_unique<transport::TrustWatch>(&metrics_, log_, server_->tls(),
                                                   materials_->crls.get());
  Look();
  return {};
}

transport::Vitals CustodianServer::vitals() const {
  const WorkerPool::Load load = pool_->load();
  transport::Vitals vitals{load.done, load.unfinished, store_->failure().has_value(), {}};
  vitals.status = vitals.failed ? "FAILED: a record could not be written; restart it"
                                : "serving on port " + std::to_string(port());
  if (restored()) vitals.status = "RESTORED: an old copy; run schakel-custodian recover";
  return vitals;
}

void CustodianServer::Reload() {
  std::vector<Error> problems;
  const auto fresh = LoadSettings(settings_.file, &problems);
  for (const Error& problem : problems) {
    log_->Failure("config_refused", {{LogKey::kPath, problem.field},
                                     {LogKey::kDetail, problem.message + "; nothing was changed"}});
  }
  if (fresh && log_->SetLevel(fresh->log_level).ok()) {
    log_->Info("config_read", {{LogKey::kPath, settings_.file.string()}});
  }
  static_cast<void>(materials_->members->Current());
  std::lock_guard lock(trust_mutex_);
  trust_->Reload(Now());
}

void CustodianServer::Look() {
  {
    std::lock_guard lock(trust_mutex_);
    trust_->Look(Now());
  }
  const Micros now = clock_->Wall();
  Instruments::Levels levels;
  const auto members = materials_->members->Members();
  levels.members = members->size();
  levels.restored = restored();
  levels.members_file_current = materials_->members->Current();
  if (!restored()) {
    for (const auto& [organisation, member] : *members) {
      const BudgetView view = budgets_->View(organisation, now);
      const Instruments::BudgetUse use{
          organisation, static_cast<double>(view.day_used) / member.limits.per_day,
          static_cast<double>(view.window_used) / member.limits.per_30_days};
      if (use.day >= 0.5 || use.window >= 0.5) ++levels.members_over_half;
      levels.uses.push_back(use);
    }
    levels.cap_used = static_cast<double>(budgets_->TotalToday(now)) / settings_.cap_per_day;
    levels.clock_days_behind = budgets_->DaysBehind(now);
    Status written = log_book_->Flush();
    if (written.ok()) written = refusals_->Flush(now);
    // INVARIANT I8: each second in which the log grew, head first.
    if (written.ok()) written = checkpointer_->SignNow();
    if (!written.ok()) instruments_.LogFailed(written.error());
    levels.log_size = log_book_->durable_head().size;
  }
  const Status looked = storage_->Refresh();
  if (!looked.ok()) instruments_.LogFailed(looked.error());
  instruments_.Show(levels);

  const bool serving = !restored() && !store_->failure().has_value();
  health_->Set("", serving ? HealthService::kServing : HealthService::kNotServing);
  health_->Set("schakel.v1.CustodianService",
               serving ? HealthService::kServing : HealthService::kNotServing);
  health_->Set(kReloadHealth,
               levels.members_file_current ? HealthService::kServing : HealthService::kNotServing);
}

void CustodianServer::LookOften() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) {
    lock.unlock();
    Look();
    lock.lock();
  }
}

void CustodianServer::Drain() {
  if (!server_) return;
  server_->Drain(settings_.drain_timeout);
  if (restored() || drained_) return;
  drained_ = true;
  // The log ends with what was refused and a checkpoint over all of it.
  Status written = refusals_->Flush(clock_->Wall(), true);
  if (written.ok()) written = log_book_->Flush();
  if (written.ok()) written = checkpointer_->SignNow();
  if (!written.ok()) instruments_.LogFailed(written.error());
}

}  // namespace schakel::custodian
