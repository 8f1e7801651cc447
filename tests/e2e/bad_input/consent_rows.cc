// ConsentService.
#include "broker/crypto/statement_format.h"
#include "schakel/v1/consent.pb.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {
namespace {

using grpc::StatusCode;

const std::string kConsentService = "schakel.v1.ConsentService.";
constexpr const char* kTeam = "team";
constexpr uint64_t kDay = 86'400'000;

Refusal UnknownKeySet(const std::string& field) {
  return ByMachine("KEY_SET_UNKNOWN").Code(StatusCode::FAILED_PRECONDITION).At(field);
}

v1::Statement ValidStatement(World& world) {
  v1::Statement s;
  const auto now = static_cast<uint64_t>(sdk::Now().count());
  s.set_statement_id(world.Random(16));
  s.set_region(world.region().region());
  s.set_kind(v1::STATEMENT_KIND_CONSENT);
  *s.mutable_subject() = testing::Linked("consenting");
  s.mutable_sender()->set_sector("care");
  s.mutable_recipient()->mutable_function()->set_function("neighbourhood-team");
  s.mutable_recipient()->mutable_function()->set_area("dordrecht");
  s.set_case_id(world.Random(16));
  s.set_category("daily-living");
  s.set_purpose("coordinate-care");
  s.set_not_before_ms(now);
  s.set_not_after_ms(now + 30 * kDay);
  s.set_grantor(v1::GRANTOR_SUBJECT);
  s.set_identity_check(v1::IDENTITY_CHECK_DOCUMENT);
  s.set_form_version("2026-1");
  s.set_language("nl");
  s.set_evidence_digest(world.Random(32));
  s.set_recorder(world.region().OinOf(kTeam).str());
  s.set_actor("user-of-team");
  s.set_key_set_digest(world.KeysOf(kTeam).digest.str());
  return s;
}

void SignedBytes(RpcTable& t, World& world, const std::string& path) {
  t.Bad(path, "missing", Missing(), FieldMissing());
  t.Bad(path, "4097 bytes", Set(Bytes(4097, '\n')), TooLarge());
  t.Bad(path, "no message", Set("\xFF\xFF\xFF"), FieldInvalid());
  t.Bad(path, "a field that nobody knows", Unknown(), FieldInvalid());
  t.BadRaw("signature", "missing", Missing(), FieldMissing());
  t.BadRaw("signature", "63 bytes", Set(Bytes(63, 's')), FieldInvalid());
  t.BadRaw("signature", "of zeros", Set(Bytes(64, '\0')), ByMachine("SIGNATURE_INVALID"));
  t.BadRaw("signature", "another's", Set(world.KeysOf("care").signing->Sign("something else")),
           ByMachine("SIGNATURE_INVALID"));
}

// Who recorded, and with which key: of statements and withdrawals.
void RecorderRows(RpcTable& t, World& world, const std::string& in) {
  t.Text(in + "region", 64, true);
  t.Bad(in + "region", "another region", Set("elders.example"), ByMachine("REGION_WRONG"));
  t.Oin(in + "recorder");
  t.Bad(in + "recorder", "another, with the own key set", Set(world.region().OinOf("care").str()),
        UnknownKeySet(in + "key_set_digest"));
  t.Text(in + "actor", 128, true);
  t.Bad(in + "actor", "another", Set("somebody-else"), ByMachine("ACTOR_MISMATCH"));
  t.Sized(in + "key_set_digest", 32);
  t.Bad(in + "key_set_digest", "of no key set", Set(Bytes(32, 'k')),
        UnknownKeySet(in + "key_set_digest"));
}

// One of the two axes, with one of its three forms in the valid statement.
void AxisRows(RpcTable& t, World& world, const std::string& axis) {
  const auto unknown = ByMachine("UNKNOWN_CODE").At(axis);
  t.Bad(axis, "a field that nobody knows", Unknown(), FieldInvalid().At("statement"));
  t.Bad(axis + ".sector", "65 bytes", Set(std::string(65, 'c')), TooLarge());
  t.Bad(axis + ".sector", "empty", Set(""), FieldMissing());
  t.Bad(axis + ".sector", "capitals", Set("Care"), FieldInvalid());
  t.Bad(axis + ".sector", "that the bundle does not know", Set("astrology"), unknown);
  const auto function = [&](const std::string& name, const std::string& area) {
    return [name, area](Message& in, const FieldDescriptor& field) {
      auto& address =
          static_cast<v1::FunctionAddress&>(*in.GetReflection()->MutableMessage(&in, &field));
      address.set_function(name);
      address.set_area(area);
    };
  };
  const std::string f = axis + ".function";
  t.Bad(f, "of no name", function("", "dordrecht"), FieldMissing().At(f + ".function"));
  t.Bad(f, "that the bundle does not know", function("astrologer", ""), unknown);
  t.Bad(f + ".function", "capitals", Set("Team"), FieldInvalid());
  t.Bad(f, "for an area that the bundle does not know", function("neighbourhood-team", "atlantis"),
        unknown);
  t.Bad(
      f + ".area", "capitals",
      [&](Message& in, const FieldDescriptor&) {
        static_cast<v1::FunctionAddress&>(in).set_function("neighbourhood-team");
        static_cast<v1::FunctionAddress&>(in).set_area("Dordrecht");
      },
      FieldInvalid());
  t.Bad(axis + ".organisation", "19 digits", Set("0000009900000000100"), FieldInvalid());
  t.Bad(axis + ".organisation", "empty", Set(""), FieldMissing());
  (void)world;
}

void PeriodRows(RpcTable& t) {
  const auto now = static_cast<int64_t>(sdk::Now().count());
  const auto ten_years = static_cast<int64_t>(3651 * kDay);
  const std::string end = "statement.not_after_ms";
  t.Bad("statement.not_before_ms", "not said", Number(0), FieldMissing());
  t.Bad(end, "not said", Number(0), FieldMissing());
  t.Bad(end, "before it begins", Number(now - 1000), FieldInvalid().Recorded());
  t.Bad(end, "ten years and a day on", Number(now + ten_years), FieldInvalid().Recorded());
  t.Bad(end, "at the end of time", Number(-1), FieldInvalid().Recorded());
  t.Bad("statement.not_before_ms", "at the end of time", Number(-1),
        FieldInvalid().At(end).Recorded());
  t.BadIf<v1::RecordStatementRequest>(
      end, "passed already",
      [&](v1::RecordStatementRequest& r) {
        ChangeField(r, "statement.not_before_ms", Number(now - 2000));
        ChangeField(r, end, Number(now - 1000));
      },
      FieldInvalid().Recorded());
  t.BadIf<v1::RecordStatementRequest>(
      "statement.not_before_ms", "an objection that begins later",
      [&](v1::RecordStatementRequest& r) {
        ChangeField(r, "statement.kind", Number(v1::STATEMENT_KIND_OBJECTION));
        ChangeField(r, "statement.not_before_ms", Number(now + 3'600'000));
      },
      FieldInvalid().Recorded());
}

RpcTable RecordStatement(World& world) {
  v1::RecordStatementRequest valid;
  const auto sign = [&world](Message& request) {
    auto& record = static_cast<v1::RecordStatementRequest&>(request);
    record.set_signature(
        world.KeysOf(kTeam).signing->Sign(crypto::StatementMessage(record.statement())));
  };
  valid.set_statement(ValidStatement(world).SerializeAsString());
  sign(valid);
  RpcTable t(kConsentService + "RecordStatement", kTeam, valid, sign);
  const std::string s = "statement.";
  SignedBytes(t, world, "statement");
  RecorderRows(t, world, s);
  t.Sized(s + "statement_id", 16);
  t.Bad(s + "statement_id", "used for another statement", Set(world.NewConsent("team", 21)),
        ByMachine("ALREADY_EXISTS").Code(StatusCode::ALREADY_EXISTS));
  t.EnumOf(s + "kind");
  t.Reference(s + "subject", true);
  AxisRows(t, world, s + "sender");
  AxisRows(t, world, s + "recipient");
  t.Sized(s + "case_id", 16, false);
  t.CodeOf(s + "category", false);
  t.Bad(s + "category", "that the bundle does not know", Set("astrology"),
        ByMachine("UNKNOWN_CODE"));
  t.CodeOf(s + "purpose", false);
  t.Bad(s + "purpose", "that the bundle does not know", Set("astrology"),
        ByMachine("UNKNOWN_CODE"));
  PeriodRows(t);
  t.Bad(s + "kept_statement_ids", "by a consent", Set(Bytes(16, 'k')), FieldInvalid());
  const auto kept = [&](const std::string& what, size_t size, int count, const Refusal& refusal) {
    t.BadIf<v1::RecordStatementRequest>(
        s + "kept_statement_ids", what,
        [&](v1::RecordStatementRequest& r) {
          ChangeField(r, s + "kind", Number(v1::STATEMENT_KIND_OBJECTION));
          ChangeField(r, s + "kept_statement_ids", Set(Bytes(size, 'k')));
          ChangeField(r, s + "kept_statement_ids", Times(count));
        },
        refusal);
  };
  kept("of 15 bytes", 15, 1, FieldInvalid());
  kept("65", 16, 65, TooLarge());
  t.EnumOf(s + "grantor");
  t.EnumOf(s + "identity_check");
  t.Text(s + "form_version", 64, true);
  t.Text(s + "language", 35, true);
  t.Bad(s + "language", "a sentence", Set("I speak Dutch"), FieldInvalid());
  t.Sized(s + "evidence_digest", 32, false);
  return t;
}

RpcTable WithdrawStatement(World& world) {
  const Bytes mine = world.NewConsent(kTeam, 22);
  const Bytes others = world.NewConsent("care", 23);
  const Bytes withdrawn = world.NewConsent(kTeam, 24);
  SCHAKEL_CHECK(Withdraw(world.As(kTeam), *StatementId::From(withdrawn)).ok(), "one is withdrawn");
  v1::Withdrawal w;
  w.set_withdrawal_id(world.Random(16));
  w.set_statement_id(mine);
  w.set_region(world.region().region());
  w.set_time_ms(static_cast<uint64_t>(sdk::Now().count()));
  w.set_recorder(world.region().OinOf(kTeam).str());
  w.set_actor("user-of-team");
  w.set_key_set_digest(world.KeysOf(kTeam).digest.str());
  const auto sign = [&world](Message& request) {
    auto& withdraw = static_cast<v1::WithdrawStatementRequest&>(request);
    withdraw.set_signature(
        world.KeysOf(kTeam).signing->Sign(crypto::WithdrawalMessage(withdraw.withdrawal())));
  };
  v1::WithdrawStatementRequest valid;
  valid.set_withdrawal(w.SerializeAsString());
  sign(valid);
  RpcTable t(kConsentService + "WithdrawStatement", kTeam, valid, sign);
  const std::string in = "withdrawal.";
  SignedBytes(t, world, "withdrawal");
  RecorderRows(t, world, in);
  t.Sized(in + "withdrawal_id", 16);
  t.Sized(in + "statement_id", 16);
  t.Bad(in + "statement_id", "of no statement", Set(Bytes(16, 'n')),
        ByMachine("NOT_FOUND").Code(StatusCode::NOT_FOUND));
  t.Bad(in + "statement_id", "that another recorded", Set(others),
        ByMachine("NOT_RECORDER").Code(StatusCode::PERMISSION_DENIED));
  t.Bad(in + "statement_id", "withdrawn before", Set(withdrawn),
        ByMachine("ALREADY_WITHDRAWN").Code(StatusCode::FAILED_PRECONDITION));
  t.Bad(in + "time_ms", "not said", Number(0), FieldMissing());
  t.Bad(in + "time_ms", "an hour ahead", Number(static_cast<int64_t>(w.time_ms()) + 3'600'000),
        ByMachine("CREATED_IN_FUTURE"));
  t.Page();
  return t;
}

RpcTable ListStatements(World& world) {
  v1::ListStatementsRequest valid;
  valid.set_request_id(world.Random(16));
  *valid.mutable_subject() = testing::Linked("somebody");
  RpcTable t(kConsentService + "ListStatements", kTeam, valid);
  t.Sized("request_id", 16);
  t.Reference("subject", true);
  t.Page();
  return t;
}

RpcTable CheckConsent(World& world) {
  v1::CheckConsentRequest valid;
  valid.set_request_id(world.Random(16));
  *valid.mutable_subject() = testing::Linked("somebody");
  valid.mutable_recipient()->set_oin(world.region().OinOf("care").str());
  valid.set_category("daily-living");
  valid.set_purpose("coordinate-care");
  RpcTable t(kConsentService + "CheckConsent", kTeam, valid);
  t.Sized("request_id", 16);
  t.Reference("subject", true);
  t.Bad("recipient", "nobody", Missing(), FieldMissing().At("recipient.oin"));
  t.Oin("recipient.oin");
  t.Bad("recipient.oin", "not in the directory", Set("00000099000000007777"),
        ByMachine("RECIPIENT_UNAVAILABLE").Code(StatusCode::FAILED_PRECONDITION).At("recipient"));
  t.CodeOf("category");
  t.CodeOf("purpose");
  t.Sized("case_id", 16, false);
  valid.mutable_recipient()->clear_oin();
  valid.mutable_recipient()->mutable_function()->set_function("neighbourhood-team");
  valid.mutable_recipient()->mutable_function()->set_area("dordrecht");
  t.Base(valid, {});
  t.CodeOf("recipient.function.function");
  t.CodeOf("recipient.function.area");
  t.Bad("recipient.function", "a field that nobody knows", Unknown(), FieldInvalid().At(""));
  t.Bad("recipient.function.area", "where nobody has it", Set("atlantis"),
        ByMachine("FUNCTION_UNRESOLVED").At("recipient"));
  return t;
}

}  // namespace

std::vector<RpcTable> ConsentTables(World& world) {
  std::vector<RpcTable> tables;
  tables.push_back(RecordStatement(world));
  tables.push_back(WithdrawStatement(world));
  tables.push_back(ListStatements(world));
  tables.push_back(CheckConsent(world));
  return tables;
}

}  // namespace schakel::e2e
