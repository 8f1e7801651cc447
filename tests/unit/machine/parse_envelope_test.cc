// ParseEnvelope: each way in which an envelope is wrong, with its reason and its field.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_format.h"
#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

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

TEST_F(ParseEnvelope, TakesWhatIsWellFormed) {
  auto parsed = machine::ParseEnvelope(good_);
  ASSERT_TRUE(parsed.ok());
  const auto& e = **parsed;
  EXPECT_EQ(e.sender, sample::kPolice);
  EXPECT_EQ(e.recipients, (std::vector<OrganisationId>{sample::kCentre, sample::kTeam}));
  EXPECT_EQ(e.metas.size(), 3u);
  EXPECT_EQ(e.section_subjects[bsn_], std::vector<uint16_t>{0});
  EXPECT_EQ(e.wraps.size(), 2u);
  EXPECT_EQ(e.bytes, good_.ByteSizeLong());
  EXPECT_FALSE(e.batch_message.empty());
}

TEST_F(ParseEnvelope, RefusesEachFieldOfTheHeader) {
  auto long_code = std::string(65, 'a');
  ExpectHeader([](auto* h) { h->set_format_version(2); }, "FIELD_INVALID", "format_version");
  ExpectHeader([](auto* h) { h->clear_format_version(); }, "FIELD_MISSING", "format_version");
  ExpectHeader([](auto* h) { h->clear_region(); }, "FIELD_MISSING", "region");
  ExpectHeader([&](auto* h) { h->set_region(long_code); }, "TOO_LARGE", "region");
  ExpectHeader([](auto* h) { h->clear_signal_id(); }, "FIELD_MISSING", "signal_id");
  ExpectHeader([](auto* h) { h->set_signal_id(Bytes(15, 'x')); }, "FIELD_INVALID", "signal_id");
  ExpectHeader([](auto* h) { h->clear_sender(); }, "FIELD_MISSING", "sender");
  ExpectHeader([](auto* h) { h->set_sender("0000009900000000100x"); }, "FIELD_INVALID", "sender");
  ExpectHeader([](auto* h) { h->clear_sender_key_set_digest(); }, "FIELD_MISSING",
               "sender_key_set_digest");
  ExpectHeader([](auto* h) { h->set_sender_key_set_digest(Bytes(33, 'x')); }, "FIELD_INVALID",
               "sender_key_set_digest");
  ExpectHeader([](auto* h) { h->clear_signal_type(); }, "FIELD_MISSING", "signal_type");
  ExpectHeader([](auto* h) { h->set_signal_type("Rent Arrears"); }, "FIELD_INVALID", "signal_type");
  ExpectHeader([&](auto* h) { h->set_signal_type(long_code); }, "TOO_LARGE", "signal_type");
  ExpectHeader([](auto* h) { h->clear_purpose(); }, "FIELD_MISSING", "purpose");
  ExpectHeader([](auto* h) { h->set_purpose("a\n"); }, "FIELD_INVALID", "purpose");
  ExpectHeader([](auto* h) { h->clear_urgency(); }, "FIELD_MISSING", "urgency");
  ExpectHeader([](auto* h) { h->set_urgency(static_cast<v1::Urgency>(9)); }, "FIELD_INVALID",
               "urgency");
  ExpectHeader([](auto* h) { h->clear_created_ms(); }, "FIELD_MISSING", "created_ms");
  ExpectHeader([](auto* h) { h->clear_expires_ms(); }, "FIELD_MISSING", "expires_ms");
  ExpectHeader([](auto* h) { h->set_follows("x"); }, "FIELD_INVALID", "follows");
  ExpectHeader([](auto* h) { h->set_supersedes("x"); }, "FIELD_INVALID", "supersedes");
  ExpectHeader(
      [](auto* h) {
        h->set_follows(Bytes(16, 'x'));
        h->set_supersedes(Bytes(16, 'y'));
      },
      "FIELD_INVALID", "supersedes");
  ExpectHeader([](auto* h) { h->set_checkpoint_size(1); }, "FIELD_MISSING", "checkpoint_root");
  ExpectHeader([](auto* h) { h->set_checkpoint_root(Bytes(32, 'x')); }, "FIELD_INVALID",
               "checkpoint_root");
  ExpectHeader([](auto* h) { h->clear_random(); }, "FIELD_MISSING", "random");
  ExpectHeader([](auto* h) { h->set_random(Bytes(31, 'x')); }, "FIELD_INVALID", "random");
}

