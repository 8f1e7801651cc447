#include "broker/query/policy.h"

#include <limits>

#include "broker/base/limits.h"
#include "broker/machine/context.h"
#include "broker/machine/envelope.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"
#include "policy/engine/explain.h"

namespace schakel::query {

namespace {

Result<policy::Party> PartyOf(const store::StateReader& state, const OrganisationId& oin,
                              const char* field) {
  SCHAKEL_ASSIGN(auto entry, machine::FindOrganisation(state, oin));
  if (!entry) return NotFound("no such organisation", field);
  return machine::ToParty(entry->organisation());
}

Status CheckCodes(const v1::ExplainRequest& request) {
  const std::pair<const char*, const std::string*> codes[] = {
      {"signal_type", &request.signal_type()},
      {"purpose", &request.purpose()},
      {"category", &request.category()},
      {"ground", &request.ground()}};
  for (const auto& [field, code] : codes) SCHAKEL_TRY(machine::CheckCode(*code, field));
  if (static_cast<size_t>(request.attested_conditions_size()) > limits::kAttestationsMax) {
    return InvalidArgument("TOO_LARGE", "attested_conditions", "at most 16 expected");
  }
  for (const auto& code : request.attested_conditions()) {
    SCHAKEL_TRY(machine::CheckCode(code, "attested_conditions"));
  }
  const std::string& language = request.language();
  if (language.empty() || language == "nl" || language == "en") return {};
  return InvalidArgument("FIELD_INVALID", "language", "nl or en expected");
}

// Whom the question is about as recipient: the OIN, or who fulfils the function.
Result<OrganisationId> Recipient(const policy::CompiledBundle& bundle,
                                 const v1::ExplainRequest& request) {
  if (!request.recipient().empty() && request.has_function()) {
    return InvalidArgument("FIELD_INVALID", "recipient", "an OIN, or a function, not both");
  }
  if (!request.recipient().empty()) {
    auto oin = OrganisationId::From(request.recipient());
    if (!oin) return InvalidArgument("FIELD_INVALID", "recipient", "an OIN of 20 digits expected");
    return *oin;
  }
  if (!request.has_function()) {
    return InvalidArgument("FIELD_MISSING", "recipient", "an OIN, or a function, is required");
  }
  SCHAKEL_TRY(machine::CheckCode(request.function().function(), "function.function"));
  SCHAKEL_TRY(machine::CheckCode(request.function().area(), "function.area"));
  auto oin = bundle.Resolve({request.function().function(), request.function().area()});
  if (!oin) {
    return MakeError(ErrorCode::kNotFound, "FUNCTION_UNRESOLVED",
                     "the bundle gives this function to nobody", "function");
  }
  return *oin;
}

// A consent to everything, of nobody.
policy::ConsentFact AnyConsent() {
  policy::ConsentFact fact;
  fact.not_after = Millis(std::numeric_limits<int64_t>::max());
  return fact;
}

}  // namespace

Result<v1::GetPolicyResponse> GetPolicy(const store::StateReader& state,
                                        const v1::GetPolicyRequest& request) {
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  auto digest = Digest::From(request.digest().empty() ? meta.active_bundle() : request.digest());
  if (!digest) return InvalidArgument("FIELD_INVALID", "digest", "32 bytes, or none, expected");
  SCHAKEL_ASSIGN(auto stored, Read<state::v1::StoredBundle>(state, store::Family::kRegistry,
                                                            machine::keys::Bundle(*digest)));
  if (!stored) return NotFound("no bundle of that digest was ever activated here", "digest");
  v1::GetPolicyResponse response;
  response.set_bundle(std::move(*stored->mutable_bundle()));
  response.set_digest(digest->str());
  response.set_active(meta.active_bundle() == digest->view());
  machine::SetTimestamp(stored->activated_us(), response.mutable_activated());
  return response;
}

Result<v1::ExplainResponse> Explain(const store::StateReader& state, Bundles& bundles,
                                    const v1::ExplainRequest& request) {
  SCHAKEL_TRY(CheckCodes(request));
  SCHAKEL_TRY(machine::CheckOin(request.sender(), "sender"));
  auto sender_oin = OrganisationId::From(request.sender());
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  SCHAKEL_ASSIGN(auto named, bundles.Named(state, request.digest()));
  SCHAKEL_ASSIGN(auto recipient_oin, Recipient(*named.bundle, request));
  SCHAKEL_ASSIGN(auto sender, PartyOf(state, *sender_oin, "sender"));
  SCHAKEL_ASSIGN(auto recipient, PartyOf(state, recipient_oin, "recipient"));

  policy::SectionQuestion question{
      .sender = std::move(sender),
      .recipient = std::move(recipient),
      .addressed = {},
      .signal_type = request.signal_type(),
      .purpose = request.purpose(),
      .category = request.category(),
      .ground = request.ground(),
      .attested = {request.attested_conditions().begin(), request.attested_conditions().end()},
      .subject_linked = request.subject_linked(),
      .shielded = false,
      .statements = {},
      .case_id = {},
      .case_relation = policy::CaseRelation::kNone,
      .now = Millis(meta.time_us() / 1000)};
  if (request.has_function()) {
    question.addressed =
        policy::FunctionAtArea{request.function().function(), request.function().area()};
  }
  const policy::ConsentFact consent = AnyConsent();
  if (request.assume_consent() && request.subject_linked()) question.statements = {&consent, 1};
  auto explained = policy::Explain(*named.bundle, question, request.language());

  v1::ExplainResponse response;
  response.set_outcome(explained.decision.permitted ? v1::OUTCOME_PERMITTED : v1::OUTCOME_DENIED);
  response.set_reason(std::string(policy::ReasonName(explained.decision.reason)));
  response.set_rule(std::string(explained.decision.rule));
  for (auto& step : explained.steps) response.add_steps(std::move(step));
  response.set_bundle_digest(named.digest.str());
  return response;
}

}  // namespace schakel::query
