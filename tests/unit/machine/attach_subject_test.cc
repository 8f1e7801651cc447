// A recipient with BSN authority says who an unlinked subject is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

class AttachSubject : public ::testing::Test {
 protected:
  AttachSubject() {
    signal_id_ = f_.Accept(f_.Arrears()).signal_id();
    auto records = f_.RecordsOf(v1::RECORD_KIND_PUBLISH);
    label_ = records.at(0).subject_label();
  }
  machine::AttachSubject Attach(const v1::SubjectRef& subject) {
    machine::AttachSubject command;
    command.request.set_request_id(f_.random().Take(16));
    command.request.set_signal_id(signal_id_);
    command.request.set_sender(sample::kCorporation.str());
    command.request.set_subject_label(label_);
    *command.request.mutable_subject() = subject;
    return command;
  }

  MachineFixture f_;
  Bytes signal_id_;
  Bytes label_;
};

TEST_F(AttachSubject, LeavesARecordWithTheLabelAndTheReferenceForAuditors) {
  f_.Pull(sample::kDebtRelief);
  auto outcome = f_.DoAs(sample::kDebtRelief, Attach(Linked("tenant")));
  ASSERT_FALSE(outcome.refused);
  auto records = f_.RecordsOf(v1::RECORD_KIND_SUBJECT_ATTACHED);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].organisation(), sample::kDebtRelief.str());
  EXPECT_EQ(records[0].subject_label(), label_);
  EXPECT_EQ(records[0].SerializeAsString().find(Linked("tenant").pairs(0).value()), Bytes::npos);
  EXPECT_EQ(f_.DetailOf(records[0].index()).subject().SerializeAsString(),
            Linked("tenant").SerializeAsString());
}

TEST_F(AttachSubject, OnceAndForAll) {
  f_.Pull(sample::kDebtRelief);
  auto first = f_.DoAs(sample::kDebtRelief, Attach(Linked("tenant")));
  auto size = f_.machine().TreeHead().size;
  auto again = f_.DoAs(sample::kDebtRelief, Attach(Linked("tenant")));
  EXPECT_EQ(std::get<v1::AttachSubjectResponse>(first.answer).SerializeAsString(),
            std::get<v1::AttachSubjectResponse>(again.answer).SerializeAsString());
  EXPECT_EQ(f_.machine().TreeHead().size, size);
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kDebtRelief, Attach(Linked("other")))), "ALREADY_EXISTS");
}

TEST_F(AttachSubject, OnlyByWhoWasShownIt) {
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kDebtRelief, Attach(Linked("tenant")))), "NOT_FOUND");
  f_.Pull(sample::kDebtRelief);
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kPolice, Attach(Linked("tenant")))), "NOT_FOUND");
  label_ = Bytes(16, 'x');
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kDebtRelief, Attach(Linked("tenant")))), "NOT_FOUND");
  signal_id_ = Bytes(16, 'x');
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kDebtRelief, Attach(Linked("tenant")))), "NOT_FOUND");
}

TEST_F(AttachSubject, OnlyWithBsnAuthorityAndALinkedReference) {
  f_.Pull(sample::kDebtRelief);
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kCorporation, Attach(Linked("tenant")))),
            "BSN_AUTHORITY_MISSING");
  v1::SubjectRef unlinked;
  unlinked.add_pairs()->set_value(Bytes(32, 'u'));
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kDebtRelief, Attach(unlinked))), "UNLINKED_SUBJECT");
}

TEST_F(AttachSubject, NotToOneThatIsLinkedAlready) {
  auto spec = f_.Arrears();
  spec.subjects = {Linked("tenant")};
  signal_id_ = f_.Accept(spec).signal_id();
  f_.Pull(sample::kDebtRelief);
  label_ = f_.RecordsOf(v1::RECORD_KIND_PUBLISH).back().subject_label();
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kDebtRelief, Attach(Linked("tenant")))), "NOT_FOUND");
}

}  // namespace
}  // namespace schakel::testing