TEST_F(ParseEnvelope, RefusesEachFieldOfTheRouting) {
  ExpectRouting([](auto* r) { r->clear_recipients(); }, "FIELD_MISSING", "recipients");
  ExpectRouting(
      [](auto* r) {
        while (r->recipients_size() < 33) {
          auto digits = std::to_string(r->recipients_size());
          r->add_recipients()->set_oin(std::string(20 - digits.size(), '0') + digits);
        }
      },
      "TOO_LARGE", "recipients");
  ExpectRouting([](auto* r) { r->mutable_recipients(1)->clear_oin(); }, "FIELD_MISSING",
                "recipients[1].oin");
  ExpectRouting([](auto* r) { r->mutable_recipients(1)->set_oin(sample::kCentre.str()); },
                "FIELD_INVALID", "recipients[1].oin");
  ExpectRouting([](auto* r) { r->mutable_recipients(1)->mutable_function()->clear_function(); },
                "FIELD_MISSING", "recipients[1].function.function");
  ExpectRouting([](auto* r) { r->mutable_recipients(1)->mutable_function()->set_area("A"); },
                "FIELD_INVALID", "recipients[1].function.area");
  ExpectRouting([](auto* r) { r->set_case_id("x"); }, "FIELD_INVALID", "case_id");
  ExpectRouting([](auto* r) { r->clear_subjects(); }, "FIELD_MISSING", "subjects");
  ExpectRouting(
      [](auto* r) {
        for (int i = 0; i < 15; ++i) {
          *r->add_subjects() = r->subjects(0);
          r->mutable_subjects()->rbegin()->set_label(Bytes(16, static_cast<char>('A' + i)));
        }
      },
      "TOO_LARGE", "subjects");
  ExpectRouting([](auto* r) { r->mutable_subjects(0)->set_label("x"); }, "FIELD_INVALID",
                "subjects[0].label");
  ExpectRouting([](auto* r) { r->mutable_subjects(1)->set_label(r->subjects(0).label()); },
                "FIELD_INVALID", "subjects[1].label");
  ExpectRouting([](auto* r) { r->mutable_subjects(0)->clear_ref(); }, "SUBJECT_REF_INVALID",
                "subjects[0].ref");
  ExpectRouting(
      [](auto* r) { r->mutable_subjects(0)->mutable_ref()->mutable_pairs(0)->set_value("x"); },
      "SUBJECT_REF_INVALID", "subjects[0].ref");
  ExpectRouting(
      [](auto* r) {
        auto* ref = r->mutable_subjects(0)->mutable_ref();
        *ref->add_pairs() = ref->pairs(0);
      },
      "SUBJECT_REF_INVALID", "subjects[0].ref");
  ExpectRouting(
      [](auto* r) {
        auto* ref = r->mutable_subjects(0)->mutable_ref();
        *ref->add_pairs() = ref->pairs(0);
        ref->mutable_pairs(1)->set_epoch(0);
      },
      "SUBJECT_REF_INVALID", "subjects[0].ref");
  ExpectRouting(
      [](auto* r) {
        auto* ref = r->mutable_subjects(0)->mutable_ref();
        for (uint32_t i = 0; i < 2; ++i) {
          *ref->add_pairs() = ref->pairs(0);
          ref->mutable_pairs()->rbegin()->set_epoch(i + 2);
        }
      },
      "SUBJECT_REF_INVALID", "subjects[0].ref");
  ExpectRouting([](auto* r) { r->clear_actor(); }, "FIELD_MISSING", "actor");
  ExpectRouting([](auto* r) { r->set_actor(std::string(129, 'u')); }, "TOO_LARGE", "actor");
  ExpectRouting([](auto* r) { r->clear_random(); }, "FIELD_MISSING", "random");
  ExpectRouting([](auto* r) { r->set_random(Bytes(17, 'x')); }, "FIELD_INVALID", "random");
}

