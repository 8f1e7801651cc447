// schakel consent: what persons permit and object to.
#include <memory>

#include "clients/cli/parse.h"
#include "clients/cli/subjects.h"
#include "clients/cli/verb.h"
#include "clients/cli/words.h"
#include "clients/sdk/files.h"

namespace schakel::cli {
namespace {

using policy::CodeKind;

// One side of a statement: any, a sector, a function, an organisation.
struct AxisOptions {
  std::string sector;
  std::string function;
  std::string organisation;
};

struct RecordOptions {
  std::string bsn;
  bool objection = false;
  AxisOptions sender;
  AxisOptions recipient;
  std::string case_id;
  std::string category;
  std::string purpose;
  std::string from;
  std::string until;
  std::string valid = "365d";
  std::vector<std::string> keep;
  std::string grantor = "subject";
  std::string identity_check;
  std::string form_version;
  std::string form_language = "nl";
  std::string evidence;
};

Status SetAxis(Invocation& invocation, const AxisOptions& options, const char* option,
               v1::PartyAxis* axis) {
  const int given =
      !options.sector.empty() + !options.function.empty() + !options.organisation.empty();
  if (given > 1) return UsageError(invocation.Text(Msg::kOneAxis), option);
  if (!options.sector.empty()) axis->set_sector(options.sector);
  if (!options.function.empty()) {
    SCHAKEL_ASSIGN(const auto function,
                   ParseFunction(invocation.language(), options.function, option));
    axis->mutable_function()->set_function(function.function);
    axis->mutable_function()->set_area(function.area);
  }
  if (!options.organisation.empty()) {
    SCHAKEL_ASSIGN(const auto oin, ParseOin(invocation.language(), options.organisation, option));
    axis->set_organisation(oin.str());
  }
  return {};
}

template <typename Enum>
Result<Enum> ParseWord(Invocation& invocation, const std::string& code, const char* option) {
  const auto* type = google::protobuf::GetEnumDescriptor<Enum>();
  const auto* value = ValueOfCode(type, code);
  if (value == nullptr) {
    return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(type)}), option);
  }
  return static_cast<Enum>(value->number());
}

// The digest goes into the statement; the salt is written beside the document, whose keeper needs
// it to show later that this document was meant.
Status AddEvidence(Invocation& invocation, const std::string& file, v1::Statement& statement) {
  SCHAKEL_ASSIGN(const Bytes document, sdk::ReadFile(file));
  const sdk::Evidence evidence = sdk::MakeEvidence(document);
  SCHAKEL_TRY(sdk::WriteFileDurably(file + ".salt", HexEncode(evidence.salt) + "\n"));
  invocation.Note(Msg::kSaltWritten, {file + ".salt"});
  statement.set_evidence_digest(evidence.digest.str());
  return {};
}

Result<v1::Statement> StatementOf(Invocation& invocation, const RecordOptions& options) {
  v1::Statement statement;
  statement.set_kind(options.objection ? v1::STATEMENT_KIND_OBJECTION : v1::STATEMENT_KIND_CONSENT);
  SCHAKEL_TRY(SetAxis(invocation, options.sender, "--sender", statement.mutable_sender()));
  SCHAKEL_TRY(SetAxis(invocation, options.recipient, "--recipient", statement.mutable_recipient()));
  if (statement.sender().party_case() == v1::PartyAxis::PARTY_NOT_SET) statement.clear_sender();
  if (statement.recipient().party_case() == v1::PartyAxis::PARTY_NOT_SET) {
    statement.clear_recipient();
  }
  if (!options.case_id.empty()) {
    SCHAKEL_ASSIGN(const auto id,
                   ParseId<CaseId>(invocation.language(), options.case_id, "--case"));
    statement.set_case_id(id.str());
  }
  statement.set_category(options.category);
  statement.set_purpose(options.purpose);
  Millis from = sdk::Now();
  if (!options.from.empty()) {
    SCHAKEL_ASSIGN(from, ParseTime(invocation.language(), options.from, "--from"));
  }
  SCHAKEL_ASSIGN(const Millis valid,
                 ParseDuration(invocation.language(), options.valid, "--valid"));
  Millis until = from + valid;
  if (!options.until.empty()) {
    SCHAKEL_ASSIGN(until, ParseTime(invocation.language(), options.until, "--until"));
  }
  statement.set_not_before_ms(static_cast<uint64_t>(from.count()));
  statement.set_not_after_ms(static_cast<uint64_t>(until.count()));
  for (const auto& text : options.keep) {
    SCHAKEL_ASSIGN(const auto id, ParseId<StatementId>(invocation.language(), text, "--keep"));
    statement.add_kept_statement_ids(id.str());
  }
  SCHAKEL_ASSIGN(const auto grantor,
                 ParseWord<v1::Grantor>(invocation, options.grantor, "--grantor"));
  statement.set_grantor(grantor);
  SCHAKEL_ASSIGN(const auto check, ParseWord<v1::IdentityCheck>(invocation, options.identity_check,
                                                                "--identity-check"));
  statement.set_identity_check(check);
  statement.set_form_version(options.form_version);
  statement.set_language(options.form_language);
  return statement;
}

