// ParseEnvelope: each field that is wrong, with its reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_format.h"
#include "tests/unit/machine/parse_envelope_fixture.h"

namespace schakel::testing {
namespace {

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

}  // namespace
}  // namespace schakel::testing
