// A running custodian: store, service, listener, metrics. Wired here, used by the program and the
// tests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "broker/audit/checkpointer.h"
#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/custodian/budget.h"
#include "broker/custodian/evaluator.h"
#include "broker/custodian/instruments.h"
#include "broker/custodian/log_desk.h"
#include "broker/custodian/materials.h"
#include "broker/custodian/refusals.h"
#include "broker/custodian/service.h"
#include "broker/custodian/settings.h"
#include "broker/custodian/startup.h"
#include "broker/custodian/worker_pool.h"
#include "broker/store/head_store.h"
#include "broker/store/reserve_file.h"
#include "broker/store/store.h"
#include "broker/transport/health.h"
#include "broker/transport/log.h"
#include "broker/transport/metrics.h"
#include "broker/transport/server.h"
#include "broker/transport/service_manager.h"
#include "broker/transport/trust_watch.h"

namespace schakel::custodian {

// Name of the health service that tells whether the members file in use is the newest one. The
// whole ("") stays SERVING with an older one.
inline constexpr const char* kReloadHealth = "reload";

class CustodianServer {
 public:
  // Loads everything, opens the store and listens. `clock` and `log` must outlive it; `log` may
  // not be null. Appends what is wrong to `problems` and returns nullptr; a data folder without a
  // log is such a mistake (see startup.h). A store that lost records (an old copy was put back)
  // would give budgets back: then it serves checkpoints, tiles and proofs only (INVARIANT I8).
  static std::unique_ptr<CustodianServer> Start(const Settings& settings, const Clock* clock,
                                                transport::Logger* log,
                                                std::vector<Error>* problems);
  ~CustodianServer();
  CustodianServer(const CustodianServer&) = delete;
  CustodianServer& operator=(const CustodianServer&) = delete;

  int port() const { return server_->port(); }
  int metrics_port() const { return endpoint_ ? endpoint_->port() : 0; }
  const transport::Metrics& metrics() const { return metrics_; }

  // Whether it gets on with its work, for the service manager. Any thread.
  transport::Vitals vitals() const;
  // SIGHUP: reads certificate, key, revocation lists, members and the log's level again, at once.
  // What can't be used is logged, and what was read before stays in use.
  void Reload();

  // Whether an old copy of the store is in place.
  bool restored() const { return log_book_ == nullptr; }

  // Sets gauges and health, writes what waits and signs the log's head; it does so by itself each
  // second. Thread-safe.
  void Look();

  // Stops accepting, lets calls end within the configured time. Only the first call does something.
  void Drain();

 private:
  CustodianServer(const Settings& settings, const Clock* clock, transport::Logger* log);
  bool Open(std::vector<Error>* problems);
  Status OpenLog();
  Status GoOn();  // with a log that is not restored: budgets, refusals, first records, checkpoints
  Status Listen();
  void MembersReadAgain(const MembersFile::Reading& reading);
  void Refused(const transport::Refusal& refusal);
  void LookOften();  // once a second
  Millis Now() const { return std::chrono::floor<Millis>(clock_->Wall()); }

  const Settings settings_;
  const Clock* const clock_;
  transport::Logger* const log_;
  transport::Metrics metrics_;
  Instruments instruments_;
  std::optional<Materials> materials_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::FileHeadStore> heads_;
  audit::Judgement judgement_;
  std::unique_ptr<store::StorageGuard> storage_;
  std::unique_ptr<CustodianLog> log_book_;  // null in mode RESTORED, as the three that follow
  std::unique_ptr<BudgetLedger> budgets_;
  std::unique_ptr<RefusalCounter> refusals_;
  std::unique_ptr<audit::Checkpointer> checkpointer_;
  std::unique_ptr<LogDesk> desk_;
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<transport::CallMetrics> call_metrics_;
  std::unique_ptr<transport::Authenticator> authenticator_;
  transport::StreamWatch streams_;
  std::unique_ptr<transport::CallGuard> guard_;
  std::unique_ptr<transport::HealthService> health_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<transport::Server> server_;
  std::unique_ptr<transport::MetricsEndpoint> endpoint_;
  std::mutex trust_mutex_;  // guards trust_
  std::unique_ptr<transport::TrustWatch> trust_;

  std::mutex mutex_;  // guards stopping_
  std::condition_variable wake_;
  bool stopping_ = false;
  bool drained_ = false;
  std::thread looker_;
};

}  // namespace schakel::custodian
