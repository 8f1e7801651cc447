// A good envelope, and what ParseEnvelope says of changed ones.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {

// Two recipients, two subjects, sections of which one is the citizen service number.
class ParseEnvelope : public ::testing::Test {
 protected:
  ParseEnvelope() {
    auto spec = f_.Violence(Linked("first"));
    spec.subjects.push_back(Linked("second"));
    spec.recipients.emplace_back(sample::kTeam, "neighbourhood-team", "dordrecht");
    spec.case_id = f_.random().Make<CaseId>();
    spec.sections = {{"safety", "wmo-veilig-thuis", {0, 1}},
                     {"social", "wmo-veilig-thuis", {1}},
                     {"identity-bsn", "wmo-veilig-thuis", {0}}};
    good_ = f_.Envelope(spec);
    for (int i = 0; i < good_.sections_size(); ++i) {
      v1::SectionMeta meta;
      EXPECT_TRUE(meta.ParseFromString(good_.sections(i).meta()));
      if (meta.has_subject_ref()) bsn_ = i;
    }
    plain_ = bsn_ == 0 ? 1 : 0;
  }

  struct Problem {
    std::string reason;
    std::string field;
  };
  Problem Parse(const v1::Envelope& envelope) {
    auto parsed = machine::ParseEnvelope(envelope);
    if (parsed.ok()) return {};
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(parsed.error().message, "");
    return {parsed.error().reason, parsed.error().field};
  }
  void Expect(const v1::Envelope& envelope, const std::string& reason, const std::string& field) {
    auto problem = Parse(envelope);
    EXPECT_EQ(problem.reason, reason) << "at " << field;
    EXPECT_EQ(problem.field, field);
  }
  // Changes one of the messages that travel as bytes; values are put right afterwards, so that only
  // the change itself is wrong.
  template <typename Message>
  void ExpectWith(Bytes* (v1::Envelope::*bytes)(), std::function<void(Message*)> change,
                  const std::string& reason, const std::string& field) {
    auto envelope = good_;
    Bytes* raw = (envelope.*bytes)();
    Message message;
    ASSERT_TRUE(message.ParseFromString(*raw));
    change(&message);
    *raw = message.SerializeAsString();
    SetValues(&envelope, &f_.random());
    Expect(envelope, reason, field);
  }
  void ExpectHeader(std::function<void(v1::Header*)> change, const std::string& reason,
                    const std::string& field) {
    ExpectWith<v1::Header>(&v1::Envelope::mutable_header, std::move(change), reason,
                           "header." + field);
  }
  void ExpectRouting(std::function<void(v1::Routing*)> change, const std::string& reason,
                     const std::string& field) {
    ExpectWith<v1::Routing>(&v1::Envelope::mutable_routing, std::move(change), reason,
                            "routing." + field);
  }
  void ExpectMeta(int section, std::function<void(v1::SectionMeta*)> change,
                  const std::string& reason, const std::string& field) {
    auto envelope = good_;
    Bytes* raw = envelope.mutable_sections(section)->mutable_meta();
    v1::SectionMeta meta;
    ASSERT_TRUE(meta.ParseFromString(*raw));
    change(&meta);
    *raw = meta.SerializeAsString();
    SetValues(&envelope, &f_.random());
    Expect(envelope, reason, "sections[" + std::to_string(section) + "]." + field);
  }
  void ExpectSection(std::function<void(v1::Section*)> change, const std::string& reason,
                     const std::string& field) {
    auto envelope = good_;
    change(envelope.mutable_sections(plain_));
    SetValues(&envelope, &f_.random());
    Expect(envelope, reason, "sections[" + std::to_string(plain_) + "]." + field);
  }

  MachineFixture f_;
  v1::Envelope good_;
  int bsn_ = -1;
  int plain_ = -1;
};

}  // namespace schakel::testing
