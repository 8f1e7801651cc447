#include "broker/crypto/key_document.h"

#include <gtest/gtest.h>

#include <functional>

#include "broker/crypto/hash.h"
#include "tests/unit/crypto/dev_pki.h"
#include "tests/unit/crypto/pseudonym_fixture.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

class KeyDocuments : public testing::Test {
 protected:
  // What Create says when one thing differs from a good document.
  std::string Refusal(const std::function<void(std::string& region, uint32_t& epoch,
                                               std::vector<Point>& commitments,
                                               std::vector<Custodian>& custodians)>& change) {
    std::string region = document_.region();
    uint32_t epoch = document_.epoch();
    auto commitments = document_.commitments();
    auto custodians = document_.custodians();
    change(region, epoch, commitments, custodians);
    auto made = KeyDocument::Create(region, epoch, commitments, custodians);
    if (made.ok()) return "";
    EXPECT_EQ(made.error().reason, "KEY_DOCUMENT_INVALID");
    return made.error().message;
  }

  const Custody custody_ = Custody::Of(SecretScalar::Random(), 2, 3);
  const KeyDocument& document_ = custody_.document;
};

TEST_F(KeyDocuments, HaveTheBytesOfTheirGrammar) {
  Bytes expected = "schakel/v1/pseudonym-keys\n";
  expected += Bytes("\0\0\0\x11", 4) + "zuid-holland-zuid" + Bytes("\0\0\0\1", 4) + "\2\3";
  for (const Point& a : document_.commitments()) expected += a.str();
  for (const Custodian& c : document_.custodians()) {
    expected += static_cast<char>(c.x) + c.oin.str() + c.public_share.str();
  }
  EXPECT_EQ(document_.bytes(), expected);
  EXPECT_EQ(document_.digest(), Sha256(expected));
  EXPECT_EQ(document_.threshold(), 2);
}

TEST_F(KeyDocuments, AreParsedBack) {
  auto parsed = KeyDocument::Parse(document_.bytes());
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->bytes(), document_.bytes());
  EXPECT_EQ(parsed->digest(), document_.digest());
  EXPECT_EQ(parsed->region(), "zuid-holland-zuid");
  EXPECT_EQ(parsed->epoch(), 1u);
  EXPECT_EQ(parsed->commitments(), document_.commitments());
  EXPECT_EQ(parsed->custodians(), document_.custodians());
  EXPECT_EQ(parsed->Find(CustodianOin(2))->x, 2);
  EXPECT_EQ(parsed->Find(CustodianOin(9)), nullptr);
}

