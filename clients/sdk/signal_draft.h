// A signal before it is sealed, as a sender's system or the command line puts it together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/crypto/secret.h"
#include "policy/engine/party.h"
#include "schakel/v1/common.pb.h"

namespace schakel::sdk {

// Whom it is for: an organisation, or whoever fulfils a function for an area. Exactly one is set.
struct Addressee {
  std::optional<OrganisationId> organisation;
  std::optional<policy::FunctionAtArea> function;

  static Addressee To(OrganisationId oin) { return {std::move(oin), std::nullopt}; }
  static Addressee To(policy::FunctionAtArea function) {
    return {std::nullopt, std::move(function)};
  }
};

// Content of one category. Numbers count from 1.
struct DraftSection {
  std::string category;            // identity, identity-bsn and identity-address: one subject each
  std::vector<uint16_t> subjects;  // numbers of the draft's subjects; empty: all of them
  std::string ground;              // code of the bundle
  std::vector<std::string> attested;  // conditions of the ground that the sender attests
  std::string media_type = "application/json";
  std::string schema_id;          // empty: the one that the bundle names for type and category
  crypto::SecretBytes content;    // JSON that the schema describes
  std::vector<uint16_t> readers;  // numbers of the draft's recipients; empty: whom the rules permit
};

// Move-only, since its content is secret.
struct SignalDraft {
  std::string signal_type;
  std::string purpose;
  v1::Urgency urgency = v1::URGENCY_NORMAL;
  std::optional<Millis> expires_in;  // from created; unset: the type's own default
  std::optional<SignalId> follows;   // not together with supersedes
  std::optional<SignalId> supersedes;
  std::optional<CaseId> case_id;
  std::vector<Addressee> recipients;     // 1 to 32
  std::vector<v1::SubjectRef> subjects;  // 1 to 16; linked, or UnlinkedSubject()
  std::vector<DraftSection> sections;    // 1 to 64
};

// HMAC-SHA-256 under `key` of everything in the draft but the random value of unlinked subjects:
// equal input gives an equal digest. Keyed, since content may be guessable.
Digest DraftDigest(const SignalDraft& draft, BytesView key);

}  // namespace schakel::sdk
