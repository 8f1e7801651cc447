// Statements of either kind: recorded once, and refused for each field that is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/machine/consent_specs.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

TEST(Statement, IsRecordedOnceUnderOneId) {
  MachineFixture f;
  auto command = f.Statement(Consent(sample::kCare));
  auto first = f.DoAs(sample::kCare, command);
  auto size = f.machine().TreeHead().size;
  auto again = f.DoAs(sample::kCare, command);
  EXPECT_EQ(f.machine().TreeHead().size, size);
  EXPECT_EQ(std::get<v1::RecordStatementResponse>(first.answer).SerializeAsString(),
            std::get<v1::RecordStatementResponse>(again.answer).SerializeAsString());
  command.statement.set_purpose("coordinate-care");
  command.request.set_statement(command.statement.SerializeAsString());
  EXPECT_EQ(f.DoAs(sample::kCare, command).refused->reason, "ALREADY_EXISTS");
}

// Each way in which a statement is wrong, with the reason and the field.
TEST(Statement, IsRefusedForEachFieldThatIsWrong) {
  MachineFixture f;
  struct Case {
    const char* name;
    std::function<void(v1::Statement*)> change;
    const char* reason;
    const char* field;
  };
  const std::vector<Case> cases = {
      {"no id", [](auto* s) { s->clear_statement_id(); }, "FIELD_INVALID",
       "statement.statement_id"},
      {"no kind", [](auto* s) { s->clear_kind(); }, "FIELD_INVALID", "statement.kind"},
      {"another recorder", [](auto* s) { s->set_recorder(sample::kTeam.str()); }, "SENDER_MISMATCH",
       "statement.recorder"},
      {"another actor", [](auto* s) { s->set_actor("user-2"); }, "ACTOR_MISMATCH",
       "statement.actor"},
      {"another region", [](auto* s) { s->set_region("elsewhere.example"); }, "REGION_WRONG",
       "statement.region"},
      {"unlinked subject", [](auto* s) { s->mutable_subject()->mutable_pairs(0)->set_epoch(0); },
       "UNLINKED_SUBJECT", "statement.subject"},
      {"a closed epoch", [](auto* s) { s->mutable_subject()->mutable_pairs(0)->set_epoch(7); },
       "SUBJECT_REF_INVALID", "statement.subject"},
      {"no subject", [](auto* s) { s->clear_subject(); }, "SUBJECT_REF_INVALID",
       "statement.subject"},
      {"unknown sector", [](auto* s) { s->mutable_sender()->set_sector("astrology"); },
       "UNKNOWN_CODE", "statement.sender"},
      {"unknown function",
       [](auto* s) { s->mutable_recipient()->mutable_function()->set_function("astrology"); },
       "UNKNOWN_CODE", "statement.recipient"},
      {"a bad OIN", [](auto* s) { s->mutable_recipient()->set_organisation("7"); }, "FIELD_INVALID",
       "statement.recipient"},
      {"unknown category", [](auto* s) { s->set_category("astrology"); }, "UNKNOWN_CODE",
       "statement.category"},
      {"unknown purpose", [](auto* s) { s->set_purpose("astrology"); }, "UNKNOWN_CODE",
       "statement.purpose"},
      {"no time", [](auto* s) { s->clear_not_before_ms(); }, "FIELD_MISSING",
       "statement.not_before_ms"},
      {"ends before it begins", [](auto* s) { s->set_not_after_ms(s->not_before_ms()); },
       "FIELD_INVALID", "statement.not_after_ms"},
      {"too long", [](auto* s) { s->set_not_after_ms(s->not_after_ms() + 400'000'000'000); },
       "FIELD_INVALID", "statement.not_after_ms"},
      {"has ended",
       [](auto* s) {
         s->set_not_before_ms(1);
         s->set_not_after_ms(2);
       },
       "FIELD_INVALID", "statement.not_after_ms"},
      {"too many kept",
       [](auto* s) {
         for (int i = 0; i < 65; ++i) s->add_kept_statement_ids(Bytes(16, 'k'));
       },
       "TOO_LARGE", "statement.kept_statement_ids"},
      {"unknown key set", [](auto* s) { s->set_key_set_digest(Bytes(32, 'k')); }, "KEY_SET_UNKNOWN",
       "statement.key_set_digest"},
  };
  for (const auto& c : cases) {
    auto command = f.Statement(Consent(sample::kCare));
    c.change(&command.statement);
    command.request.set_statement(command.statement.SerializeAsString());
    f.Advance(1min);  // so that each attempt is recorded
    auto outcome = f.DoAs(sample::kCare, command);
    ASSERT_TRUE(outcome.refused) << c.name;
    EXPECT_EQ(outcome.refused->reason, c.reason) << c.name;
    EXPECT_EQ(outcome.refused->field, c.field) << c.name;
  }
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT).size(), cases.size());
  EXPECT_THAT(f.RecordsOf(v1::RECORD_KIND_STATEMENT), IsEmpty());
}

}  // namespace
}  // namespace schakel::testing
