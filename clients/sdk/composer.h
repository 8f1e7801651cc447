// From drafts to sealed, signed envelopes. Need-to-know holds here already: a section's key is
// wrapped only for whom the sender named, or else for whom the bundle's rules could permit it at
// best (any consent that might exist assumed), so that even a broker that decides wrongly has
// nothing to hand to others.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/base/result.h"
#include "broker/merkle/tree.h"
#include "clients/sdk/bundle_source.h"
#include "clients/sdk/directory.h"
#include "clients/sdk/key_store.h"
#include "clients/sdk/signal_draft.h"
#include "schakel/v1/envelope.pb.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::sdk {

// Who sends.
struct Sender {
  OrganisationId oin;
  std::string actor;                                // as in the call's schakel-actor
  std::optional<merkle::TreeHead> last_checkpoint;  // goes into the header
};

// What the rules say at best of one section for one recipient.
struct PlannedSection {
  std::string category;
  bool wrapped = false;
  std::string reason;  // of error_reason.proto without its prefix, when not; empty when not asked
  std::string rule;    // of the bundle; empty when none decided
};

struct PlannedRecipient {
  OrganisationId oin;
  std::optional<policy::FunctionAtArea> function;
  std::vector<PlannedSection> sections;  // in the draft's order
};

// Ready to go to the outbox, and from there to the broker.
struct ComposedSignal {
  SignalId id;
  Bytes envelope;  // a schakel.v1.Envelope; these bytes are sent, also on a retry
  Digest envelope_digest;
  Millis created{0};
  Millis expires{0};
  std::vector<SubjectLabel> subject_labels;  // in the draft's order
  std::vector<PlannedRecipient> plan;
};

enum class WrapChoice {
  kByRules,         // as above; a section that nobody may read is refused here
  kEveryRecipient,  // leave the decision to the broker alone (sections with named readers: those)
};

// Not thread-safe. References live as long as the object.
class Composer {
 public:
  Composer(Sender sender, std::shared_ptr<const LoadedBundle> bundle, Directory& directory,
           WrapChoice choice = WrapChoice::kByRules);

  // 1 to 64 drafts under one signature. Errors carry as field "drafts[i].sections[j]...":
  // UNKNOWN_CODE, FIELD_INVALID, FIELD_MISSING, TOO_LARGE, EXPIRY_OUT_OF_RANGE; CONTENT_INVALID
  // when content does not meet its schema (the message never repeats content);
  // FUNCTION_UNRESOLVED, RECIPIENT_UNAVAILABLE; PERMISSION_DENIED with the engine's reason when no
  // recipient may read a section.
  Result<std::vector<ComposedSignal>> ComposeBatch(std::span<const SignalDraft> drafts,
                                                   const OwnKeySet& keys, Millis now);
  Result<ComposedSignal> Compose(const SignalDraft& draft, const OwnKeySet& keys, Millis now);

  // What the rules say at best, without sealing: `signal send --dry-run`.
  Result<std::vector<PlannedRecipient>> Plan(const SignalDraft& draft, Millis now);
  // The question that Preflight puts to the broker; no content goes with it.
  Result<v1::PreflightRequest> PreflightOf(const SignalDraft& draft, Millis now);

 private:
  struct Resolved;
  // composer_check.cc
  Status CheckDraft(const SignalDraft& draft) const;
  Status CheckSection(const SignalDraft& draft, const DraftSection& section) const;
  Status CheckContent(const SignalDraft& draft, const DraftSection& section) const;
  // composer_plan.cc
  Result<Resolved> Resolve(const SignalDraft& draft, Millis now);
  Result<PlannedRecipient> ResolveRecipient(const Addressee& to, Resolved& resolved);
  void PlanByRules(const SignalDraft& draft, const policy::Party& sender, Millis now, size_t place,
                   Resolved& resolved) const;
  // composer.cc
  Result<ComposedSignal> Seal(const SignalDraft& draft, const OwnKeySet& keys, Millis now,
                              v1::Envelope& envelope);

  Sender sender_;
  std::shared_ptr<const LoadedBundle> bundle_;
  Directory& directory_;
  WrapChoice choice_;
};

}  // namespace schakel::sdk
