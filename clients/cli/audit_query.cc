// schakel audit query and subject: records, for auditors.
#include <charconv>
#include <memory>

#include "clients/cli/audit_parts.h"
#include "clients/cli/parse.h"
#include "clients/cli/subjects.h"
#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

using policy::CodeKind;

struct QueryOptions {
  WhichLog which;
  std::string from;
  std::string until;
  std::string organisation;
  std::string actor;
  std::vector<std::string> kinds;
  std::string bsn;
  std::string signal;
  std::string section_ground;
  std::string outcome;
  std::string ground;
  std::string reference;
  std::string index;
  bool details = false;
  uint64_t limit = 100;
};

Result<v1::QueryRecordsRequest> RequestOf(Invocation& invocation, const QueryOptions& options) {
  v1::QueryRecordsRequest request;
  auto* filter = request.mutable_filter();
  if (!options.from.empty()) {
    SCHAKEL_ASSIGN(const auto time, ParseTime(invocation.language(), options.from, "--from"));
    *filter->mutable_from() = TimestampOf(time);
  }
  if (!options.until.empty()) {
    SCHAKEL_ASSIGN(const auto time, ParseTime(invocation.language(), options.until, "--until"));
    *filter->mutable_until() = TimestampOf(time);
  }
  if (!options.organisation.empty()) {
    SCHAKEL_ASSIGN(const auto oin,
                   ParseOin(invocation.language(), options.organisation, "--organisation"));
    filter->set_organisation(oin.str());
  }
  filter->set_actor(options.actor);
  for (const auto& code : options.kinds) {
    const auto* kind = ValueOfCode(v1::RecordKind_descriptor(), code);
    if (kind == nullptr) {
      return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(v1::RecordKind_descriptor())}),
                        "--kind");
    }
    filter->add_kinds(static_cast<v1::RecordKind>(kind->number()));
  }
  if (!options.signal.empty()) {
    SCHAKEL_ASSIGN(const auto id,
                   ParseId<SignalId>(invocation.language(), options.signal, "--signal"));
    filter->set_signal_id(id.str());
  }
  filter->set_ground(options.section_ground);
  if (!options.index.empty()) {
    SCHAKEL_ASSIGN(const auto index, ParseIndex(invocation.language(), options.index, "--index"));
    filter->set_index(index);
  }
  if (!options.outcome.empty()) {
    const auto* outcome = ValueOfCode(v1::Outcome_descriptor(), options.outcome);
    if (outcome == nullptr) {
      return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(v1::Outcome_descriptor())}),
                        "--outcome");
    }
    filter->set_outcome(static_cast<v1::Outcome>(outcome->number()));
  }
  if (!options.bsn.empty()) {
    if (options.ground.empty() || options.reference.empty()) {
      return UsageError(invocation.Text(Msg::kGroundAndReference), "--ground");
    }
    SCHAKEL_ASSIGN(*filter->mutable_subject(), OneSubject(invocation, options.bsn));
  }
  request.set_ground(options.ground);
  request.set_reference(options.reference);
  request.set_with_details(options.details);
  return request;
}

// The rows, and whose actors they name: whom to ask who these are stands below a table, and in a
// column of its own for a spreadsheet.
struct Listing {
  Listing(Invocation& invocation, bool of_custodian) : table(HeadersOf(invocation, of_custodian)) {}

  void Add(Invocation& invocation, const v1::Record& record, std::vector<Cell> row) {
    actors.Add(record);
    if (invocation.format() == Format::kCsv) {
      row.insert(row.begin() + kBehindActor,
                 record.actor().empty() ? "" : invocation.names().Contact(record.organisation()));
    }
    table.Add(std::move(row));
  }

  Table table;
  WhomToAsk actors;

