// A whole region on this machine, made of real processes that talk over mTLS: three custodians (2
// of 3), a broker, and everyone whom the reference bundle's tests name, admitted and with key sets.
// Nothing in it is mocked but the persons and the numbers.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/ids.h"
#include "clients/sdk/session.h"
#include "tests/support/child_process.h"
#include "tests/support/steering.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_pki.h"

namespace schakel::e2e {

// Who takes part, by the names that tests use.
struct Participant {
  const char* name;
  const char* oin;
  v1::Role role;
  const char* sector;
  std::vector<std::string> areas;
  bool bsn_authority;
};
const std::vector<Participant>& Participants();

struct RegionOptions {
  // Its broker has a clock and a disk that the test steers (tests/support/steered_broker_main.cc).
  bool steered = false;
  // How long certificates, their revocation list and the region auditor's scope hold: a steered
  // clock may be far ahead.
  std::chrono::hours valid = std::chrono::hours(24 * 30);
  // Cache and log level as a broker has them that nobody configured; else small and talkative.
  bool as_deployed = false;
  // Who has a certificate and is known to the custodians, but is not admitted yet.
  std::string newcomer = {};
};

// Not thread-safe. A failing start stops the process: without its region no test means anything.
class Region {
 public:
  // Starts everything; takes a few seconds, so one region serves a whole suite of tests.
  explicit Region(RegionOptions options = {});
  ~Region();

  OrganisationId OinOf(const std::string& name) const;
  // The organisation's session: kept from call to call, also over a restart of the broker.
  sdk::Session& As(const std::string& name);
  // Another one of the same organisation with a channel of its own. `state` names the folder of its
  // outbox, pins and checkpoints; empty shares the organisation's own.
  std::unique_ptr<sdk::Session> NewSession(const std::string& name, const std::string& state = {});
  config::v1::Context ContextOf(const std::string& name) const;
  v1::Organisation EntryOf(const std::string& name) const;

  testing::TestPki& pki() { return *pki_; }
  const testing::TestCertificate& CertificateOf(const std::string& name) const;
  std::filesystem::path folder() const { return temp_.path(); }
  std::filesystem::path data_folder() const { return temp_ / "data"; }
  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string region() const { return "zhz.example"; }
  const std::string& log_key() const { return log_key_; }
  void set_log_key(std::string key);

  // ---- The custodians, from 1 as their shares are ----
  int StopCustodian(int number);
  void KillCustodian(int number);
  // On the same port as before. Returns when it listens.
  void StartCustodian(int number);
  // schakel-custodian with that custodian's configuration and these arguments, to its end.
  testing::RunResult RunCustodian(int number, std::vector<std::string> args);
  std::filesystem::path custodian_data(int number) const;
  // Verifier keys of their logs, as init printed them.
  void set_custodian_log_key(int number, std::string key);
  const std::string& custodian_log_key(int number) const;

  // ---- The broker ----
  // SIGTERM; the exit code.
  int StopBroker();
  // SIGKILL.
  void KillBroker();
  // On the same port as before. Returns when it serves calls.
  void StartBroker();
  // The same for one that may refuse to; false, and nothing runs, when it ended before it listened.
  bool TryStartBroker();
  void RestartBroker();
  testing::ChildProcess& broker() { return *broker_; }
  // Added to the environment of brokers that are started from now on.
  void set_broker_environment(std::vector<std::pair<std::string, std::string>> environment) {
    broker_environment_ = std::move(environment);
  }
  const testing::TestCertificate& broker_certificate() const { return *broker_certificate_; }
  std::filesystem::path broker_config() const { return temp_ / "broker.yaml"; }
  // Prometheus text of the broker and of the first custodian.
  int broker_metrics_port() const { return broker_metrics_port_; }
  int custodian_metrics_port() const { return custodian_metrics_port_; }
  // REQUIRES: steered. Holds for every broker of this region, also for those that start later.
  testing::Steering& steering() { return *steering_; }
  // What all brokers of this region wrote so far.
  std::string BrokerLog() const;
  // schakel-broker with this region's configuration and these arguments, to its end.
  testing::RunResult RunBroker(std::vector<std::string> args);
  // Starts one beside the running one.
  std::unique_ptr<testing::ChildProcess> StartSecondBroker();

 private:
  // The broker's program with what it needs to run.
  testing::ChildOptions BrokerOptions(std::vector<std::string> args) const;
  void IssueCertificates();
  void DealKeys();
  void StartCustodians();
  void WriteCustodianConfig(int number, int port) const;
  void InitialiseBroker();
  void WriteBrokerConfig(const std::filesystem::path& path, int port,
                         const std::filesystem::path& port_file) const;
  void AdmitEverybody();

  const RegionOptions options_;
  testing::TempDir temp_;
  std::unique_ptr<testing::Steering> steering_;
  std::unique_ptr<testing::TestPki> pki_;
  std::map<std::string, testing::TestCertificate> certificates_;
  std::vector<testing::TestCertificate> custodian_certificates_;
  std::vector<std::unique_ptr<testing::ChildProcess>> custodians_;
  std::vector<int> custodian_ports_;
  std::vector<std::string> custodian_log_keys_;
  std::optional<testing::TestCertificate> broker_certificate_;
  std::unique_ptr<testing::ChildProcess> broker_;
  std::vector<std::pair<std::string, std::string>> broker_environment_;
  int port_ = 0;
  int broker_metrics_port_ = 0;
  int custodian_metrics_port_ = 0;
  std::string log_key_;
  std::string key_document_;  // hex
  std::map<std::string, std::unique_ptr<sdk::Session>> sessions_;
};

}  // namespace schakel::e2e
