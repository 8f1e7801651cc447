// What a broker tells its operator in figures. Each help text says the unit and what to do, or the
// alert in deploy/prometheus/alerts.yml that does. No organisation, no subject. INVARIANT I5.
#pragma once

#include <cstdint>

#include "broker/base/clock.h"
#include "broker/transport/metrics.h"

namespace schakel::rpc {

// Thread-safe.
class Instruments {
 public:
  explicit Instruments(transport::Metrics* metrics);  // must outlive it

  // What is looked at each second.
  struct Levels {
    bool serving = false;
    bool restored = false;
    bool failed = false;
    uint64_t storage_free_bytes = 0;
    uint64_t storage_reserve_bytes = 0;
    uint64_t inbox_streams = 0;
    uint64_t commands = 0;
    uint64_t batches = 0;
    uint64_t queued = 0;
    uint64_t records = 0;
    uint64_t signed_records = 0;
  };
  void Show(const Levels& levels);
  void BackupEnded(bool made, Micros now);
  void DestructionOwed(Micros time);
  void DestructionFailed();

 private:
  prometheus::Gauge& serving_;
  prometheus::Gauge& restored_;
  prometheus::Gauge& failed_;
  prometheus::Gauge& free_bytes_;
  prometheus::Gauge& reserve_bytes_;
  prometheus::Gauge& inbox_streams_;
  prometheus::Gauge& commands_;
  prometheus::Gauge& batches_;
  prometheus::Gauge& queued_;
  prometheus::Gauge& records_;
  prometheus::Gauge& signed_records_;
  prometheus::Gauge& last_backup_;
  prometheus::Counter& backups_failed_;
  prometheus::Gauge& destruction_owed_;
  prometheus::Counter& destruction_failed_;
};

}  // namespace schakel::rpc