TEST_F(ParseEnvelope, RefusesEachFieldOfASectionsMeta) {
  ExpectMeta(
      plain_, [](auto* m) { m->clear_category(); }, "FIELD_MISSING", "meta.category");
  ExpectMeta(
      plain_, [](auto* m) { m->set_category("Safety"); }, "FIELD_INVALID", "meta.category");
  ExpectMeta(
      plain_, [](auto* m) { m->clear_ground(); }, "FIELD_MISSING", "meta.ground");
  ExpectMeta(
      plain_, [](auto* m) { m->set_ground(std::string(65, 'a')); }, "TOO_LARGE", "meta.ground");
  ExpectMeta(
      plain_, [](auto* m) { m->clear_subject_labels(); }, "FIELD_MISSING", "meta.subject_labels");
  ExpectMeta(
      plain_, [](auto* m) { m->set_subject_labels(0, Bytes(16, 'x')); }, "FIELD_INVALID",
      "meta.subject_labels");
  ExpectMeta(
      plain_, [](auto* m) { m->add_subject_labels(m->subject_labels(0)); }, "FIELD_INVALID",
      "meta.subject_labels");
  ExpectMeta(
      plain_,
      [](auto* m) {
        for (int i = 0; i < 17; ++i) m->add_attested_conditions("immediate-danger");
      },
      "TOO_LARGE", "meta.attested_conditions");
  ExpectMeta(
      plain_, [](auto* m) { m->add_attested_conditions("No Code"); }, "FIELD_INVALID",
      "meta.attested_conditions");
  ExpectMeta(
      plain_, [](auto* m) { *m->mutable_subject_ref() = Linked("first"); }, "FIELD_INVALID",
      "meta.subject_ref");
  ExpectMeta(
      bsn_, [](auto* m) { m->clear_subject_ref(); }, "FIELD_INVALID", "meta.subject_ref");
  ExpectMeta(
      bsn_, [](auto* m) { *m->mutable_subject_ref() = Linked("second"); }, "SUBJECT_MISMATCH",
      "meta.subject_ref");
}

