#include "clients/sdk/session.h"

#include "clients/sdk/files.h"

namespace schakel::sdk {
namespace {

Error Missing(const char* setting, const char* what) {
  return MakeError(ErrorCode::kFailedPrecondition, "CONTEXT_INCOMPLETE",
                   std::string("the context has no ") + setting + ": " + what, setting);
}

}  // namespace

Session::Session(config::v1::Context context, std::chrono::milliseconds timeout)
    : context_(std::move(context)), timeout_(timeout) {}

Session::~Session() = default;

ConnectionOptions Session::OptionsFor(std::string address) const {
  return {std::move(address),    context_.server_name(),
          context_.ca_file(),    context_.certificate_file(),
          context_.key_file(),   context_.actor(),
          context_.actor_role(), timeout_,
          context_.language()};
}

Result<std::filesystem::path> Session::StateFolder() const {
  std::filesystem::path folder = context_.state_folder();
  if (folder.empty()) return Missing("state_folder", "where outbox, pins and checkpoints are kept");
  SCHAKEL_TRY(EnsurePrivateFolder(folder));
  return folder;
}

Result<std::shared_ptr<Connection>> Session::connection() {
  if (connection_) return connection_;
  if (context_.broker().empty()) return Missing("broker", "host:port of the broker");
  if (context_.ca_file().empty()) return Missing("ca_file", "trust anchors, PEM");
  if (context_.certificate_file().empty()) return Missing("certificate_file", "PEM");
  if (context_.key_file().empty()) return Missing("key_file", "PEM, mode 0600");
  SCHAKEL_ASSIGN(connection_, Connection::Open(OptionsFor(context_.broker())));
  return connection_;
}

Result<std::vector<crypto::Certificate>> Session::certificate_chain() {
  if (chain_) return *chain_;
  if (context_.certificate_file().empty()) return Missing("certificate_file", "PEM");
  SCHAKEL_ASSIGN(const Bytes pem, ReadFile(context_.certificate_file(), 1 << 20));
  SCHAKEL_ASSIGN(chain_, crypto::Certificate::ParseChain(pem));
  return *chain_;
}

Result<OrganisationId> Session::self() {
  SCHAKEL_ASSIGN(const auto chain, certificate_chain());
  return crypto::RequireOin(chain.front());
}

Result<std::shared_ptr<const KeySetVerifier>> Session::verifier() {
  if (verifier_) return verifier_;
  if (context_.ca_file().empty()) return Missing("ca_file", "trust anchors, PEM");
  SCHAKEL_ASSIGN(auto made, KeySetVerifier::Open(context_.ca_file(), context_.crl_path()));
  verifier_ = std::move(made);
  return verifier_;
}

Result<KeyStore*> Session::keys() {
  if (!keys_) {
    if (context_.key_store().empty()) return Missing("key_store", "folder of the own key sets");
    SCHAKEL_ASSIGN(keys_, KeyStore::Open(context_.key_store()));
  }
  return &*keys_;
}

Result<DirectoryClient*> Session::directory() {
  if (!directory_) {
    SCHAKEL_ASSIGN(auto to, connection());
    SCHAKEL_ASSIGN(auto with, verifier());
    SCHAKEL_ASSIGN(const auto folder, StateFolder());
    directory_ = std::make_unique<DirectoryClient>(std::move(to), std::move(with),
                                                   KeySetPins(folder / "key-set-pins"));
  }
  return directory_.get();
}

Result<PolicyClient*> Session::policy() {
  if (!policy_) {
    SCHAKEL_ASSIGN(auto to, connection());
    policy_ = std::make_unique<PolicyClient>(std::move(to));
  }
  return policy_.get();
}

Result<std::vector<PinnedKeyDocument>> Session::pinned_key_documents() const {
  std::vector<PinnedKeyDocument> pinned;
  for (const auto& document : context_.key_documents()) {
    const auto raw = HexDecode(document.digest());
    const auto digest = raw ? Digest::From(*raw) : std::nullopt;
    if (!digest) return InvalidArgument("CONFIG_INVALID", "key_documents", "64 hex digits");
    pinned.push_back({document.epoch(), *digest});
  }
  return pinned;
}

Result<PseudonymClient*> Session::pseudonyms() {
  if (!pseudonyms_) {
    if (context_.custodians_size() == 0) {
      return Missing("custodians", "who hold the pseudonym key: oin and address of each");
    }
    SCHAKEL_ASSIGN(const auto pinned, pinned_key_documents());
    SCHAKEL_ASSIGN(auto* const policies, policy());
    SCHAKEL_ASSIGN(const auto bundle, policies->Active());
    SCHAKEL_ASSIGN(auto agreed, AgreedKeyDocuments(pinned, bundle->KeyDocuments()));
    SCHAKEL_ASSIGN(const auto trust, verifier());
    std::vector<CustodianEndpoint> endpoints;
    for (const auto& custodian : context_.custodians()) {
      const auto oin = OrganisationId::From(custodian.oin());
      if (!oin) return InvalidArgument("CONFIG_INVALID", "custodians", "an OIN has 20 digits");
      SCHAKEL_ASSIGN(auto to, Connection::Open(OptionsFor(custodian.address())));
      endpoints.push_back({*oin, std::move(to)});
    }
    pseudonyms_ = std::make_unique<PseudonymClient>(std::move(endpoints), std::move(agreed),
                                                    bundle->compiled->region(), &trust->anchors());
  }
  return pseudonyms_.get();
}

Result<Outbox*> Session::outbox() {
  if (!outbox_) {
    SCHAKEL_ASSIGN(const auto folder, StateFolder());
    SCHAKEL_ASSIGN(outbox_, Outbox::Open(folder / "outbox"));
  }
  return &*outbox_;
}

Result<SignalClient*> Session::signals() {
  if (!signals_) {
    SCHAKEL_ASSIGN(auto to, connection());
    SCHAKEL_ASSIGN(auto* const box, outbox());
    signals_ = std::make_unique<SignalClient>(std::move(to), *box);
  }
  return signals_.get();
}

Result<InboxClient*> Session::inbox() {
  if (!inbox_) {
    SCHAKEL_ASSIGN(auto to, connection());
    inbox_ = std::make_unique<InboxClient>(std::move(to));
  }
  return inbox_.get();
}

Result<ConsentClient*> Session::consent() {
  if (!consent_) {
    SCHAKEL_ASSIGN(auto to, connection());
    consent_ = std::make_unique<ConsentClient>(std::move(to));
  }
  return consent_.get();
}

Result<CheckpointMemory*> Session::checkpoints() {
  if (!checkpoints_) {
    if (context_.log_key().empty()) {
      return Missing("log_key",
                     "the audit log's verifier key, from a source other than the broker");
    }
    SCHAKEL_ASSIGN(auto key, merkle::VerifierKey::Parse(context_.log_key()));
    SCHAKEL_ASSIGN(const auto folder, StateFolder());
    checkpoints_ = std::make_unique<CheckpointMemory>(folder, std::move(key));
  }
  return checkpoints_.get();
}

Result<AuditClient*> Session::audit() {
  if (!audit_) {
    SCHAKEL_ASSIGN(auto to, connection());
    SCHAKEL_ASSIGN(auto* const memory, checkpoints());
    audit_ = std::make_unique<AuditClient>(std::move(to), *memory);
  }
  return audit_.get();
}

Result<config::v1::ContextCustodian> Session::Custodian(uint64_t number) const {
  if (number >= 1 && number <= static_cast<uint64_t>(context_.custodians_size())) {
    return context_.custodians(static_cast<int>(number - 1));
  }
  return MakeError(ErrorCode::kNotFound, "CUSTODIAN_UNKNOWN",
                   "the context has " + std::to_string(context_.custodians_size()) +
                       " custodians, none with number " + std::to_string(number),
                   "custodians");
}

Result<CheckpointMemory*> Session::custodian_checkpoints(uint64_t number) {
  auto& memory = custodian_checkpoints_[number];
  if (!memory) {
    SCHAKEL_ASSIGN(const auto custodian, Custodian(number));
    if (custodian.log_key().empty()) {
      return Missing("custodians.log_key",
                     "the verifier key of that custodian's log, from a source other than itself");
    }
    SCHAKEL_ASSIGN(auto key, merkle::VerifierKey::Parse(custodian.log_key()));
    SCHAKEL_ASSIGN(const auto folder, StateFolder());
    memory = std::make_unique<CheckpointMemory>(folder, std::move(key));
  }
  return memory.get();
}

Result<AuditClient*> Session::custodian_audit(uint64_t number) {
  auto& client = custodian_audits_[number];
  if (!client) {
    SCHAKEL_ASSIGN(const auto custodian, Custodian(number));
    SCHAKEL_ASSIGN(auto* const memory, custodian_checkpoints(number));
    if (context_.ca_file().empty()) return Missing("ca_file", "trust anchors, PEM");
    if (context_.certificate_file().empty()) return Missing("certificate_file", "PEM");
    if (context_.key_file().empty()) return Missing("key_file", "PEM, mode 0600");
    SCHAKEL_ASSIGN(auto to, Connection::Open(OptionsFor(custodian.address())));
    client = std::make_unique<AuditClient>(CustodianLog(std::move(to)), *memory);
  }
  return client.get();
}

Result<FlowClient*> Session::flow() {
  if (!flow_) {
    SCHAKEL_ASSIGN(auto to, connection());
    flow_ = std::make_unique<FlowClient>(std::move(to));
  }
  return flow_.get();
}

Result<OrgClient*> Session::org() {
  if (!org_) {
    SCHAKEL_ASSIGN(auto to, connection());
    org_ = std::make_unique<OrgClient>(std::move(to));
  }
  return org_.get();
}

Result<std::unique_ptr<Composer>> Session::NewComposer(WrapChoice choice) {
  SCHAKEL_ASSIGN(const auto oin, self());
  SCHAKEL_ASSIGN(auto* const entries, directory());
  SCHAKEL_ASSIGN(auto* const policies, policy());
  SCHAKEL_ASSIGN(auto bundle, policies->Active());
  std::optional<merkle::TreeHead> seen;
  if (!context_.log_key().empty()) {
    SCHAKEL_ASSIGN(auto* const memory, checkpoints());
    SCHAKEL_ASSIGN(const auto remembered, memory->Remembered());
    if (remembered) seen = remembered->head;
  }
  return std::make_unique<Composer>(Sender{oin, context_.actor(), seen}, std::move(bundle),
                                    *entries, choice);
}

Result<Opener*> Session::opener() {
  if (!opener_) {
    SCHAKEL_ASSIGN(const auto oin, self());
    SCHAKEL_ASSIGN(auto* const entries, directory());
    SCHAKEL_ASSIGN(auto* const policies, policy());
    SCHAKEL_ASSIGN(auto* const own, keys());
    SCHAKEL_ASSIGN(const auto member, entries->Get(oin));
    SCHAKEL_ASSIGN(const auto bundle, policies->Active());
    SCHAKEL_ASSIGN(const auto folder, StateFolder());
    seen_ = std::make_unique<SeenSignals>(folder / "seen-signals");
    SCHAKEL_TRY(seen_->Compact(Now()));
    const auto compute = [this](std::string_view bsn) -> Result<v1::SubjectRef> {
      SCHAKEL_ASSIGN(auto* const client, pseudonyms());
      return client->ComputeOne(bsn);
    };
    opener_ = std::make_unique<Opener>(
        Reader{oin, bundle->compiled->region(), member.organisation.bsn_authority()}, *own,
        *entries, *policies, *seen_, compute);
  }
  return opener_.get();
}

Result<Recorder> Session::recorder() {
  SCHAKEL_ASSIGN(const auto oin, self());
  SCHAKEL_ASSIGN(auto* const policies, policy());
  SCHAKEL_ASSIGN(const auto bundle, policies->Active());
  return Recorder{oin, bundle->compiled->region(), context_.actor()};
}

}  // namespace schakel::sdk
