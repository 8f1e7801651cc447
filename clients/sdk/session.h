// Everything that a program needs to act as one organisation, made from a context when first used.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "broker/base/result.h"
#include "broker/crypto/x509.h"
#include "clients/sdk/audit_client.h"
#include "clients/sdk/checkpoint_memory.h"
#include "clients/sdk/composer.h"
#include "clients/sdk/connection.h"
#include "clients/sdk/consent_client.h"
#include "clients/sdk/context.h"
#include "clients/sdk/directory_client.h"
#include "clients/sdk/flow_client.h"
#include "clients/sdk/inbox_client.h"
#include "clients/sdk/key_store.h"
#include "clients/sdk/opener.h"
#include "clients/sdk/org_client.h"
#include "clients/sdk/outbox.h"
#include "clients/sdk/policy_client.h"
#include "clients/sdk/pseudonym_client.h"
#include "clients/sdk/pull_stream.h"
#include "clients/sdk/seen_signals.h"
#include "clients/sdk/signal_client.h"

namespace schakel::sdk {

// Not thread-safe. Pointers and references that it gives live as long as it. Each getter makes its
// thing at the first call; its Error names what the context lacks (CONTEXT_INCOMPLETE, field =
// name of the missing setting) or which file is wrong.
class Session {
 public:
  // Reads nothing yet. `timeout` is that of every call.
  explicit Session(config::v1::Context context,
                   std::chrono::milliseconds timeout = std::chrono::seconds(10));
  ~Session();

  const config::v1::Context& context() const { return context_; }

  std::chrono::milliseconds timeout() const { return timeout_; }
  // How a connection to `address` is made, as this organisation.
  ConnectionOptions OptionsFor(std::string address) const;

  Result<std::shared_ptr<Connection>> connection();
  Result<std::vector<crypto::Certificate>> certificate_chain();
  Result<OrganisationId> self();  // from the certificate
  Result<std::shared_ptr<const KeySetVerifier>> verifier();
  Result<KeyStore*> keys();
  Result<DirectoryClient*> directory();
  Result<PolicyClient*> policy();
  Result<PseudonymClient*> pseudonyms();
  // The key documents that the context pins; empty when it pins none. Errors: CONFIG_INVALID.
  Result<std::vector<PinnedKeyDocument>> pinned_key_documents() const;
  Result<Outbox*> outbox();
  Result<SignalClient*> signals();
  Result<InboxClient*> inbox();
  Result<ConsentClient*> consent();
  Result<CheckpointMemory*> checkpoints();
  Result<AuditClient*> audit();
  // The same for the own log of a custodian: the `number`th of the context, from 1. Its verifier
  // key must stand there (CONTEXT_INCOMPLETE): a log that is signed with another is refused,
  // whoever answers. CUSTODIAN_UNKNOWN when the context has no such custodian.
  Result<CheckpointMemory*> custodian_checkpoints(uint64_t number);
  Result<AuditClient*> custodian_audit(uint64_t number);
  Result<FlowClient*> flow();
  Result<OrgClient*> org();
  // With the active bundle and the last checkpoint that was seen.
  Result<std::unique_ptr<Composer>> NewComposer(WrapChoice choice = WrapChoice::kByRules);
  // For the organisation itself, as the directory knows it.
  Result<Opener*> opener();
  Result<Recorder> recorder();

 private:
  Result<std::filesystem::path> StateFolder() const;
  Result<config::v1::ContextCustodian> Custodian(uint64_t number) const;

  config::v1::Context context_;
  std::chrono::milliseconds timeout_;
  std::shared_ptr<Connection> connection_;
  std::optional<std::vector<crypto::Certificate>> chain_;
  std::shared_ptr<const KeySetVerifier> verifier_;
  std::optional<KeyStore> keys_;
  std::unique_ptr<DirectoryClient> directory_;
  std::unique_ptr<PolicyClient> policy_;
  std::unique_ptr<PseudonymClient> pseudonyms_;
  std::optional<Outbox> outbox_;
  std::unique_ptr<SignalClient> signals_;
  std::unique_ptr<InboxClient> inbox_;
  std::unique_ptr<ConsentClient> consent_;
  std::unique_ptr<CheckpointMemory> checkpoints_;
  std::unique_ptr<AuditClient> audit_;
  std::map<uint64_t, std::unique_ptr<CheckpointMemory>> custodian_checkpoints_;
  std::map<uint64_t, std::unique_ptr<AuditClient>> custodian_audits_;
  std::unique_ptr<FlowClient> flow_;
  std::unique_ptr<OrgClient> org_;
  std::unique_ptr<SeenSignals> seen_;
  std::unique_ptr<Opener> opener_;
};

}  // namespace schakel::sdk
