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
      [this](const std::vector<Error>& wrong) { instruments_.MembersRead(wrong); }, problems);
  if (!materials_) return false;
  Status opened = OpenBudgets();
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
              {LogKey::kDigest, HexEncode(holder.document().document.digest().view())}});
  return true;
}

Status CustodianServer::OpenBudgets() {
  store::StoreOptions options;
  options.folder = settings_.data_folder;
  options.create = true;
  // LIMIT: some 30 counts of 10,000 members fit many times over.
  options.cache_bytes = size_t{32} << 20;
  auto opened = store::Store::Open(std::move(options));
  if (!opened.ok()) {
    const Error& error = opened.error();
    if (error.reason == "STORE_LOCKED") {
      return settings_.At("data_folder", "another process uses it: " + error.message);
    }
    return error;
  }
  store_ = std::move(opened).value();
  std::string why;
  if (store_->facts().Doubtful(&why)) {
    return settings_.At("data_folder",
                        "charges were lost (" + why +
                            "), which would give used budgets back. To go on with full budgets, "
                            "move the folder away and write down why");
  }
  if (store_->facts().created) {
    log_->Warning("budgets_created", {{LogKey::kPath, settings_.data_folder.string()}});
  }
  SCHAKEL_ASSIGN(budgets_, BudgetLedger::Open(*store_));
  return {};
}

Status CustodianServer::Listen() {
  evaluator_ = std::make_unique<Evaluator>(
      Evaluator::Parts{materials_->holder.get(), materials_->members.get(), budgets_.get(), clock_,
                       &instruments_, settings_.cap_per_day});
  call_metrics_ = std::make_unique<transport::CallMetrics>(&metrics_);
  authenticator_ =
      std::make_unique<transport::Authenticator>(materials_->members.get(), materials_->crls.get(),
                                                 clock_, transport::Authenticator::Options{});
  guard_ = std::make_unique<transport::CallGuard>(authenticator_.get(), &streams_, clock_,
                                                  call_metrics_.get(), log_);
  health_ = std::make_unique<HealthService>(guard_.get());
  pool_ = std::make_unique<WorkerPool>(std::thread::hardware_concurrency());
  service_ = std::make_unique<Service>(
      Service::Parts{guard_.get(), materials_->members.get(), evaluator_.get(), pool_.get()});

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
  vitals.status = vitals.failed ? "FAILED: a charge could not be written; restart it"
                                : "serving on port " + std::to_string(port());
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
  for (const auto& [organisation, member] : *members) {
    const BudgetView view = budgets_->View(organisation, now);
    if (view.day_used * 2 >= member.limits.per_day ||
        view.window_used * 2 >= member.limits.per_30_days) {
      ++levels.members_over_half;
    }
  }
  levels.cap_used = static_cast<double>(budgets_->TotalToday(now)) / settings_.cap_per_day;
  levels.members_file_current = materials_->members->Current();
  levels.clock_days_behind = budgets_->DaysBehind(now);
  instruments_.Show(levels);

  const bool writable = !store_->failure().has_value();
  health_->Set("", writable ? HealthService::kServing : HealthService::kNotServing);
  health_->Set("schakel.v1.CustodianService",
               writable ? HealthService::kServing : HealthService::kNotServing);
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
  if (server_) server_->Drain(settings_.drain_timeout);
}

}  // namespace schakel::custodian
