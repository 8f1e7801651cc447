#include "tests/e2e/region.h"

#include <cstdio>

#include "broker/base/check.h"
#include "broker/crypto/cert_key.h"
#include "clients/sdk/files.h"
#include "policy/engine/pack.h"
#include "tests/e2e/region_parts.h"
#include "tests/support/free_port.h"
#include "tests/support/paths.h"

namespace schakel::e2e {

namespace fs = std::filesystem;
using testing::ReadFile;
using testing::WriteFile;

namespace {

const std::string kBroker = checkout::BuildPath("bin/schakel-broker");
const std::string kSteeredBroker = checkout::BuildPath("tests/steered-broker");
const std::string kPolicy = checkout::SourcePath("policy/zuid-holland-zuid");
// Long enough for what was made some days ago.
constexpr auto kValidBefore = std::chrono::hours(-24 * 3);

std::string CustodianOin(int i) { return testing::TestOin(3000 + static_cast<uint64_t>(i)); }

template <typename T>
T Must(Result<T> result, const char* what) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s %s (%s)\n", what, result.error().reason.c_str(),
                 result.error().message.c_str(), result.error().field.c_str());
  }
  SCHAKEL_CHECK(result.ok(), what);
  return std::move(result).value();
}
const Participant& Find(const std::string& name) {
  for (const auto& participant : Participants()) {
    if (participant.name == name) return participant;
  }
  std::fprintf(stderr, "no participant %s\n", name.c_str());
  SCHAKEL_CHECK(false, "tests name participants that exist");
}

}  // namespace

const std::vector<Participant>& Participants() {
  using v1::ROLE_PARTNER;
  static const std::vector<Participant> all = {
      {"registrar", "00000099000000000001", v1::ROLE_REGISTRAR, "", {}, false},
      {"auditor", "00000099000000000002", v1::ROLE_AUDITOR, "", {}, false},
      {"region-auditor", "00000099000000000003", v1::ROLE_AUDITOR, "", {}, true},
      {"chain-director", "00000099000000000004", v1::ROLE_CHAIN_DIRECTOR, "", {}, false},
      {"corporation", "00000099000000001000", ROLE_PARTNER, "housing", {"dordrecht"}, false},
      {"police", "00000099000000001001", ROLE_PARTNER, "police", {"zuid-holland-zuid"}, true},
      {"debt-relief",
       "00000099000000002000",
       ROLE_PARTNER,
       "social-services",
       {"drechtsteden"},
       true},
      {"centre", "00000099000000002001", ROLE_PARTNER, "safety-house", {"zuid-holland-zuid"}, true},
      {"team", "00000099000000002002", ROLE_PARTNER, "municipality", {"dordrecht"}, true},
      {"access", "00000099000000002003", ROLE_PARTNER, "safety-house", {"zuid-holland-zuid"}, true},
      {"care", "00000099000000002004", ROLE_PARTNER, "care", {"dordrecht"}, true},
      {"volunteers", "00000099000000002005", ROLE_PARTNER, "volunteer", {"dordrecht"}, false},
      {"loopback", "00000099000000000099", ROLE_PARTNER, "test", {"zuid-holland-zuid"}, false},
  };
  return all;
}

Region::Region(RegionOptions options) : options_(options), temp_("region") {
  broker_metrics_port_ = testing::FreePort();
  custodian_metrics_port_ = testing::FreePort();
  if (options_.steered) steering_ = std::make_unique<testing::Steering>(temp_ / "steering");
  pki_ = std::make_unique<testing::TestPki>(temp_.path(), "region");
  pki_->WriteCrl(std::chrono::seconds(-60), options_.valid);
  IssueCertificates();
  DealKeys();
  StartCustodians();
  InitialiseBroker();
  WriteBrokerConfig(temp_ / "broker.yaml", 0, temp_ / "broker.port");
  StartBroker();
  AdmitEverybody();
}

Region::~Region() {
  sessions_.clear();
  if (broker_) broker_->Stop();
}

void Region::IssueCertificates() {
  const auto issue = [&](const std::string& oin) {
    return pki_->Issue({.oin = oin, .from = kValidBefore, .until = options_.valid});
  };
  broker_certificate_ = issue(testing::TestOin(9000));
  for (int i = 0; i < kCustodians; ++i) custodian_certificates_.push_back(issue(CustodianOin(i)));
  for (const auto& participant : Participants()) {
    certificates_.emplace(participant.name, issue(participant.oin));
  }
}

