// Questions about a subject that partners ask without sending anything: answered and recorded.
#include <algorithm>
#include <map>

#include "broker/machine/decide_signal.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

namespace {

// One record for each linked subject; nobody but the caller is a party.
void RecordConsultation(Context& ctx, const std::string& rpc,
                        const std::vector<v1::SubjectRef>& subjects, const std::string& signal_type,
                        const std::string& purpose, const Bytes& question,
                        const std::string& reason) {
  Bytes event = ctx.NewEventId();
  for (size_t i = 0; i < subjects.size(); ++i) {
    v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_CONSULTATION);
    record.set_event_id(event);
    record.set_subject_label(ctx.NewEventId());
    record.set_signal_type(signal_type);
    record.set_purpose(purpose);
    record.set_reason(reason);
    record.set_bundle_digest(ctx.meta().active_bundle());
    record.mutable_facts()->set_rpc(rpc);
    v1::Detail detail;
    *detail.mutable_subject() = subjects[i];
    detail.set_question(question);
    ctx.AddRecord(std::move(record), &detail);
  }
}

Result<std::vector<std::vector<uint16_t>>> PlacesOf(const v1::PreflightRequest& request) {
  std::map<std::string, uint16_t> places;
  for (int i = 0; i < request.subjects_size(); ++i) {
    places[request.subjects(i).label()] = static_cast<uint16_t>(i);
  }
  std::vector<std::vector<uint16_t>> out;
  for (int i = 0; i < request.sections_size(); ++i) {
    auto& section = out.emplace_back();
    for (const auto& label : request.sections(i).subject_labels()) {
      auto it = places.find(label);
      if (it == places.end()) {
        return InvalidArgument("FIELD_INVALID",
                               "sections[" + std::to_string(i) + "].subject_labels",
                               "labels of the request's subjects expected");
      }
      section.push_back(it->second);
    }
  }
  return out;
}

}  // namespace

Result<Answer> Apply(Context& ctx, const Preflight& command) {
  const auto& request = command.request;
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  auto digest = *Digest::From(ctx.meta().active_bundle());
  std::vector<v1::SubjectRef> linked;
  for (int i = 0; i < request.subjects_size(); ++i) {
    SCHAKEL_TRY(CheckEpochs(*bundle, request.subjects(i).ref(), false,
                            "subjects[" + std::to_string(i) + "].ref"));
    if (IsLinked(request.subjects(i).ref())) linked.push_back(request.subjects(i).ref());
  }
  SCHAKEL_ASSIGN(auto places, PlacesOf(request));
  SCHAKEL_ASSIGN(auto sender, ctx.FindOrganisation(ctx.caller().organisation));
  SignalFacts facts{request.signal_type(), request.purpose(), request.case_id(), ctx.now_ms()};
  std::vector<v1::SectionMeta> metas(request.sections().begin(), request.sections().end());
  SCHAKEL_ASSIGN(auto question, PrepareQuestion(ctx.view(), &ctx.facts(), bundle, digest, facts,
                                                *sender, request.subjects(), metas, places));
  auto knows = KnowsSubject(question, ctx.caller().organisation);
  std::vector<uint32_t> all(metas.size());
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;

  v1::PreflightResponse response;
  for (const auto& routed : request.recipients()) {
    auto oin = OrganisationId::From(routed.oin());
    if (routed.has_function()) {
      oin = bundle->Resolve({routed.function().function(), routed.function().area()});
      // As at publish, where it counts who can open it.
      if (oin && !routed.oin().empty() && routed.oin() != oin->str()) oin.reset();
    }
    auto* outcome = response.add_outcomes();
    SlotDecision decision =
        DenySlot(routed.has_function() && !oin ? "FUNCTION_UNRESOLVED" : "RECIPIENT_UNAVAILABLE");
    if (oin) {
      outcome->set_recipient(oin->str());
      SCHAKEL_ASSIGN(auto recipient, ctx.FindOrganisation(*oin));
      if (recipient && !recipient->disabled() &&
          recipient->organisation().role() == v1::ROLE_PARTNER) {
        decision = DecideSlot(question, &ctx.facts(), *recipient,
                              routed.has_function() ? &routed.function() : nullptr, all);
      }
    }
    FillOutcome(question, decision, knows, {}, outcome);
  }
  response.set_position(ctx.position());
  RecordConsultation(ctx, "Preflight", linked, request.signal_type(), request.purpose(),
                     request.SerializeAsString(), "");
  return Answer(std::move(response));
}