Result<ExitCode> Record(Invocation& invocation, const RecordOptions& options) {
  SCHAKEL_ASSIGN(auto statement, StatementOf(invocation, options));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const store, session->keys());
  SCHAKEL_ASSIGN(const auto keys, store->Current(sdk::Now()));
  SCHAKEL_ASSIGN(const auto recorder, session->recorder());
  SCHAKEL_ASSIGN(*statement.mutable_subject(), OneSubject(invocation, options.bsn));
  if (!options.evidence.empty()) {
    SCHAKEL_TRY(AddEvidence(invocation, options.evidence, statement));
  }
  SCHAKEL_ASSIGN(const auto as_signed, sdk::SignStatement(statement, recorder, keys, sdk::Now()));
  SCHAKEL_ASSIGN(auto* const client, session->consent());
  // Told before it is sent: if no answer comes, `consent list` says under this id what happened.
  invocation.Note(Msg::kStatementId, {IdText(as_signed.id.view())});
  SCHAKEL_ASSIGN(const auto response, client->Record(as_signed));
  Table table({invocation.Text(Msg::kColStatement), invocation.Text(Msg::kColState)});
  table.Add({IdText(as_signed.id.view()), {invocation.Text(Msg::kRecorded), Colour::kGood}});
  for (const auto& id : response.withdrawn_statement_ids()) {
    table.Add({IdText(id), {invocation.Text(Msg::kWithdrawnByThis), Colour::kBad}});
  }
  invocation.Show(response, nullptr, table);
  return ExitCode::kOk;
}

Result<ExitCode> Withdraw(Invocation& invocation, const std::string& text) {
  SCHAKEL_ASSIGN(const auto id, ParseId<StatementId>(invocation.language(), text, "ID"));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const store, session->keys());
  SCHAKEL_ASSIGN(const auto keys, store->Current(sdk::Now()));
  SCHAKEL_ASSIGN(const auto recorder, session->recorder());
  SCHAKEL_ASSIGN(const auto withdrawal, sdk::SignWithdrawal(id, recorder, keys, sdk::Now()));
  SCHAKEL_ASSIGN(auto* const client, session->consent());
  SCHAKEL_ASSIGN(const auto outcome, client->Withdraw(withdrawal));
  v1::WithdrawStatementResponse whole;
  *whole.mutable_receipt() = outcome.receipt;
  Table table({invocation.Text(Msg::kColTime), invocation.Text(Msg::kColReader),
               invocation.Text(Msg::kColSender), invocation.Text(Msg::kColSignal),
               invocation.Text(Msg::kColGets)});
  for (const auto& earlier : outcome.earlier_deliveries) {
    *whole.add_earlier_deliveries() = earlier;
    table.Add({TimeText(earlier.delivered()), invocation.names().Organisation(earlier.recipient()),
               invocation.names().Organisation(earlier.sender()), IdText(earlier.signal_id()),
               invocation.names().ListOf(CodeKind::kCategory, earlier.categories())});
  }
  invocation.Line(invocation.Text(Msg::kWithdrawn));
  if (outcome.earlier_deliveries.empty()) {
    invocation.Line(invocation.Text(Msg::kNobodyRead));
    if (invocation.format() == Format::kTable) return ExitCode::kOk;
  }
  invocation.Show(whole, nullptr, table);
  return ExitCode::kOk;
}

