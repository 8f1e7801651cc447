// schakel audit state: how it stood at a past moment, for auditors.
#include <memory>

#include "clients/cli/audit_parts.h"
#include "clients/cli/parse.h"
#include "clients/cli/subjects.h"
#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

using policy::CodeKind;

struct StateOptions {
  std::string at;
  std::string index;
  std::string of;
  std::string organisation;
  std::string bsn;
  std::string ground;
  std::string reference;
  uint64_t limit = 1000;
};

Result<v1::GetStateAtRequest> RequestOf(Invocation& invocation, const StateOptions& options) {
  v1::GetStateAtRequest request;
  if (options.at.empty() == options.index.empty()) {
    return UsageError(invocation.Text(Msg::kAtOrIndex), "--at");
  }
  if (!options.at.empty()) {
    SCHAKEL_ASSIGN(const auto time, ParseTime(invocation.language(), options.at, "--at"));
    *request.mutable_at() = TimestampOf(time);
  } else {
    SCHAKEL_ASSIGN(const auto index, ParseIndex(invocation.language(), options.index, "--index"));
    request.set_index(index);
  }
  const auto* part = ValueOfCode(v1::StatePart_descriptor(), options.of);
  if (part == nullptr) {
    return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(v1::StatePart_descriptor())}), "--of");
  }
  request.set_part(static_cast<v1::StatePart>(part->number()));
  if (!options.organisation.empty()) {
    SCHAKEL_ASSIGN(const auto oin,
                   ParseOin(invocation.language(), options.organisation, "--organisation"));
    request.set_organisation(oin.str());
  }
  request.set_ground(options.ground);
  request.set_reference(options.reference);
  if (request.part() == v1::STATE_PART_STATEMENTS && options.bsn.empty() &&
      options.organisation.empty()) {
    return UsageError(invocation.Text(Msg::kWhoseStatements), "--subject-bsn");
  }
  if (!options.bsn.empty()) {
    // Before a BSN is read: computing its pseudonym would cost budget for nothing.
    if (options.ground.empty() || options.reference.empty()) {
      return UsageError(invocation.Text(Msg::kGroundAndReference), "--ground");
    }
    SCHAKEL_ASSIGN(*request.mutable_subject(), OneSubject(invocation, options.bsn));
  }
  return request;
}

std::string ReplacedText(const Invocation& invocation, bool replaced,
                         const google::protobuf::Timestamp& time, uint64_t index) {
  if (!replaced) return invocation.Text(Msg::kNotReplaced);
  return invocation.Text(Msg::kReplacedBy, {TimeText(time), std::to_string(index)});
}

// A digest as long as its reader has room for.
std::string DigestText(const Invocation& invocation, const Bytes& digest) {
  return invocation.format() == Format::kCsv ? HexEncode(digest) : ShortDigest(digest);
}

Table DirectoryTable(Invocation& invocation, const v1::GetStateAtResponse& state) {
  Table table({invocation.Text(Msg::kColOin), invocation.Text(Msg::kColName),
               invocation.Text(Msg::kColState), invocation.Text(Msg::kColRole),
               invocation.Text(Msg::kColSector), invocation.Text(Msg::kColAreas),
               invocation.Text(Msg::kColFunctions), invocation.Text(Msg::kColBsn),
               invocation.Text(Msg::kColKeys), invocation.Text(Msg::kColSince),
               invocation.Text(Msg::kColEntry), invocation.Text(Msg::kColReplaced)});
  Names& names = invocation.names();
  for (const auto& at : state.organisations()) {
    const auto& organisation = at.organisation();
    std::string functions;
    for (const auto& function : at.functions()) {
      functions += (functions.empty() ? "" : ", ") + names.Function(function);
    }
    table.Add({organisation.oin(), organisation.name(),
               at.disabled() ? Cell(invocation.Text(Msg::kStateDisabled), Colour::kBad)
                             : Cell(invocation.Text(Msg::kStateAdmitted), Colour::kGood),
               Word(invocation.language(), organisation.role()),
               organisation.sector().empty() ? std::string()
                                             : names.Of(CodeKind::kSector, organisation.sector()),
               names.ListOf(CodeKind::kArea, organisation.areas()), functions,
               organisation.bsn_authority() ? organisation.bsn_authority_article()
                                            : invocation.Text(Msg::kNo),
               at.key_set_version() == 0 ? Cell(invocation.Text(Msg::kNone), Colour::kDim)
                                         : Cell(std::to_string(at.key_set_version()) + " (" +
                                                DigestText(invocation, at.key_set_digest()) + ")"),
               TimeText(at.since()), std::to_string(at.record_index()),
               ReplacedText(invocation, at.has_replaced(), at.replaced(), at.replaced_index())});
  }
  return table;
}

