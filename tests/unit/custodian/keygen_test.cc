#include "broker/custodian/keygen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "broker/base/limits.h"
#include "broker/custodian/key_holder.h"
#include "tests/unit/custodian/custodian_set.h"

namespace schakel::custodian {
namespace {

using ::testing::HasSubstr;

OrganisationId OinOf(size_t i) { return *OrganisationId::From(CustodianSet::CustodianOin(i)); }

KeygenOptions OptionsFor(const CustodianSet& set, const std::string& out) {
  KeygenOptions options{"zhz.example", 2, 2, {}, set.folder() / out};
  for (size_t i = 0; i < 3; ++i) {
    options.custodians.push_back(
        {CustodianSet::CustodianOin(i), set.certificate(i).certificate, set.certificate(i).key});
  }
  return options;
}

TEST(Keygen, EachShareFitsTheSignedDocumentAndItsOwnCustodian) {
  const CustodianSet set;
  const SignedDocument document = set.Signed();
  EXPECT_EQ(document.document.digest(), set.digest());
  EXPECT_EQ(document.document.threshold(), 2);
  EXPECT_EQ(document.wire.signatures_size(), 3);
  for (size_t i = 0; i < 3; ++i) {
    auto share = LoadShareFile(set.share(i));
    ASSERT_TRUE(share.ok()) << share.error().message;
    const auto holder = KeyHolder::Create(std::move(*share), set.Signed(), OinOf(i));
    ASSERT_TRUE(holder.ok()) << holder.error().message;
    EXPECT_EQ(holder->x(), i + 1);
  }
}

TEST(Keygen, WritesSharesThatOnlyTheirOwnerMayRead) {
  const CustodianSet set;
  for (size_t i = 0; i < 3; ++i) {
    struct stat facts {};
    ASSERT_EQ(::stat(set.share(i).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);
  }
}

TEST(Keygen, RefusesBadNumbersAndWritesNothing) {
  const CustodianSet set;
  struct Case {
    const char* field;
    std::function<void(KeygenOptions&)> change;
  };
  const std::vector<Case> cases = {
      {"--threshold", [](auto& o) { o.threshold = 0; }},
      {"--threshold", [](auto& o) { o.threshold = 4; }},
      {"--threshold", [](auto& o) { o.threshold = 258; }},
      {"--epoch", [](auto& o) { o.epoch = 0; }},
      {"--region", [](auto& o) { o.region.clear(); }},
      {"--region", [](auto& o) { o.region = "Zuid Holland"; }},
      {"--custodian", [](auto& o) { o.custodians.clear(); }},
      {"--custodian", [](auto& o) { o.custodians.resize(limits::kCustodiansMax + 1); }},
      {"--custodian", [](auto& o) { o.custodians[0].oin = "123"; }},
  };
  for (const Case& each : cases) {
    KeygenOptions options = OptionsFor(set, "bad");
    each.change(options);
    const auto made = Keygen(options);
    ASSERT_FALSE(made.ok()) << each.field;
    EXPECT_EQ(made.error().field, each.field);
    EXPECT_FALSE(std::filesystem::exists(options.out));
  }
}

TEST(Keygen, RefusesCertificatesThatDoNotBelong) {
  const CustodianSet set;
  KeygenOptions swapped = OptionsFor(set, "bad");
  std::swap(swapped.custodians[0].oin, swapped.custodians[1].oin);
  EXPECT_THAT(Keygen(swapped).error().message, HasSubstr("the certificate names"));

  KeygenOptions other_key = OptionsFor(set, "bad");
  other_key.custodians[0].key_file = set.certificate(1).key;
  EXPECT_THAT(Keygen(other_key).error().message, HasSubstr("not the one of the certificate"));

  KeygenOptions twice = OptionsFor(set, "bad");
  twice.custodians[2] = twice.custodians[1];
  EXPECT_EQ(Keygen(twice).error().reason, "KEY_DOCUMENT_INVALID");

  KeygenOptions missing = OptionsFor(set, "bad");
  missing.custodians[2].certificate_file = set.folder() / "nowhere.pem";
  EXPECT_EQ(Keygen(missing).error().field, (set.folder() / "nowhere.pem").string());
  EXPECT_FALSE(std::filesystem::exists(set.folder() / "bad"));
}

TEST(Keygen, NeverOverwritesAndLeavesNothingHalfMade) {
  const CustodianSet set;
  const auto before = testing::ReadFile(set.document());
  KeygenOptions again = OptionsFor(set, "keys");
  EXPECT_EQ(Keygen(again).error().field, set.document().string());
  EXPECT_EQ(testing::ReadFile(set.document()), before);

  KeygenOptions partly = OptionsFor(set, "partly");
  std::filesystem::create_directory(partly.out);
  testing::WriteFile(partly.out / "share-3.key", "somebody's");
  EXPECT_EQ(Keygen(partly).error().field, (partly.out / "share-3.key").string());
  EXPECT_EQ(testing::ReadFile(partly.out / "share-3.key"), "somebody's");
  EXPECT_FALSE(std::filesystem::exists(partly.out / "share-1.key"));
  EXPECT_FALSE(std::filesystem::exists(partly.out / "key-document.pb"));
}

TEST(Keygen, EachRunDealsAnotherKey) {
  const CustodianSet set;
  const auto one = Keygen(OptionsFor(set, "one"));
  const auto two = Keygen(OptionsFor(set, "two"));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(*one, *two);
}

TEST(KeygenCustodian, ReadsOinCertificateAndKey) {
  const auto parsed = ParseKeygenCustodian("00000099000000009001=a/b.pem:c/d.key");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->oin, "00000099000000009001");
  EXPECT_EQ(parsed->certificate_file, "a/b.pem");
  EXPECT_EQ(parsed->key_file, "c/d.key");
  for (const std::string bad :
       {"", "00000099000000009001", "00000099000000009001=a.pem", "=a.pem:b.key", "12=a.pem:b.key",
        "00000099000000009001=:b.key", "00000099000000009001=a.pem:", "a:b=c"}) {
    EXPECT_FALSE(ParseKeygenCustodian(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace schakel::custodian