 private:
  static constexpr int kBehindActor = 5;
  static std::vector<std::string> HeadersOf(const Invocation& invocation, bool of_custodian) {
    std::vector<Msg> names = {Msg::kColIndex, Msg::kColTime, Msg::kColKind, Msg::kColOrganisation,
                              Msg::kColActor};
    if (invocation.format() == Format::kCsv) names.push_back(Msg::kColContact);
    const std::vector<Msg> rest =
        of_custodian
            ? std::vector{Msg::kColRole, Msg::kColAmount, Msg::kColDayLeft, Msg::kColMonthLeft,
                          Msg::kColOutcome}
            : std::vector{Msg::kColType, Msg::kColSections, Msg::kColOutcome, Msg::kColSignal};
    names.insert(names.end(), rest.begin(), rest.end());
    std::vector<std::string> headers;
    for (const Msg name : names) headers.push_back(invocation.Text(name));
    return headers;
  }
};

std::string SectionsText(Invocation& invocation,
                         const google::protobuf::RepeatedPtrField<v1::RecordSection>& sections) {
  std::string text;
  for (const auto& section : sections) {
    text += (text.empty() ? "" : ", ") +
            invocation.names().Of(CodeKind::kCategory, section.category()) + " (" +
            invocation.names().Of(CodeKind::kGround, section.ground()) + ")";
  }
  return text;
}

Cell OutcomeCell(Invocation& invocation, v1::Outcome outcome, const std::string& reason) {
  std::string text = Word(invocation.language(), outcome);
  if (!reason.empty()) {
    text += (text.empty() ? "" : ": ") + ReasonWord(invocation.language(), reason);
  }
  return {text, outcome == v1::OUTCOME_DENIED ? Colour::kBad : Colour::kNone};
}

// The same, or what was reported to have come of a signal.
Cell ResultCell(Invocation& invocation, v1::Outcome outcome, const std::string& reason,
                const std::string& reported) {
  if (reported.empty()) return OutcomeCell(invocation, outcome, reason);
  return invocation.names().Of(CodeKind::kOutcome, reported);
}

std::string WithDestroyedDetail(Invocation& invocation, const v1::AuditedRecord& audited,
                                std::string sections) {
  if (!audited.has_detail_destroyed()) return sections;
  if (!sections.empty()) sections += "; ";
  return sections + invocation.Text(Msg::kDetailDestroyed,
                                    {DestroyedText(invocation, audited.detail_destroyed())});
}

void AddDestroyed(Invocation& invocation, const v1::AuditedRecord& audited, Listing& listing) {
  listing.Add(invocation, {},
              {std::to_string(audited.index()),
               TimeText(audited.destroyed().time()),
               {Word(invocation.language(), audited.destroyed().kind()), Colour::kDim},
               "",
               "",
               "",
               {DestroyedText(invocation, audited.destroyed()), Colour::kDim},
               "",
               ""});
}

void AddRow(Invocation& invocation, const v1::AuditedRecord& audited, const v1::Record& record,
            Listing& listing) {
  Names& names = invocation.names();
  const std::string type =
      record.signal_type().empty() ? "" : names.Of(CodeKind::kSignalType, record.signal_type());
  listing.Add(
      invocation, record,
      {std::to_string(record.index()),
       TimeText(Millis(static_cast<int64_t>(record.time_us() / 1000))),
       Word(invocation.language(), record.kind()),
       record.organisation().empty() ? "" : names.Organisation(record.organisation()),
       record.actor(), type,
       WithDestroyedDetail(invocation, audited,
                           record.sections().empty() ? AboutText(invocation, record)
                                                     : SectionsText(invocation, record.sections())),
       ResultCell(invocation, record.outcome(), record.reason(), record.facts().reported_code()),
       IdText(record.signal_id())});
}

// A custodian's records: who, how many, when, and what was left.
void AddCustodianRow(Invocation& invocation, const v1::Record& record, Listing& listing) {
  const bool charged = record.kind() == v1::RECORD_KIND_EVALUATION;
  const auto number = [](uint64_t value, bool shown) {
    return shown ? std::to_string(value) : std::string();
  };
  const auto& facts = record.facts();
  listing.Add(
      invocation, record,
      {std::to_string(record.index()),
       TimeText(Millis(static_cast<int64_t>(record.time_us() / 1000))),
       Word(invocation.language(), record.kind()),
       record.organisation().empty() ? "" : invocation.names().Organisation(record.organisation()),
       record.actor(), record.actor_role(), number(facts.count(), facts.count() != 0),
       number(facts.day_remaining(), charged), number(facts.month_remaining(), charged),
       OutcomeCell(invocation, record.outcome(), record.reason())});
}