Table PolicyTable(Invocation& invocation, const v1::PolicyAt& at) {
  Table table({invocation.Text(Msg::kColField), invocation.Text(Msg::kColValue)});
  const auto row = [&](Msg name, const std::string& value) {
    if (!value.empty()) table.Add({invocation.Text(name), value});
  };
  row(Msg::kColPolicy, at.name());
  row(Msg::kColVersion, at.version());
  row(Msg::kColDigest, HexEncode(at.digest()));
  row(Msg::kColSince, TimeText(at.since()));
  row(Msg::kColEntry, std::to_string(at.record_index()));
  if (at.organisation().empty()) {
    row(Msg::kColBy, invocation.Text(Msg::kLogBegan));
  } else {
    row(Msg::kColBy, invocation.names().Organisation(at.organisation()));
    row(Msg::kColActor, at.actor());
    row(Msg::kColContact, invocation.names().Contact(at.organisation()));
  }
  row(Msg::kColReplaced,
      ReplacedText(invocation, at.has_replaced(), at.replaced(), at.replaced_index()));
  return table;
}

// How it stood, and what became of it since.
Cell StandingCell(const Invocation& invocation, const v1::StatementAt& at) {
  const bool in_force = at.standing() == v1::STATEMENT_STANDING_IN_FORCE;
  const Colour colour = in_force ? Colour::kGood : Colour::kBad;
  std::string word = Word(invocation.language(), at.standing());
  if (!at.has_withdrawn()) return {word, colour};
  const std::string index = std::to_string(at.withdrawal_index());
  std::string when = TimeText(at.withdrawn());
  if (at.withdrawn_by_objection()) when = invocation.Text(Msg::kByObjection, {when});
  return {invocation.Text(at.standing() == v1::STATEMENT_STANDING_WITHDRAWN ? Msg::kWithdrawnThen
                                                                            : Msg::kWithdrawnSince,
                          {word, when, index}),
          colour};
}

Table StatementsTable(Invocation& invocation, const v1::GetStateAtResponse& state) {
  Table table({invocation.Text(Msg::kColStatement), invocation.Text(Msg::kColKind),
               invocation.Text(Msg::kColState), invocation.Text(Msg::kColSender),
               invocation.Text(Msg::kColRecipient), invocation.Text(Msg::kColCase),
               invocation.Text(Msg::kColSection), invocation.Text(Msg::kColPurpose),
               invocation.Text(Msg::kColFrom), invocation.Text(Msg::kColUntil),
               invocation.Text(Msg::kColGrantor), invocation.Text(Msg::kColIdentityCheck),
               invocation.Text(Msg::kColRecorder), invocation.Text(Msg::kColRecorded),
               invocation.Text(Msg::kColEntry)});
  Names& names = invocation.names();
  const auto any_or = [&](CodeKind kind, const std::string& code) {
    return code.empty() ? invocation.Text(Msg::kAny) : names.Of(kind, code);
  };
  for (const auto& at : state.statements()) {
    table.Add({IdText(at.statement_id()), Word(invocation.language(), at.kind()),
               StandingCell(invocation, at), names.Axis(at.sender()), names.Axis(at.recipient()),
               at.case_id().empty() ? invocation.Text(Msg::kAny) : IdText(at.case_id()),
               any_or(CodeKind::kCategory, at.category()), any_or(CodeKind::kPurpose, at.purpose()),
               TimeText(at.valid_from()), TimeText(at.valid_until()),
               Word(invocation.language(), at.grantor()),
               Word(invocation.language(), at.identity_check()), names.Organisation(at.recorder()),
               TimeText(at.recorded()), std::to_string(at.record_index())});
  }
  return table;
}

Table SweptTable(const Invocation& invocation, const v1::GetStateAtResponse& state) {
  Table table({invocation.Text(Msg::kColWhat), invocation.Text(Msg::kColKind),
               invocation.Text(Msg::kColRule), invocation.Text(Msg::kColPolicy),
               invocation.Text(Msg::kColAmount), invocation.Text(Msg::kColSweeps),
               invocation.Text(Msg::kColFirst), invocation.Text(Msg::kColLast),
               invocation.Text(Msg::kColEntry)});
  for (const auto& sum : state.swept()) {
    const auto number = [&](uint64_t value) {
      return sum.sweeps() == 0 ? std::string() : std::to_string(value);
    };
    table.Add({SweptWhat(invocation, sum.swept()),
               sum.kind() == v1::RECORD_KIND_UNSPECIFIED ? std::string()
                                                         : Word(invocation.language(), sum.kind()),
               sum.rule(), sum.bundle(), number(sum.count()), number(sum.sweeps()),
               TimeText(sum.first()), TimeText(sum.last()), number(sum.last_index())});
  }
  return table;
}

