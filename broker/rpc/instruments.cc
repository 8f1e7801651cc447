#include "broker/rpc/instruments.h"

namespace schakel::rpc {

Instruments::Instruments(transport::Metrics* metrics)
    : serving_(metrics->Gauge(
          "schakel_serving",
          "1 while commands are taken. Unit: 0 or 1. Alert: SchakelBrokerNotServing.")),
      restored_(metrics->Gauge(
          "schakel_restored",
          "1 in mode RESTORED: the store lacks or differs from what its head file knows, and only "
          "proofs are served. Unit: 0 or 1. Alert: SchakelBrokerRestored.")),
      failed_(metrics->Gauge(
          "schakel_failed",
          "1 when a write or the clock failed: nothing is taken until a restart. Unit: 0 or 1. "
          "Alert: SchakelBrokerFailed.")),
      free_bytes_(metrics->Gauge(
          "schakel_storage_free_bytes",
          "Free room on the data folder's disk. Unit: bytes. Alert: SchakelDiskGetsFull, "
          "SchakelDiskFull.")),
      reserve_bytes_(metrics->Gauge(
          "schakel_storage_reserve_bytes",
          "Below so much free room only withdrawals and settlements are taken. Unit: bytes. Alert: "
          "SchakelDiskGetsFull, SchakelDiskFull.")),
      inbox_streams_(metrics->Gauge(
          "schakel_inbox_streams_open",
          "Open streams of inboxes. Unit: streams. Do: nothing; at 0 while recipients should be "
          "connected, look at schakel_failed_handshakes and schakel_crl_usable.")),
      commands_(metrics->Gauge(
          "schakel_commands",
          "Commands made durable since the start. Unit: commands. Do: nothing; its rate is the "
          "load.")),
      batches_(metrics->Gauge(
          "schakel_batches",
          "Batches synced to disk since the start. Unit: batches. Alert: SchakelCommitterStuck.")),
      queued_(metrics->Gauge(
          "schakel_queued_commands",
          "Commands that wait to be ordered. Unit: commands. Alert: SchakelQueueGrows, "
          "SchakelCommitterStuck.")),
      records_(metrics->Gauge(
          "schakel_log_records",
          "Records in the audit log. Unit: records. Do: nothing; plan the disk by its growth.")),
      signed_records_(
          metrics->Gauge("schakel_log_records_signed",
                         "Records that the last signed checkpoint covers. Unit: records. Alert: "
                         "SchakelCheckpointsStopped.")),
      last_backup_(metrics->Gauge("schakel_backup_last_success_seconds",
                                  "When this process last made a backup; 0 when it has made none. "
                                  "Unit: seconds since 1970. "
                                  "Alert: SchakelBackupOld.")),
      backups_failed_(
          metrics->Counter("schakel_backups_failed_total",
                           "Backups that could not be made since the start. Unit: backups. Alert: "
                           "SchakelBackupFailed.")),
      destruction_owed_(metrics->Gauge("schakel_destruction_owed_seconds",
                                       "How long, at most, something has been destroyed that is "
                                       "still on the disk; 0 when all is "
                                       "gone. Unit: seconds. Alert: SchakelDestructionLate.")),
      destruction_failed_(metrics->Counter(
          "schakel_destruction_failed_total",
          "Sweeps, and rewritings of the disk, that did not succeed and are tried again. Unit: "
          "tries. Alert: SchakelDestructionFails.")) {}

void Instruments::Show(const Levels& levels) {
  const auto set = [](prometheus::Gauge& gauge, uint64_t value) {
    gauge.Set(static_cast<double>(value));
  };
  set(serving_, levels.serving ? 1 : 0);
  set(restored_, levels.restored ? 1 : 0);
  set(failed_, levels.failed ? 1 : 0);
  set(free_bytes_, levels.storage_free_bytes);
  set(reserve_bytes_, levels.storage_reserve_bytes);
  set(inbox_streams_, levels.inbox_streams);
  set(commands_, levels.commands);
  set(batches_, levels.batches);
  set(queued_, levels.queued);
  set(records_, levels.records);
  set(signed_records_, levels.signed_records);
}

void Instruments::DestructionOwed(Micros time) {
  destruction_owed_.Set(std::chrono::duration<double>(time).count());
}

void Instruments::DestructionFailed() { destruction_failed_.Increment(); }

void Instruments::BackupEnded(bool made, Micros now) {
  if (made) {
    last_backup_.Set(std::chrono::duration<double>(now).count());
  } else {
    backups_failed_.Increment();
  }
}

}  // namespace schakel::rpc
