// A running broker: store, sequencer, services, listener. Wired here, used by the program and
// tests.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/delivery/inbox_hub.h"
#include "broker/delivery/write_gate.h"
#include "broker/rpc/control_socket.h"
#include "broker/rpc/destroyer.h"
#include "broker/rpc/directory_cache.h"
#include "broker/rpc/instruments.h"
#include "broker/rpc/parts.h"
#include "broker/rpc/settings.h"
#include "broker/rpc/surroundings.h"
#include "broker/sequencer/checkpointer.h"
#include "broker/sequencer/startup.h"
#include "broker/store/store.h"
#include "broker/transport/health.h"
#include "broker/transport/log.h"
#include "broker/transport/metrics.h"
#include "broker/transport/server.h"
#include "broker/transport/service_manager.h"
#include "broker/transport/trust_watch.h"

namespace schakel::rpc {

class BrokerServer final : public sequencer::Listener {
 public:
  // Opens the store, judges it, starts everything and listens. A store that was put back, or a
  // clock in doubt, is no error: it listens, is NOT_SERVING and tells every caller why. `log` and
  // the clock, which is set, must outlive it.
  static Result<std::unique_ptr<BrokerServer>> Start(const Settings& settings,
                                                     const Surroundings& surroundings,
                                                     transport::Logger* log);
  ~BrokerServer() override;
  BrokerServer(const BrokerServer&) = delete;
  BrokerServer& operator=(const BrokerServer&) = delete;

  int port() const { return server_->port(); }
  // Whether it gets on with its work, for the service manager. Any thread.
  transport::Vitals vitals() const;
  // Reads certificate, key and revocation lists again, at once.
  void ReloadTrust();
  // Stops accepting, finishes the batch, ends streams with a status that may be retried, lets a
  // backup that is being made end. Once.
  void Drain();

  void OnDurable(const sequencer::DurableEffects& effects) override;
  void OnFailed(const Error& error) override;

 private:
  BrokerServer(Settings settings, Surroundings surroundings, transport::Logger* log);
  Status Open();
  Status OpenStore();
  Status StartSequencer();
  void MakeGuard();
  Status Listen();
  void ReleaseLeftovers();
  void RecordRefusal(const transport::Refusal& refusal);
  void ShowHealth();
  void LookOften();
  void Look();
  Instruments::Levels Levels();
  uint64_t SignedRecords() const;
  std::string OnCommand(const std::string& request);

  const Settings settings_;
  const Surroundings surroundings_;
  const Clock* const clock_;
  transport::Logger* const log_;
  transport::Metrics metrics_;
  Instruments instruments_{&metrics_};
  std::optional<crypto::SigningKey> log_key_;
  std::optional<crypto::TrustAnchors> anchors_;
  std::unique_ptr<crypto::CrlStore> crls_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::FileHeadStore> heads_;
  std::unique_ptr<store::ReserveFile> reserve_;
  std::unique_ptr<store::StorageGuard> storage_;
  sequencer::Judgement judgement_;
  delivery::WriteGate gate_;
  delivery::InboxHub hub_;
  std::unique_ptr<DirectoryCache> directory_;
  std::unique_ptr<KeySets> key_sets_;
  query::Bundles bundles_;
  std::optional<query::PageTokens> tokens_;
  std::unique_ptr<sequencer::Sequencer> sequencer_;  // null: halted_ says why
  std::optional<Error> halted_;
  std::unique_ptr<sequencer::Checkpointer> checkpointer_;
  std::unique_ptr<Destroyer> destroyer_;
  std::unique_ptr<transport::CallMetrics> call_metrics_;
  std::unique_ptr<transport::Authenticator> authenticator_;
  transport::StreamWatch streams_;
  std::unique_ptr<transport::CallGuard> guard_;
  std::unique_ptr<transport::HealthService> health_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<transport::Server> server_;
  std::unique_ptr<transport::MetricsEndpoint> endpoint_;
  std::mutex trust_mutex_;  // guards trust_
  std::unique_ptr<transport::TrustWatch> trust_;
  std::unique_ptr<ControlSocket> control_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  std::string failed_;  // the reason; empty while nothing has
  std::thread looker_;
};

}  // namespace schakel::rpc
