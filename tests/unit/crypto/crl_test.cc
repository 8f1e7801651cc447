#include "broker/crypto/crl.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "broker/crypto/crl_list.h"
#include "tests/unit/crypto/dev_pki.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

namespace fs = std::filesystem;

class RevocationLists : public testing::Test {
 protected:
  std::unique_ptr<CrlStore> Open(const fs::path& path) {
    return CrlStore::Open(path, pki_.Anchors().certificates()).value();
  }
  // Replaces the list as an operator should: by rename.
  void Replace(const std::string& text) {
    WriteText(pki_.path() / "crl" / "new", text);
    fs::rename(pki_.path() / "crl" / "new", pki_.CrlFile());
  }
  DevPki pki_;
  const Certificate a_ = pki_.Issue("00000099000000001000");
  const Certificate b_ = pki_.Issue("00000099000000002000");
};

TEST_F(RevocationLists, SayWhoWasRevoked) {
  auto store = Open(pki_.CrlFile());
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kGood);
  EXPECT_EQ(store->Generation(), 1u);
  ASSERT_EQ(pki_.Run("revoke 00000099000000001000"), 0);
  // The same store notices the replaced file.
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kRevoked);
  EXPECT_EQ(store->Lookup(b_, Now()), Revocation::kGood);
  EXPECT_EQ(store->Generation(), 2u);
  EXPECT_EQ(store->Lookup(a_.facts().issuer, a_.facts().serial, Now()), Revocation::kRevoked);
  // Who got a new certificate is known by that one.
  EXPECT_EQ(store->Lookup(pki_.Issue("00000099000000001000"), Now()), Revocation::kGood);
}

TEST_F(RevocationLists, AreLookedForAgainWhenThatIsDueOrAskedFor) {
  auto store = CrlStore::Open(pki_.CrlFile(), pki_.Anchors().certificates(), std::chrono::hours(1));
  ASSERT_TRUE(store.ok());
  ASSERT_EQ(pki_.Run("revoke 00000099000000001000"), 0);
  EXPECT_EQ((*store)->Lookup(a_, Now()), Revocation::kGood);
  (*store)->LookNow();
  EXPECT_EQ((*store)->Lookup(a_, Now()), Revocation::kRevoked);
}

TEST_F(RevocationLists, NoticeARewriteInPlace) {
  auto store = Open(pki_.CrlFile());
  ASSERT_EQ(pki_.Run("revoke 00000099000000001000"), 0);
  const std::string later = ReadText(pki_.CrlFile());
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kRevoked);
  WriteText(pki_.CrlFile(), "broken");
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kUnknown);
  WriteText(pki_.CrlFile(), later);
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kRevoked);
}

TEST_F(RevocationLists, AreStaleOutsideTheirTime) {
  auto store = Open(pki_.CrlFile());
  EXPECT_EQ(store->Lookup(a_, Now() + std::chrono::days(366)), Revocation::kStale);
  EXPECT_EQ(store->Lookup(a_, Now() - std::chrono::days(1)), Revocation::kStale);
  EXPECT_EQ(store->Lookup(a_, Now() + std::chrono::days(364)), Revocation::kGood);
  ASSERT_EQ(pki_.Run("crl --expired"), 0);
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kStale);
  ASSERT_EQ(pki_.Run("crl --days 2"), 0);
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kGood);
  EXPECT_EQ(store->Lookup(a_, Now() + std::chrono::days(3)), Revocation::kStale);
}

TEST_F(RevocationLists, StillNameTheRevokedWhenStale) {
  ASSERT_EQ(pki_.Run("revoke 00000099000000001000"), 0);
  auto store = Open(pki_.CrlFile());
  EXPECT_EQ(store->Lookup(a_, Now() + std::chrono::days(366)), Revocation::kRevoked);
}

TEST_F(RevocationLists, KnowTheirOwnIssuerOnly) {
  DevPki other;
  auto store = Open(pki_.CrlFile());
  EXPECT_EQ(store->Lookup(other.Issue("00000099000000001000"), Now()), Revocation::kUnknown);
}

TEST_F(RevocationLists, AnswerUnknownWithoutAUsableFileAndRecover) {
  auto store = Open(pki_.CrlFile());
  const std::string good = ReadText(pki_.CrlFile());
  DevPki other;
  for (const std::string& bad :
       {std::string(), std::string("text"), good.substr(0, good.size() / 2),
        ReadText(other.CrlFile()), ReadText(pki_.path() / "ca.pem"),
        good + ReadText(other.CrlFile())}) {
    Replace(bad);
    EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kUnknown) << bad.substr(0, 100);
    EXPECT_NE(store->LastProblem(), "");
    Replace(good);
    EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kGood);
    EXPECT_EQ(store->LastProblem(), "");
  }
  fs::remove(pki_.CrlFile());
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kUnknown);
}