Status AddAudited(Invocation& invocation, bool of_custodian, const v1::AuditedRecord& audited,
                  Listing& listing) {
  if (!of_custodian && audited.record().empty()) {
    AddDestroyed(invocation, audited, listing);
    return {};
  }
  v1::Record record;
  if (!record.ParseFromString(audited.record())) {
    return MakeError(ErrorCode::kDataLoss, "RECORD_MALFORMED", "a record can't be parsed",
                     std::to_string(audited.index()));
  }
  if (of_custodian) {
    AddCustodianRow(invocation, record, listing);
  } else {
    AddRow(invocation, audited, record, listing);
  }
  return {};
}

Result<ExitCode> Query(Invocation& invocation, const QueryOptions& options) {
  SCHAKEL_ASSIGN(const bool of_custodian, options.which.OfCustodian(invocation));
  if (of_custodian) {
    // Before a BSN is read: computing its pseudonym would cost budget for nothing.
    for (const auto& [value, flag] :
         {std::pair(&options.bsn, "--subject-bsn"), std::pair(&options.signal, "--signal"),
          std::pair(&options.section_ground, "--section-ground")}) {
      if (!value->empty()) return UsageError(invocation.Text(Msg::kCustodianCantKnow), flag);
    }
    invocation.HurryNames();
  }
  SCHAKEL_ASSIGN(auto request, RequestOf(invocation, options));
  SCHAKEL_ASSIGN(const auto log, options.which.Open(invocation));
  v1::QueryRecordsResponse all;
  bool more = false;
  const auto wanted = [&] {
    return options.limit == 0 ? 1000 : options.limit - static_cast<uint64_t>(all.records_size());
  };
  while (true) {
    request.set_page_size(static_cast<uint32_t>(std::min<uint64_t>(wanted(), 1000)));
    SCHAKEL_ASSIGN(const auto page, log.client->Query(request));
    all.mutable_records()->MergeFrom(page.records());
    *all.mutable_receipt() = page.receipt();
    all.set_tree_size(page.tree_size());
    all.set_scope(page.scope());
    all.set_next_page_token(page.next_page_token());
    more = !page.next_page_token().empty();
    if (!more ||
        (options.limit > 0 && static_cast<uint64_t>(all.records_size()) >= options.limit)) {
      break;
    }
    request.set_page_token(page.next_page_token());
  }
  Listing listing(invocation, of_custodian);
  if (invocation.format() == Format::kTable || invocation.format() == Format::kCsv) {
    for (const auto& audited : all.records()) {
      SCHAKEL_TRY(AddAudited(invocation, of_custodian, audited, listing));
    }
  }
  invocation.Show(all, "records", listing.table);
  listing.actors.Show(invocation);
  invocation.Note(Msg::kScopeNote, {all.scope(), std::to_string(all.receipt().index())});
  if (more) invocation.Note(Msg::kThereIsMore, {"--limit"});
  return ExitCode::kOk;
}

struct SubjectOptions {
  std::string bsn;
  std::string ground;
  std::string reference;
};

Result<ExitCode> Subject(Invocation& invocation, const SubjectOptions& options) {
  v1::SubjectReportRequest request;
  request.set_ground(options.ground);
  request.set_reference(options.reference);
  SCHAKEL_ASSIGN(*request.mutable_subject(), OneSubject(invocation, options.bsn));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const audit, session->audit());
  SCHAKEL_ASSIGN(const auto report, audit->SubjectReportAll(std::move(request)));
  Table table({invocation.Text(Msg::kColTime), invocation.Text(Msg::kColKind),
               invocation.Text(Msg::kColOrganisation), invocation.Text(Msg::kColRecipient),
               invocation.Text(Msg::kColType), invocation.Text(Msg::kColPurpose),
               invocation.Text(Msg::kColSections), invocation.Text(Msg::kColOutcome),
               invocation.Text(Msg::kColContact)});
  Names& names = invocation.names();
  for (const auto& entry : report.entries()) {
    std::string recipients;
    for (const auto& oin : entry.recipients()) {
      recipients += (recipients.empty() ? "" : ", ") + names.Organisation(oin);
    }
    const auto name_or_none = [&](CodeKind kind, const std::string& code) {
      return code.empty() ? std::string() : names.Of(kind, code);
    };
    table.Add({TimeText(entry.time()), Word(invocation.language(), entry.kind()),
               entry.organisation_name().empty() ? entry.organisation() : entry.organisation_name(),
               recipients, name_or_none(CodeKind::kSignalType, entry.signal_type()),
               name_or_none(CodeKind::kPurpose, entry.purpose()),
               SectionsText(invocation, entry.sections()),
               ResultCell(invocation, entry.outcome(), entry.reason(), entry.reported_code()),
               entry.contact()});
  }
  invocation.Show(report, "entries", table);
  if (report.has_destroyed()) {
    const auto& destroyed = report.destroyed();
    invocation.Note(Msg::kReportWholeFrom,
                    {TimeText(destroyed.before()), destroyed.rule(), destroyed.bundle()});
  }
  return ExitCode::kOk;
}

}  // namespace