// What can no longer be shown of statements.
void NoteGone(Invocation& invocation, const v1::GetStateAtResponse& state) {
  const auto& gone = state.destroyed();
  invocation.Note(Msg::kStatementsGone, {TimeText(gone.before()), gone.rule(), gone.bundle()});
  for (const auto& sum : state.swept()) {
    const std::string first = TimeText(sum.first());
    const std::string last = TimeText(sum.last());
    if (sum.sweeps() == 0) {
      invocation.Note(Msg::kSweptSinceOwn, {sum.rule(), sum.bundle(), first, last});
      continue;
    }
    invocation.Note(Msg::kSweptSince,
                    {std::to_string(sum.count()) + " " + invocation.Text(Msg::kSweptStatements),
                     sum.rule(), sum.bundle(), first, last, std::to_string(sum.last_index())});
  }
}

void ShowPart(Invocation& invocation, v1::StatePart part, const v1::GetStateAtResponse& state) {
  const auto& policy = state.policy();
  invocation.Heading(Msg::kStateAt, TimeText(state.at()));
  if (part == v1::STATE_PART_POLICY) {
    return invocation.Show(state, nullptr, PolicyTable(invocation, policy));
  }
  if (part == v1::STATE_PART_SWEEPS) {
    invocation.Show(state, "swept", SweptTable(invocation, state));
    if (state.swept().empty()) invocation.Note(Msg::kNotThereThen);
    if (state.scope() == "own") invocation.Note(Msg::kNumbersOfRegion);
    return;
  }
  invocation.Heading(Msg::kPolicyThen,
                     invocation.Text(Msg::kPolicyAndSince,
                                     {policy.name(), policy.version(), TimeText(policy.since()),
                                      std::to_string(policy.record_index())}));
  if (part == v1::STATE_PART_DIRECTORY) {
    invocation.Show(state, "organisations", DirectoryTable(invocation, state));
    if (state.organisations().empty()) invocation.Note(Msg::kNotThereThen);
    return;
  }
  invocation.Show(state, "statements", StatementsTable(invocation, state));
  if (state.statements().empty()) invocation.Note(Msg::kNotThereThen);
  NoteGone(invocation, state);
}

Result<ExitCode> State(Invocation& invocation, const StateOptions& options) {
  SCHAKEL_ASSIGN(auto request, RequestOf(invocation, options));
  const v1::StatePart part = request.part();
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const audit, session->audit());
  SCHAKEL_ASSIGN(const auto state, audit->StateAtAll(std::move(request), options.limit));
  // What was said then is read by the names of then.
  if (const auto digest = Digest::From(state.policy().digest())) {
    if (invocation.format() == Format::kTable || invocation.format() == Format::kCsv) {
      invocation.names().UseBundle(*digest);
    }
  }
  ShowPart(invocation, part, state);
  invocation.Note(Msg::kScopeNote, {state.scope(), std::to_string(state.receipt().index())});
  if (!state.next_page_token().empty()) invocation.Note(Msg::kThereIsMore, {"--limit"});
  return ExitCode::kOk;
}

}  // namespace

void AddAuditState(CLI::App* noun, Invocation& invocation) {
  Verb state(noun, invocation, "state", Msg::kVerbAuditState,
             "schakel audit state --at 2026-03-01T12:00Z --of directory -o csv > directory.csv\n"
             "schakel audit state --at 2026-03-01T12:00Z --of policy -o json\n"
             "schakel audit state --index 42 --of statements --subject-bsn @bsn.txt \\\n"
             "    --ground \"AVG art. 57\" --reference KL-2026-7\n"
             "schakel audit state --at 2026-03-01T12:00Z --of statements \\\n"
             "    --organisation 00000099000000002000\n"
             "schakel audit state --at 2026-03-01T12:00Z --of sweeps");
  const auto options = std::make_shared<StateOptions>();
  state.Value("--at", options->at, Msg::kOptAt, "TIME");
  state.Value("--index", options->index, Msg::kOptAtIndex, "INDEX");
  state.Choice("--of", options->of, Msg::kOptOf, "WHAT", v1::StatePart_descriptor()).Required();
  state.Value("--organisation", options->organisation, Msg::kOptStateOrganisation, "OIN");
  state.Value("--subject-bsn", options->bsn, Msg::kOptOneBsn, "@FILE");
  state.Value("--ground", options->ground, Msg::kOptWhy, "TEXT");
  state.Value("--reference", options->reference, Msg::kOptReference, "TEXT");
  state.Number("--limit", options->limit, Msg::kOptLimitRows);
  state.AllowCsv();
  state.Run([&invocation, options] { return State(invocation, *options); });
}

}  // namespace schakel::cli
