// ParseEnvelope of the envelope as a whole: its parts, its digests, any byte changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_format.h"
#include "tests/unit/machine/parse_envelope_fixture.h"

namespace schakel::testing {
namespace {

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