TEST_F(ParseEnvelope, RefusesEachFieldOfASection) {
  ExpectSection([](auto* s) { s->clear_meta(); }, "FIELD_MISSING", "meta");
  ExpectSection([](auto* s) { s->set_meta(Bytes(2049, 'x')); }, "TOO_LARGE", "meta");
  ExpectSection([](auto* s) { s->set_meta("\xff"); }, "FIELD_INVALID", "meta");
  ExpectSection([](auto* s) { s->clear_commitment(); }, "FIELD_MISSING", "commitment");
  ExpectSection([](auto* s) { s->set_commitment("x"); }, "FIELD_INVALID", "commitment");
  ExpectSection([](auto* s) { s->clear_ciphertext(); }, "FIELD_MISSING", "ciphertext");
  ExpectSection([](auto* s) { s->set_ciphertext(Bytes(1041, 'x')); }, "FIELD_INVALID",
                "ciphertext");
  ExpectSection([](auto* s) { s->clear_wraps(); }, "FIELD_MISSING", "wraps");
  ExpectSection(
      [](auto* s) {
        while (s->wraps_size() < 33) *s->add_wraps() = s->wraps(0);
      },
      "TOO_LARGE", "wraps");
  ExpectSection([](auto* s) { s->mutable_wraps(0)->set_recipient(sample::kCare.str()); },
                "WRAP_UNEXPECTED", "wraps[0].recipient");
  ExpectSection(
      [](auto* s) {
        *s->mutable_wraps(1) = s->wraps(0);
        s->mutable_wraps(1)->set_enc(Bytes(32, 'e'));
      },
      "WRAP_UNEXPECTED", "wraps[1].recipient");
  ExpectSection([](auto* s) { s->mutable_wraps(0)->clear_recipient_key_set_digest(); },
                "FIELD_MISSING", "wraps[0].recipient_key_set_digest");
  ExpectSection([](auto* s) { s->mutable_wraps(1)->set_enc("x"); }, "FIELD_INVALID",
                "wraps[1].enc");
  ExpectSection([](auto* s) { s->mutable_wraps(1)->clear_wrapped(); }, "FIELD_MISSING",
                "wraps[1].wrapped");
  auto envelope = good_;
  envelope.mutable_sections(0)->set_sid("x");
  Expect(envelope, "FIELD_INVALID", "sections[0].sid");
  envelope = good_;
  envelope.mutable_sections()->SwapElements(0, 1);
  Expect(envelope, "FIELD_INVALID", "sections[1].sid");
  envelope = good_;
  envelope.mutable_sections(1)->set_sid(envelope.sections(0).sid());
  Expect(envelope, "FIELD_INVALID", "sections[1].sid");
}

TEST_F(ParseEnvelope, RefusesWhatIsTooLargeOrNoMessage) {
  auto envelope = good_;
  envelope.clear_header();
  Expect(envelope, "FIELD_MISSING", "header");
  envelope.set_header(Bytes(2049, 'x'));
  Expect(envelope, "TOO_LARGE", "header");
  envelope.set_header("\xff\xff");
  Expect(envelope, "FIELD_INVALID", "header");
  envelope.set_header(good_.header() + Bytes("\xf8\x07\x01", 3));  // field 127
  Expect(envelope, "FIELD_INVALID", "header");
  envelope = good_;
  envelope.clear_routing();
  Expect(envelope, "FIELD_MISSING", "routing");
  envelope.set_routing(Bytes(16 * 1024 + 1, 'x'));
  Expect(envelope, "TOO_LARGE", "routing");
  envelope.set_routing(good_.routing() + Bytes("\xf8\x07\x01", 3));
  Expect(envelope, "FIELD_INVALID", "routing");
  envelope = good_;
  envelope.clear_sections();
  Expect(envelope, "FIELD_MISSING", "sections");
  envelope = good_;
  while (envelope.sections_size() < 65) *envelope.add_sections() = good_.sections(0);
  Expect(envelope, "TOO_LARGE", "sections");
  envelope = good_;
  for (int i = 0; i < 5; ++i) {
    *envelope.add_sections() = good_.sections(0);
    envelope.mutable_sections()->rbegin()->set_ciphertext(Bytes(65536 + 16, 'x'));
  }
  Expect(envelope, "TOO_LARGE", "");
}

TEST_F(ParseEnvelope, RefusesFieldsThatItDoesNotKnow) {
  auto envelope = good_;
  envelope.GetReflection()->MutableUnknownFields(&envelope)->AddVarint(99, 1);
  Expect(envelope, "FIELD_INVALID", "");
  envelope = good_;
  auto* wrap = envelope.mutable_sections(0)->mutable_wraps(0);
  wrap->GetReflection()->MutableUnknownFields(wrap)->AddVarint(99, 1);
  Expect(envelope, "FIELD_INVALID", "");
}