Result<ExitCode> List(Invocation& invocation, const std::string& bsn) {
  std::optional<v1::SubjectRef> subject;
  if (!bsn.empty()) {
    SCHAKEL_ASSIGN(subject, OneSubject(invocation, bsn));
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->consent());
  SCHAKEL_ASSIGN(const auto statements, client->List(subject));
  v1::ListStatementsResponse whole;
  Table table({invocation.Text(Msg::kColStatement), invocation.Text(Msg::kColKind),
               invocation.Text(Msg::kColSender), invocation.Text(Msg::kColRecipient),
               invocation.Text(Msg::kColSection), invocation.Text(Msg::kColPurpose),
               invocation.Text(Msg::kColUntil), invocation.Text(Msg::kColState)});
  const auto any_or = [&](CodeKind kind, const std::string& code) {
    return code.empty() ? invocation.Text(Msg::kAny) : invocation.names().Of(kind, code);
  };
  for (const auto& summary : statements) {
    *whole.add_statements() = summary;
    v1::Statement statement;
    if (!statement.ParseFromString(summary.statement())) {
      return MakeError(ErrorCode::kDataLoss, "RECORD_MALFORMED", "a statement can't be parsed");
    }
    table.Add({IdText(statement.statement_id()), Word(invocation.language(), statement.kind()),
               invocation.names().Axis(statement.sender()),
               invocation.names().Axis(statement.recipient()),
               any_or(CodeKind::kCategory, statement.category()),
               any_or(CodeKind::kPurpose, statement.purpose()),
               TimeText(Millis(static_cast<int64_t>(statement.not_after_ms()))),
               summary.has_withdrawn()
                   ? Cell(invocation.Text(Msg::kWithdrawnOn, {TimeText(summary.withdrawn())}),
                          Colour::kBad)
                   : Cell(invocation.Text(Msg::kInForce), Colour::kGood)});
  }
  invocation.Show(whole, "statements", table);
  return ExitCode::kOk;
}

struct CheckOptions {
  std::string bsn;
  std::string to;
  std::string to_function;
  std::string category;
  std::string purpose;
  std::string case_id;
};

Result<ExitCode> Check(Invocation& invocation, const CheckOptions& options) {
  if (options.to.empty() == options.to_function.empty()) {
    return UsageError(invocation.Text(Msg::kNoRecipient), "--to");
  }
  v1::CheckConsentRequest request;
  request.set_category(options.category);
  request.set_purpose(options.purpose);
  if (!options.case_id.empty()) {
    SCHAKEL_ASSIGN(const auto id,
                   ParseId<CaseId>(invocation.language(), options.case_id, "--case"));
    request.set_case_id(id.str());
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  if (options.to.empty()) {
    SCHAKEL_ASSIGN(const auto function,
                   ParseFunction(invocation.language(), options.to_function, "--to-function"));
    SCHAKEL_ASSIGN(auto* const directory, session->directory());
    SCHAKEL_ASSIGN(const auto holder, directory->Resolve(function));
    request.mutable_recipient()->set_oin(holder.entry().organisation().oin());
    request.mutable_recipient()->mutable_function()->set_function(function.function);
    request.mutable_recipient()->mutable_function()->set_area(function.area);
  } else {
    SCHAKEL_ASSIGN(const auto oin, ParseOin(invocation.language(), options.to, "--to"));
    request.mutable_recipient()->set_oin(oin.str());
  }
  SCHAKEL_ASSIGN(*request.mutable_subject(), OneSubject(invocation, options.bsn));
  SCHAKEL_ASSIGN(auto* const client, session->consent());
  SCHAKEL_ASSIGN(const auto response, client->Check(std::move(request)));
  if (invocation.format() == Format::kTable) {
    invocation.Line(response.covered()
                        ? invocation.Text(Msg::kCovered)
                        : invocation.Text(Msg::kNotCovered,
                                          {ReasonWord(invocation.language(), response.reason())}));
  } else {
    invocation.Show(response, nullptr, Table({}));
  }
  return response.covered() ? ExitCode::kOk : ExitCode::kNegative;
}

}  // namespace

