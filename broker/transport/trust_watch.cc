#include "broker/transport/trust_watch.h"

namespace schakel::transport {
namespace {

double Seconds(Millis time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

TrustWatch::TrustWatch(Metrics* metrics, Logger* log, ServerTls* tls, crypto::CrlStore* crls)
    : log_(log),
      tls_(tls),
      crls_(crls),
      tls_current_(metrics->Gauge(
          "schakel_tls_current",
          "1 while the certificate and key that lie on disk are the ones in use, 0 while they were "
          "refused. Unit: 0 or 1. Alert: SchakelCertificateRefused.")),
      not_after_(
          metrics->Gauge("schakel_certificate_not_after_seconds",
                         "When the certificate in use ends. Unit: seconds since 1970. Alert: "
                         "SchakelCertificateEnds.")),
      crl_usable_(metrics->Gauge("schakel_crl_usable",
                                 "0 while a revocation list can't be used, so that calls are "
                                 "refused. Unit: 0 or 1. Alert: "
                                 "SchakelRevocationListUnusable.")),
      crl_next_update_(metrics->Gauge(
          "schakel_crl_next_update_seconds",
          "When the first revocation list gets stale, after which calls are refused; 0 when none "
          "is "
          "usable. Unit: seconds since 1970. Alert: SchakelRevocationListGetsStale.")),
      failed_handshakes_(
          metrics->Gauge("schakel_failed_handshakes",
                         "TLS handshakes that failed since the start. Unit: handshakes. Alert: "
                         "SchakelHandshakesFail.")) {
  last_generation_ = crls_->Generation();
  Show();
}

void TrustWatch::Look(Millis now) {
  if (const auto reading = tls_->LookForChange(now)) Tell(*reading);
  TellLists();
  Show();
}

void TrustWatch::Reload(Millis now) {
  Tell(tls_->Reload(now));
  crls_->LookNow();
  TellLists();
  Show();
}

void TrustWatch::Tell(const TlsReading& reading) {
  const auto until = std::chrono::duration_cast<std::chrono::seconds>(reading.not_after).count();
  if (!reading.refused) {
    log_->Info("tls_read", {{LogKey::kDigest, reading.serial}, {LogKey::kUntil, until}});
    return;
  }
  log_->Failure("tls_refused", {{LogKey::kPath, reading.refused->field},
                                {LogKey::kDetail, reading.refused->message +
                                                      "; the certificate read before stays in use"},
                                {LogKey::kDigest, reading.serial},
                                {LogKey::kUntil, until}});
}

void TrustWatch::TellLists() {
  const std::string problem = crls_->LastProblem();
  const uint64_t generation = crls_->Generation();
  if (!problem.empty() && problem != last_problem_) {
    log_->Failure("crl_refused", {{LogKey::kDetail, problem + "; calls are refused until it is "
                                                              "repaired"}});
  } else if (problem.empty() && generation != last_generation_) {
    log_->Info("crl_read", {{LogKey::kVersion, generation}});
  }
  last_problem_ = problem;
  last_generation_ = generation;
}

void TrustWatch::Show() {
  tls_current_.Set(tls_->current() ? 1 : 0);
  not_after_.Set(Seconds(tls_->not_after()));
  const auto next = crls_->NextUpdate();
  crl_usable_.Set(last_problem_.empty() ? 1 : 0);
  crl_next_update_.Set(next ? Seconds(*next) : 0);
  failed_handshakes_.Set(static_cast<double>(GrpcLogBridge::FailedHandshakes()));
}

}  // namespace schakel::transport