TEST_F(KeyDocuments, AreRefusedCutShortOrWithMore) {
  const Bytes& bytes = document_.bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(KeyDocument::Parse(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(KeyDocument::Parse(bytes + '\0').ok());
}

// A flip in region, epoch or an OIN gives another consistent document (its digest and signatures
// tell); every other one is noticed here.
TEST_F(KeyDocuments, NoticeFlippedBitsByDigestOrByShape) {
  const Bytes& bytes = document_.bytes();
  const size_t points = bytes.find("zuid-holland-zuid") + 17 + 4 + 2;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto parsed = KeyDocument::Parse(FlipBit(bytes, bit));
    if (parsed.ok()) {
      EXPECT_NE(parsed->digest(), document_.digest()) << bit;
    }
    const size_t byte = bit / 8;
    const bool in_commitments = byte >= points && byte < points + 64;
    if (in_commitments) {
      EXPECT_FALSE(parsed.ok()) << bit;
    }
  }
}

TEST_F(KeyDocuments, NameTheCustodianOfAFalsePublicShare) {
  const std::string why = Refusal([](auto&, auto&, auto&, auto& custodians) {
    custodians[1].public_share = Point::Generator();
  });
  EXPECT_NE(why.find(CustodianOin(2).str()), std::string::npos) << why;
}

TEST_F(KeyDocuments, AreRefusedWithFalseCommitments) {
  EXPECT_NE(Refusal([](auto&, auto&, auto& a, auto&) { a[0] = Point::Generator(); }), "");
  EXPECT_NE(Refusal([](auto&, auto&, auto& a, auto&) { a[1] = Point::Generator(); }), "");
  EXPECT_NE(Refusal([](auto&, auto&, auto& a, auto&) { std::swap(a[0], a[1]); }), "");
  EXPECT_NE(Refusal([](auto&, auto&, auto& a, auto&) { a.clear(); }), "");
  EXPECT_NE(Refusal([](auto&, auto&, auto& a, auto&) { a.resize(4, a[0]); }), "");
}

TEST_F(KeyDocuments, AreRefusedWithRepeatedOrStrangeCustodians) {
  EXPECT_NE(Refusal([](auto&, auto&, auto&, auto& c) { c[1].x = 1; }), "");
  EXPECT_NE(Refusal([](auto&, auto&, auto&, auto& c) { c[1].x = 0; }), "");
  EXPECT_NE(Refusal([](auto&, auto&, auto&, auto& c) { c[1] = c[0]; }), "");
  EXPECT_NE(Refusal([](auto&, auto&, auto&, auto& c) { c[1].oin = c[0].oin; }), "");
  EXPECT_NE(Refusal([](auto&, auto&, auto&, auto& c) { c.clear(); }), "");
  // A true share with a number beyond n.
  const Point fourth = PublicShare(document_.commitments(), 4).value();
  EXPECT_NE(Refusal([&](auto&, auto&, auto&, auto& c) { c[2] = {4, c[2].oin, fourth}; }), "");
  EXPECT_EQ(Refusal([](auto&, auto&, auto&, auto& c) { std::swap(c[0], c[2]); }), "");
}

TEST_F(KeyDocuments, NeedARegionAndAnEpoch) {
  EXPECT_NE(Refusal([](auto& region, auto&, auto&, auto&) { region.clear(); }), "");
  EXPECT_NE(Refusal([](auto& region, auto&, auto&, auto&) { region.assign(201, 'r'); }), "");
  EXPECT_NE(Refusal([](auto&, auto& epoch, auto&, auto&) { epoch = 0; }), "");
}

class SignedKeyDocuments : public KeyDocuments {
 protected:
  SignedKeyDocuments() {
    const char* const options[] = {"", "--algorithm p384", "--algorithm rsa3072"};
    for (uint8_t x = 1; x <= 3; ++x) {
      const std::string oin = CustodianOin(x).str();
      const Certificate certificate = pki_.Issue(oin, options[x - 1]);
      signatures_.push_back({{certificate}, pki_.Key(oin).Sign(document_.bytes()).value()});
    }
  }
  void ExpectRefused(const std::vector<KeyDocumentSignature>& signatures, uint8_t blamed) {
    const TrustAnchors anchors = pki_.Anchors();
    auto status = VerifyKeyDocument(document_, signatures, &anchors, Now());
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().reason, "KEY_DOCUMENT_INVALID");
    EXPECT_NE(status.error().message.find(CustodianOin(blamed).str()), std::string::npos)
        << status.error().message;
  }

  DevPki pki_;
  std::vector<KeyDocumentSignature> signatures_;
};

TEST_F(SignedKeyDocuments, VerifyWithAllSignaturesInAnyOrder) {
  const TrustAnchors anchors = pki_.Anchors();
  auto status = VerifyKeyDocument(document_, signatures_, &anchors, Now());
  EXPECT_TRUE(status.ok()) << status.error().message;
  std::swap(signatures_[0], signatures_[2]);
  EXPECT_TRUE(VerifyKeyDocument(document_, signatures_, &anchors, Now()).ok());
  EXPECT_TRUE(VerifyKeyDocument(document_, signatures_, nullptr, Now()).ok());
}

TEST_F(SignedKeyDocuments, AreRefusedWithAMissingFalseOrSecondSignature) {
  auto changed = signatures_;
  changed.pop_back();
  ExpectRefused(changed, 3);
  changed = signatures_;
  changed[1].signature = FlipBit(changed[1].signature, 100);
  ExpectRefused(changed, 2);
  changed = signatures_;
  std::swap(changed[0].signature, changed[1].signature);
  ExpectRefused(changed, 1);
  changed = signatures_;
  changed.push_back(signatures_[1]);
  ExpectRefused(changed, 2);
}

TEST_F(SignedKeyDocuments, AreRefusedWithAStrangersSignature) {
  auto changed = signatures_;
  const std::string stranger = CustodianOin(7).str();
  changed.push_back({{pki_.Issue(stranger)}, pki_.Key(stranger).Sign(document_.bytes()).value()});
  ExpectRefused(changed, 7);
  changed = signatures_;
  changed[0].chain.clear();
  EXPECT_FALSE(VerifyKeyDocument(document_, changed, nullptr, Now()).ok());
}

TEST_F(SignedKeyDocuments, AreRefusedUnderAnotherCaOrAtAnotherTime) {
  DevPki other;
  auto changed = signatures_;
  const std::string oin = CustodianOin(1).str();
  changed[0] = {{other.Issue(oin)}, other.Key(oin).Sign(document_.bytes()).value()};
  ExpectRefused(changed, 1);
  const TrustAnchors anchors = pki_.Anchors();
  EXPECT_FALSE(
      VerifyKeyDocument(document_, signatures_, &anchors, Now() + std::chrono::hours(24 * 400))
          .ok());
}

}  // namespace
}  // namespace schakel::crypto