void Region::DealKeys() {
  std::vector<std::string> args = {"keygen",  "--region", region(),
                                   "--epoch", "1",        "--threshold",
                                   "2",       "--out",    (temp_ / "key").string()};
  for (int i = 0; i < kCustodians; ++i) {
    const auto& certificate = custodian_certificates_[static_cast<size_t>(i)];
    args.push_back("--custodian");
    args.push_back(CustodianOin(i) + "=" + certificate.certificate.string() + ":" +
                   certificate.key.string());
  }
  key_document_ = MustRun({.program = CustodianProgram(), .args = args}, "the dealer deals").out;
  while (!key_document_.empty() && key_document_.back() == '\n') key_document_.pop_back();

  std::string members = "members:\n";
  for (const auto& participant : Participants()) {
    if (!participant.bsn_authority) continue;
    const auto certificate =
        Must(crypto::Certificate::Parse(CertificateOf(participant.name).certificate_pem()),
             "a certificate parses");
    members += std::string("  - oin: \"") + participant.oin +
               "\"\n    certificate_spki_digest: " + HexEncode(certificate.facts().spki.view()) +
               "\n    authority: Wet algemene bepalingen burgerservicenummer art. 10\n"
               "    per_day: 500000\n    per_30_days: 1000000\n";  // load tests use much
    if (participant.role == v1::ROLE_AUDITOR) members += "    role: auditor\n";
  }
  WriteFile(temp_ / "members.yaml", members);

  auto files = Must(sdk::ReadPolicyFolder(kPolicy), "the reference bundle is there");
  const auto digest = Digest::From(HexDecode(key_document_).value_or(""));
  SCHAKEL_CHECK(digest.has_value(), "the dealer prints the digest of the key document");
  files = Must(policy::SetKeyDocuments(files, {{1, *digest}}), "the bundle takes the key document");
  for (const auto& [path, content] : files) {
    const fs::path file = temp_ / "policy" / path;
    fs::create_directories(file.parent_path());
    WriteFile(file, content);
  }
}

void Region::WriteBrokerConfig(const fs::path& path, int port, const fs::path& port_file) const {
  WriteFile(path,
            "data_folder: data\nhead_file: head\nlog_key_file: log.key\n"
            "listen:\n  address: 127.0.0.1:" +
                std::to_string(port) + "\n  port_file: " + port_file.string() + "\n" +
                TlsYaml(*broker_certificate_, *pki_) +
                "reflection: true\n"
                "storage:\n  reserve_bytes: " +
                (options_.steered ? "1073741824" : "16777216") +
                (options_.as_deployed ? "\n" : "\n  cache_bytes: 33554432\n") +
                "limits:\n  calls_per_second: 100000\n  streams: 64\n" +
                (options_.as_deployed ? "" : "log:\n  level: debug\n") + "drain_timeout: 1s\n" +
                (path == broker_config()
                     ? "metrics_address: 127.0.0.1:" + std::to_string(broker_metrics_port_) + "\n"
                     : ""));
}

void Region::InitialiseBroker() {
  WriteBrokerConfig(temp_ / "broker.yaml", 0, temp_ / "broker.port");
  log_key_ = MustRun(BrokerOptions({"init", "--config", (temp_ / "broker.yaml").string(),
                                    "--origin", region() + "/schakel/1", "--registrar-cert",
                                    CertificateOf("registrar").certificate.string(), "--policy",
                                    (temp_ / "policy").string()}),
                     "schakel-broker init")
                 .out;
  while (!log_key_.empty() && log_key_.back() == '\n') log_key_.pop_back();
}

testing::ChildOptions Region::BrokerOptions(std::vector<std::string> args) const {
  testing::ChildOptions options{.program = kBroker, .args = std::move(args)};
  if (!options_.steered) return options;
  options.program = kSteeredBroker;
  options.env = {{"SCHAKEL_STEERING", (temp_ / "steering").string()}};
  return options;
}

void Region::StartBroker() {
  const bool listens = TryStartBroker();
  if (!listens) std::fprintf(stderr, "%s\n", BrokerLog().c_str());
  SCHAKEL_CHECK(listens, "the broker listens");
}

bool Region::TryStartBroker() {
  fs::remove(temp_ / "broker.port");
  auto options = BrokerOptions({"--config", (temp_ / "broker.yaml").string()});
  options.env.insert(options.env.end(), broker_environment_.begin(), broker_environment_.end());
  options.output = temp_ / "broker";
  broker_ = testing::ChildProcess::Start(std::move(options));
  SCHAKEL_CHECK(broker_ != nullptr, "schakel-broker is built");
  const auto port = broker_->WaitForPort(temp_ / "broker.port");
  if (!port) {
    KillBroker();
    return false;
  }
  if (port_ == 0) {
    // From now on the same one, so that clients find it again.
    port_ = *port;
    WriteBrokerConfig(temp_ / "broker.yaml", port_, temp_ / "broker.port");
  }
  return true;
}

int Region::StopBroker() {
  const int code = broker_->Stop();
  broker_.reset();
  return code;
}

void Region::KillBroker() {
  broker_->Kill();
  broker_.reset();
}

void Region::RestartBroker() {
  StopBroker();
  StartBroker();
}

std::string Region::BrokerLog() const {
  return ReadFile(temp_ / "broker.out") + ReadFile(temp_ / "broker.err");
}

