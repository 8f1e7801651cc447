// Looks after what a listener's trust rests on while it runs: certificate, key, revocation lists.
// Takes new files, says in the log and the metrics what became of them. The same for broker and
// custodian.
#pragma once

#include <string>

#include "broker/base/clock.h"
#include "broker/crypto/crl.h"
#include "broker/transport/log.h"
#include "broker/transport/metrics.h"
#include "broker/transport/server_tls.h"

namespace schakel::transport {

// For one thread at a time.
class TrustWatch {
 public:
  // All must outlive it.
  TrustWatch(Metrics* metrics, Logger* log, ServerTls* tls, crypto::CrlStore* crls);

  // Call it each second.
  void Look(Millis now);
  // SIGHUP: judges the files at once, also unchanged ones, and tells the outcome.
  void Reload(Millis now);

 private:
  void Tell(const TlsReading& reading);
  void TellLists();
  void Show();

  Logger* const log_;
  ServerTls* const tls_;
  crypto::CrlStore* const crls_;
  std::string last_problem_;
  uint64_t last_generation_ = 0;
  prometheus::Gauge& tls_current_;
  prometheus::Gauge& not_after_;
  prometheus::Gauge& crl_usable_;
  prometheus::Gauge& crl_next_update_;
  prometheus::Gauge& failed_handshakes_;
};

}  // namespace schakel::transport