void AddConsent(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "consent", Msg::kNounConsent);

  Verb record(noun, invocation, "record", Msg::kVerbConsentRecord,
              R"(echo 999990019 > bsn.txt
echo 'the scan of a signed form' > form.pdf
schakel consent record --subject-bsn @bsn.txt --identity-check document \
    --sender-sector care --recipient-function neighbourhood-team@Dordrecht \
    --category daily-living --purpose coordinate-care --valid 180d \
    --form-version 2026-1 --evidence form.pdf
echo 999990032 > other.txt
schakel consent record --objection --subject-bsn @other.txt \
    --identity-check known-in-person --form-version 2026-1)");
  const auto options = std::make_shared<RecordOptions>();
  record.Value("--subject-bsn", options->bsn, Msg::kOptOneBsn, "@FILE").Required();
  record
      .Choice("--identity-check", options->identity_check, Msg::kOptIdentityCheck, "HOW",
              v1::IdentityCheck_descriptor())
      .Required();
  record.Flag("--objection", options->objection, Msg::kOptObjection);
  record.Value("--sender-sector", options->sender.sector, Msg::kOptAxisSender, "SECTOR");
  record.Value("--sender-function", options->sender.function, Msg::kOptAxisSender, "FUNCTION@AREA");
  record.Value("--sender", options->sender.organisation, Msg::kOptAxisSender, "OIN");
  record.Value("--recipient-sector", options->recipient.sector, Msg::kOptAxisRecipient, "SECTOR");
  record.Value("--recipient-function", options->recipient.function, Msg::kOptAxisRecipient,
               "FUNCTION@AREA");
  record.Value("--recipient", options->recipient.organisation, Msg::kOptAxisRecipient, "OIN");
  record.Value("--case", options->case_id, Msg::kOptOnlyCase, "ID");
  record.Value("--category", options->category, Msg::kOptOnlyCategory, "CODE");
  record.Value("--purpose", options->purpose, Msg::kOptOnlyPurpose, "CODE");
  record.Value("--from", options->from, Msg::kOptValidFrom, "TIME");
  record.Value("--until", options->until, Msg::kOptValidUntil, "TIME");
  record.Value("--valid", options->valid, Msg::kOptValid, "TIME");
  record.Values("--keep", options->keep, Msg::kOptKeep, "ID");
  record.Choice("--grantor", options->grantor, Msg::kOptGrantor, "WHO", v1::Grantor_descriptor());
  record.Value("--form-version", options->form_version, Msg::kOptFormVersion, "TEXT");
  record.Value("--form-language", options->form_language, Msg::kOptFormLanguage, "CODE");
  record.Value("--evidence", options->evidence, Msg::kOptEvidence, "FILE");
  record.Run([&invocation, options] { return Record(invocation, *options); });

  Verb withdraw(noun, invocation, "withdraw", Msg::kVerbConsentWithdraw,
                "schakel consent withdraw STATEMENT");
  const auto id = std::make_shared<std::string>();
  withdraw.Value("ID", *id, Msg::kArgStatement, "ID").Required();
  withdraw.Run([&invocation, id] { return Withdraw(invocation, *id); });

  Verb list(noun, invocation, "list", Msg::kVerbConsentList,
            "schakel consent list\necho 999990019 > bsn.txt\n"
            "schakel consent list --subject-bsn @bsn.txt");
  const auto bsn = std::make_shared<std::string>();
  list.Value("--subject-bsn", *bsn, Msg::kOptOneBsn, "@FILE");
  list.Run([&invocation, bsn] { return List(invocation, *bsn); });

  Verb check(noun, invocation, "check", Msg::kVerbConsentCheck,
             "echo 999990019 > bsn.txt\n"
             "schakel consent check --subject-bsn @bsn.txt --category daily-living \\\n"
             "    --purpose coordinate-care --to-function neighbourhood-team@Dordrecht");
  const auto question = std::make_shared<CheckOptions>();
  check.Value("--subject-bsn", question->bsn, Msg::kOptOneBsn, "@FILE").Required();
  check.Value("--category", question->category, Msg::kOptOnlyCategory, "CODE").Required();
  check.Value("--purpose", question->purpose, Msg::kOptPurpose, "CODE").Required();
  check.Value("--to", question->to, Msg::kOptTo, "OIN");
  check.Value("--to-function", question->to_function, Msg::kOptToFunction, "FUNCTION@AREA");
  check.Value("--case", question->case_id, Msg::kOptCase, "ID");
  check.Run([&invocation, question] { return Check(invocation, *question); });
}

}  // namespace schakel::cli