testing::RunResult Region::RunBroker(std::vector<std::string> args) {
  args.push_back("--config");
  args.push_back((temp_ / "broker.yaml").string());
  return testing::RunProgram(BrokerOptions(std::move(args)));
}

std::unique_ptr<testing::ChildProcess> Region::StartSecondBroker() {
  WriteBrokerConfig(temp_ / "second.yaml", 0, temp_ / "second.port");
  return testing::ChildProcess::Start(
      BrokerOptions({"--config", (temp_ / "second.yaml").string()}));
}

void Region::AdmitEverybody() {
  auto* registrar = Must(As("registrar").org(), "the registrar's client");
  for (const auto& participant : Participants()) {
    if (participant.role == v1::ROLE_REGISTRAR || participant.name == options_.newcomer) continue;
    (void)Must(registrar->AdmitOrReplace(EntryOf(participant.name)), participant.name);
  }
  for (const auto& participant : Participants()) {
    if (participant.role != v1::ROLE_PARTNER || participant.name == options_.newcomer) continue;
    sdk::Session& session = As(participant.name);
    auto* keys = Must(session.keys(), "the key store opens");
    const auto chain = Must(session.certificate_chain(), "the certificate reads");
    (void)Must(keys->Generate(chain, sdk::Now(), std::chrono::hours(12)), "a key set is made");
    const auto key =
        Must(crypto::CertificateKey::Load(CertificateOf(participant.name).key), "the key reads");
    (void)Must(keys->Sign(key), "the key set is signed");
    auto* org = Must(session.org(), "the organisation's client");
    (void)Must(org->RegisterPending(*keys), "the key set is registered");
  }
}

const testing::TestCertificate& Region::CertificateOf(const std::string& name) const {
  return certificates_.at(name);
}

OrganisationId Region::OinOf(const std::string& name) const {
  return *OrganisationId::From(Find(name).oin);
}

v1::Organisation Region::EntryOf(const std::string& name) const {
  const Participant& participant = Find(name);
  v1::Organisation entry;
  entry.set_oin(participant.oin);
  entry.set_name(std::string(participant.name) + " (voorbeeld)");
  entry.set_role(participant.role);
  entry.set_sector(participant.sector);
  for (const auto& area : participant.areas) entry.add_areas(area);
  if (participant.bsn_authority && participant.role == v1::ROLE_PARTNER) {
    entry.set_bsn_authority(true);
    entry.set_bsn_authority_article("Wet algemene bepalingen burgerservicenummer art. 10");
  }
  if (name == "auditor") {
    entry.set_audit_scope(v1::AUDIT_SCOPE_OWN);
    entry.add_audited_oins(OinOf("police").str());
  } else if (name == "region-auditor") {
    entry.set_audit_scope(v1::AUDIT_SCOPE_REGION);
    const auto until =
        std::chrono::duration_cast<std::chrono::seconds>(sdk::Now() + options_.valid);
    entry.mutable_audit_scope_until()->set_seconds(until.count());
  }
  entry.set_contact("privacy@voorbeeld.example");
  sdk::PinCertificate(
      Must(crypto::Certificate::Parse(CertificateOf(name).certificate_pem()), "a certificate"),
      &entry);
  return entry;
}

config::v1::Context Region::ContextOf(const std::string& name) const {
  config::v1::Context context;
  context.set_name(name);
  context.set_broker(address());
  context.set_ca_file(pki_->ca().string());
  context.set_certificate_file(CertificateOf(name).certificate.string());
  context.set_key_file(CertificateOf(name).key.string());
  context.set_crl_path(pki_->crl().string());
  context.set_key_store((temp_ / (name + "-keys")).string());
  for (int i = 0; i < kCustodians; ++i) {
    auto* custodian = context.add_custodians();
    custodian->set_oin(CustodianOin(i));
    custodian->set_address("127.0.0.1:" + std::to_string(custodian_ports_[static_cast<size_t>(i)]));
    custodian->set_log_key(custodian_log_key(i + 1));
  }
  auto* document = context.add_key_documents();
  document->set_epoch(1);
  document->set_digest(key_document_);
  context.set_log_key(log_key_);
  context.set_actor("user-of-" + name);
  context.set_actor_role("professional");
  context.set_language("en");
  context.set_state_folder((temp_ / (name + "-state")).string());
  return context;
}

void Region::set_log_key(std::string key) {
  log_key_ = std::move(key);
  sessions_.clear();
}

sdk::Session& Region::As(const std::string& name) {
  auto& session = sessions_[name];
  if (!session) session = NewSession(name);
  return *session;
}

std::unique_ptr<sdk::Session> Region::NewSession(const std::string& name,
                                                 const std::string& state) {
  auto context = ContextOf(name);
  if (!state.empty()) context.set_state_folder((temp_ / (name + "-" + state)).string());
  return std::make_unique<sdk::Session>(std::move(context), std::chrono::seconds(15));
}

}  // namespace schakel::e2e