Result<Answer> Apply(Context& ctx, const CheckConsent& command) {
  const auto& request = command.request;
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  SCHAKEL_TRY(CheckEpochs(*bundle, request.subject(), true, "subject"));
  auto oin = OrganisationId::From(request.recipient().oin());
  std::optional<policy::FunctionAtArea> function;
  if (request.recipient().has_function()) {
    function = policy::FunctionAtArea{request.recipient().function().function(),
                                      request.recipient().function().area()};
    oin = bundle->Resolve(*function);
  }
  if (!oin) {
    return InvalidArgument("FUNCTION_UNRESOLVED", "recipient",
                           "an OIN, or a function that the active bundle resolves, expected");
  }
  SCHAKEL_ASSIGN(auto sender, ctx.FindOrganisation(ctx.caller().organisation));
  SCHAKEL_ASSIGN(auto recipient, ctx.FindOrganisation(*oin));
  if (!recipient) {
    return MakeError(ErrorCode::kFailedPrecondition, "RECIPIENT_UNAVAILABLE",
                     "the recipient is not in the directory", "recipient");
  }
  SCHAKEL_ASSIGN(auto statements, FindStatements(ctx.view(), *bundle, request.subject()));
  policy::Party from = ToParty(sender->organisation());
  policy::Party to = ToParty(recipient->organisation());
  from.functions = bundle->FunctionsOf(from.oin);
  to.functions = bundle->FunctionsOf(to.oin);
  policy::Transfer transfer{
      &from, &to, function, CaseId::From(request.case_id()), request.category(), request.purpose()};
  std::vector<policy::ConsentFact> standing;
  for (const auto& state : statements.states) {
    auto fact = ToConsentFact(state);
    if (policy::InForce(fact, Millis(ctx.now_ms())) &&
        policy::Matches(fact.kind, fact.axes, transfer)) {
      standing.push_back(std::move(fact));
    }
  }
  bool consent = false;
  bool objection = false;
  for (const auto& fact : standing) {
    bool beaten = std::any_of(standing.begin(), standing.end(), [&](const auto& other) {
      return policy::Beats(other.axes, fact.axes);
    });
    if (beaten) continue;
    (fact.kind == policy::StatementKind::kObjection ? objection : consent) = true;
  }
  v1::CheckConsentResponse response;
  response.set_covered(consent && !objection);
  response.set_position(ctx.position());
  bool knows = std::any_of(statements.states.begin(), statements.states.end(), [&](const auto& s) {
    return s.parsed().recorder() == ctx.caller().organisation.str() &&
           s.parsed().kind() == v1::STATEMENT_KIND_CONSENT;
  });
  if (!response.covered()) {
    response.set_reason(!knows ? "NOT_PERMITTED" : objection ? "OBJECTION" : "NO_CONSENT");
  }
  RecordConsultation(ctx, "CheckConsent", {request.subject()}, "", request.purpose(),
                     request.SerializeAsString(), response.reason());
  return Answer(std::move(response));
}

Result<Answer> Apply(Context& ctx, const ListStatements& command) {
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  SCHAKEL_TRY(CheckEpochs(*bundle, command.subject, true, "subject"));
  RecordConsultation(ctx, "ListStatements", {command.subject}, "", "", {}, "");
  return Answer(std::monostate{});
}

}  // namespace schakel::machine