TEST_F(ParseEnvelope, RefusesValuesThatDoNotHoldEveryDigest) {
  auto envelope = good_;
  envelope.clear_values();
  Expect(envelope, "FIELD_MISSING", "values");
  envelope = good_;
  envelope.mutable_values()->RemoveLast();
  Expect(envelope, "VALUES_INVALID", "values");
  envelope = good_;
  envelope.set_values(3, Bytes(31, 'x'));
  Expect(envelope, "VALUES_INVALID", "values");
  envelope = good_;
  envelope.mutable_values()->SwapElements(0, 1);
  Expect(envelope, "VALUES_INVALID", "values");
  envelope = good_;
  envelope.set_values(1, envelope.values(0));
  Expect(envelope, "VALUES_INVALID", "values");
  envelope = good_;
  // One byte of a ciphertext: its section's digest is no longer among the values.
  (*envelope.mutable_sections(0)->mutable_ciphertext())[7] ^= 1;
  Expect(envelope, "VALUES_INVALID", "values");
  envelope = good_;
  (*envelope.mutable_sections(1)->mutable_wraps(0)->mutable_wrapped())[7] ^= 1;
  Expect(envelope, "VALUES_INVALID", "values");
  // 16 more filling values than are needed.
  std::vector<Digest> values;
  for (const auto& value : good_.values()) values.push_back(*Digest::From(value));
  for (int i = 0; i < 16; ++i) values.push_back(*Digest::From(f_.random().Take(32)));
  std::sort(values.begin(), values.end());
  envelope = good_;
  envelope.clear_values();
  for (const auto& value : values) envelope.add_values(value.str());
  Expect(envelope, "VALUES_INVALID", "values");
}

TEST_F(ParseEnvelope, RefusesEachFieldOfTheProof) {
  auto with = [&](auto change, const std::string& reason, const std::string& field) {
    auto envelope = good_;
    change(envelope.mutable_proof());
    Expect(envelope, reason, "proof." + field);
  };
  with([](auto* p) { p->clear_count(); }, "FIELD_MISSING", "count");
  with([](auto* p) { p->set_count(65); }, "FIELD_INVALID", "count");
  with([](auto* p) { p->set_index(1); }, "FIELD_INVALID", "index");
  with([](auto* p) { p->set_count(2); }, "FIELD_INVALID", "path");
  with([](auto* p) { p->add_path(Bytes(32, 'x')); }, "FIELD_INVALID", "path");
  with([](auto* p) { p->add_path("x"); }, "FIELD_INVALID", "path");
  with([](auto* p) { p->clear_signature(); }, "FIELD_MISSING", "signature");
  with([](auto* p) { p->set_signature(Bytes(63, 'x')); }, "FIELD_INVALID", "signature");
}

TEST_F(ParseEnvelope, NeverCrashesOnAChangedByte) {
  Bytes raw = good_.SerializeAsString();
  size_t refused = 0;
  size_t tried = 0;
  for (size_t i = 0; i < raw.size(); i += 3) {
    Bytes changed = raw;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    v1::Envelope envelope;
    if (!envelope.ParseFromString(changed)) continue;
    ++tried;
    auto parsed = machine::ParseEnvelope(envelope);
    auto original = machine::ParseEnvelope(good_);
    // Accepted only where the change lies in the signature, or makes another digest of the values'
    // filling: what is accepted under the same digest has the same content.
    if (!parsed.ok()) {
      ++refused;
    } else if ((*parsed)->digest == (*original)->digest) {
      EXPECT_EQ((*parsed)->envelope.header(), good_.header());
      EXPECT_EQ((*parsed)->envelope.routing(), good_.routing());
      ASSERT_EQ((*parsed)->envelope.sections_size(), good_.sections_size());
      for (int k = 0; k < good_.sections_size(); ++k) {
        EXPECT_EQ((*parsed)->envelope.sections(k).ciphertext(), good_.sections(k).ciphertext());
      }
    }
  }
  EXPECT_GT(tried, 1000u);
  EXPECT_GT(refused, tried / 2);
}

}  // namespace
}  // namespace schakel::testing