TEST_F(RevocationLists, MustBeUsableAtTheStart) {
  const std::string good = ReadText(pki_.CrlFile());
  Replace("text");
  auto store = CrlStore::Open(pki_.CrlFile(), pki_.Anchors().certificates());
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().field, pki_.CrlFile().string());
  EXPECT_FALSE(CrlStore::Open(pki_.path() / "missing", pki_.Anchors().certificates()).ok());
  TempFolder empty;
  EXPECT_FALSE(CrlStore::Open(empty.path(), pki_.Anchors().certificates()).ok());
  // Nobody who could have signed it.
  Replace(good);
  EXPECT_FALSE(CrlStore::Open(pki_.CrlFile(), {}).ok());
  EXPECT_FALSE(CrlStore::Open(pki_.CrlFile(), {a_}).ok());
}

TEST_F(RevocationLists, AreReadFromAFolder) {
  DevPki other;
  const Certificate theirs = other.Issue("00000099000000003000");
  std::vector<Certificate> issuers = pki_.Anchors().certificates();
  issuers.push_back(other.Anchors().certificates().front());
  WriteText(pki_.path() / "crl" / "README", "left alone");
  auto store = CrlStore::Open(pki_.path() / "crl", issuers).value();
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kGood);
  EXPECT_EQ(store->Lookup(theirs, Now()), Revocation::kUnknown);
  ASSERT_EQ(other.Run("revoke 00000099000000003000"), 0);
  fs::copy(other.CrlFile(), pki_.path() / "crl" / "other.crl");
  EXPECT_EQ(store->Lookup(theirs, Now()), Revocation::kRevoked);
  EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kGood);
  fs::remove(pki_.path() / "crl" / "other.crl");
  EXPECT_EQ(store->Lookup(theirs, Now()), Revocation::kUnknown);
}

TEST_F(RevocationLists, OfOneKeyTheLaterOneCounts) {
  ASSERT_EQ(pki_.Run("crl --expired"), 0);
  const std::string earlier = ReadText(pki_.CrlFile());
  ASSERT_EQ(pki_.Run("revoke 00000099000000001000"), 0);
  const std::string later = ReadText(pki_.CrlFile());
  auto store = Open(pki_.CrlFile());
  for (const std::string& both : {earlier + later, later + earlier}) {
    Replace(both);
    EXPECT_EQ(store->Lookup(a_, Now()), Revocation::kRevoked);
    EXPECT_EQ(store->Lookup(b_, Now()), Revocation::kGood);
  }
}

TEST_F(RevocationLists, AreRefusedWithAnyByteChanged) {
  ASSERT_EQ(pki_.Run("revoke 00000099000000001000"), 0);
  ASSERT_EQ(pki_.Shell("openssl crl -in " + pki_.CrlFile().string() + " -outform DER -out $D/der"),
            0);
  const Bytes der = ReadText(pki_.path() / "der");
  const auto issuers = pki_.Anchors().certificates();
  auto pem = [](const Bytes& raw) {
    const std::string text = Base64Encode(raw);
    std::string lines = "-----BEGIN X509 CRL-----\n";
    for (size_t at = 0; at < text.size(); at += 64) lines.append(text, at, 64).append("\n");
    return lines + "-----END X509 CRL-----\n";
  };
  ASSERT_TRUE(ParseRevocationLists(pem(der), issuers).ok());
  for (size_t byte = 0; byte < der.size(); ++byte) {
    EXPECT_FALSE(ParseRevocationLists(pem(FlipBit(der, byte * 8)), issuers).ok()) << byte;
  }
}

TEST_F(RevocationLists, ThatSayOnlyAPartAreRefused) {
  const std::string config = ReadText(pki_.path() / "openssl.cnf");
  for (const char* extension :
       {"2.5.29.27=critical,DER:020101", "issuingDistributionPoint=critical,@idp",
        "1.2.3.4=critical,DER:0500"}) {
    WriteText(pki_.path() / "part.cnf", config + extension +
                                            "\n[idp]\nfullname=URI:http://example.test/a.crl\n"
                                            "onlyuser=TRUE\n");
    ASSERT_EQ(pki_.Shell("openssl ca -config $D/part.cnf -gencrl -out " + pki_.CrlFile().string()),
              0)
        << pki_.output();
    EXPECT_FALSE(CrlStore::Open(pki_.CrlFile(), pki_.Anchors().certificates()).ok()) << extension;
  }
  // A place alone takes nothing away.
  WriteText(pki_.path() / "part.cnf", config +
                                          "issuingDistributionPoint=critical,@idp\n[idp]\n"
                                          "fullname=URI:http://example.test/a.crl\n");
  ASSERT_EQ(pki_.Shell("openssl ca -config $D/part.cnf -gencrl -out " + pki_.CrlFile().string()), 0)
      << pki_.output();
  EXPECT_TRUE(CrlStore::Open(pki_.CrlFile(), pki_.Anchors().certificates()).ok());
}

TEST_F(RevocationLists, AreLookedUpWhileTheyAreReplaced) {
  ASSERT_EQ(pki_.Run("revoke 00000099000000001000"), 0);
  auto store = Open(pki_.CrlFile());
  const std::string text = ReadText(pki_.CrlFile());
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        wrong += store->Lookup(a_, Now()) != Revocation::kRevoked;
        wrong += store->Lookup(b_, Now()) != Revocation::kGood;
      }
    });
  }
  for (int i = 0; i < 100; ++i) Replace(text);
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(store->Generation(), 1u);
}

}  // namespace
}  // namespace schakel::crypto