Result<uint64_t> ParseIndex(Language language, const std::string& text, const std::string& option) {
  uint64_t index = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (code != std::errc() || end != text.data() + text.size()) {
    return UsageError(Say(language, Msg::kNoIndex, {text}), option);
  }
  return index;
}

void AddAuditQuery(CLI::App* noun, Invocation& invocation) {
  Verb query(noun, invocation, "query", Msg::kVerbAuditQuery,
             R"(schakel audit query --from 2026-01-01 --kind delivery --kind publish
schakel audit query --outcome denied --limit 0 -o csv > denied.csv
echo 999990019 > bsn.txt
schakel audit query --subject-bsn @bsn.txt --ground "AVG art. 57" \
    --reference KL-2026-7 --details
schakel audit query --kind sweep --from 2026-01-01
schakel audit query --custodian 1 --kind evaluation --from 2026-01-01)");
  const auto options = std::make_shared<QueryOptions>();
  query.Value("--from", options->from, Msg::kOptFrom, "TIME");
  query.Value("--until", options->until, Msg::kOptUntil, "TIME");
  query.Value("--organisation", options->organisation, Msg::kOptOrganisation, "OIN");
  query.Value("--by-actor", options->actor, Msg::kOptByActor, "ID");
  query.Choices("--kind", options->kinds, Msg::kOptKind, "KIND", v1::RecordKind_descriptor());
  query.Value("--subject-bsn", options->bsn, Msg::kOptOneBsn, "@FILE");
  query.Value("--signal", options->signal, Msg::kArgSignal, "ID");
  query.Value("--index", options->index, Msg::kArgIndex, "INDEX");
  query.Value("--section-ground", options->section_ground, Msg::kOptSectionGround, "CODE");
  query.Value("--outcome", options->outcome, Msg::kOptOutcome, "permitted|denied");
  query.Value("--ground", options->ground, Msg::kOptWhy, "TEXT");
  query.Value("--reference", options->reference, Msg::kOptReference, "TEXT");
  query.Flag("--details", options->details, Msg::kOptDetails);
  query.Number("--limit", options->limit, Msg::kOptLimit);
  AddWhichLog(query, options->which);
  query.AllowCsv();
  query.Run([&invocation, options] { return Query(invocation, *options); });

  Verb subject(noun, invocation, "subject", Msg::kVerbAuditSubject,
               R"(echo 999990019 > bsn.txt
schakel audit subject --subject-bsn @bsn.txt --ground "AVG art. 15" \
    --reference INZAGE-2026-3
schakel audit subject --subject-bsn @- --ground "AVG art. 15" \
    --reference INZAGE-2026-3 -o csv < bsn.txt > report.csv)");
  const auto report = std::make_shared<SubjectOptions>();
  subject.Value("--subject-bsn", report->bsn, Msg::kOptOneBsn, "@FILE").Required();
  subject.Value("--ground", report->ground, Msg::kOptWhy, "TEXT").Required();
  subject.Value("--reference", report->reference, Msg::kOptReference, "TEXT").Required();
  subject.AllowCsv();
  subject.Run([&invocation, report] { return Subject(invocation, *report); });
}

}  // namespace schakel::cli
