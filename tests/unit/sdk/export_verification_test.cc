#include "clients/sdk/export_verification.h"

#include "tests/unit/sdk/fake_log.h"

namespace schakel::sdk {
namespace {

TEST(VerifyExport, NamesTheFirstWrongRecord) {
  crypto::TempFolder folder;
  const auto file = folder.path() / "log.export";
  const Log log(60);
  const Bytes right = log.Export();
  const std::string needle = "user-41";
  Bytes wrong = right;
  wrong.replace(wrong.find(needle), needle.size(), "user-14");
  crypto::WriteText(file, wrong);
  const auto report = VerifyExport(file, LogVerifier(), std::nullopt);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->verified);
  EXPECT_EQ(report->first_wrong_index, 41u);
  EXPECT_NE(report->sentence_en.find("entry 41 is wrong"), std::string::npos)
      << report->sentence_en;
  EXPECT_NE(report->sentence_nl.find("NIET bewezen"), std::string::npos);
}

TEST(VerifyExport, NoticesEveryChangedByte) {
  crypto::TempFolder folder;
  const auto file = folder.path() / "log.export";
  const Bytes right = Log(8).Export();
  for (size_t i = 0; i < right.size(); ++i) {
    Bytes wrong = right;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x20);
    crypto::WriteText(file, wrong);
    const auto report = VerifyExport(file, LogVerifier(), std::nullopt);
    ASSERT_TRUE(report.ok());
    ASSERT_FALSE(report->verified) << "byte " << i;
    ASSERT_TRUE(report->fault.has_value());
  }
}

TEST(VerifyExport, NoticesATruncatedFileAndAnotherHistory) {
  crypto::TempFolder folder;
  const auto file = folder.path() / "log.export";
  const Log log(25);
  const Bytes right = log.Export();
  for (size_t length : {size_t{0}, size_t{3}, right.size() / 2, right.size() - 1}) {
    crypto::WriteText(file, right.substr(0, length));
    EXPECT_FALSE(VerifyExport(file, LogVerifier(), std::nullopt)->verified) << length;
  }
  crypto::WriteText(file, right);
  const auto other = VerifyExport(file, LogVerifier(), Log(25, "x").Head(10));
  EXPECT_FALSE(other->verified);
  EXPECT_EQ(other->fault->reason, "CHECKPOINT_INCONSISTENT");
  EXPECT_FALSE(other->older);
  const auto longer = VerifyExport(file, LogVerifier(), Log(30).Head(30));
  EXPECT_FALSE(longer->verified);
  EXPECT_TRUE(longer->older);
  EXPECT_NE(longer->sentence_en.find("older than the checkpoint"), std::string::npos);
  const auto other_key = merkle::VerifierKey::Create(kOrigin, LogKey('x').public_key()).value();
  EXPECT_FALSE(VerifyExport(file, other_key, std::nullopt)->verified);
  EXPECT_EQ(VerifyExport(folder.path() / "none", LogVerifier(), std::nullopt).error().reason,
            "FILE_MISSING");
}

TEST(VerifyExport, RemembersWhatItVerifiedForTheNextTime) {
  crypto::TempFolder folder;
  const auto file = folder.path() / "log.export";
  CheckpointMemory memory(folder.path(), LogVerifier());
  crypto::WriteText(file, Log(25).Export());
  EXPECT_TRUE(VerifyExport(file, memory)->first_look);
  EXPECT_EQ(memory.Remembered()->value().head.size, 25u);
  crypto::WriteText(file, Log(30).Export());
  const auto later = VerifyExport(file, memory);
  EXPECT_TRUE(later->verified);
  EXPECT_FALSE(later->first_look);
  EXPECT_TRUE(later->summary.consistent_with_remembered);
  crypto::WriteText(file, Log(40, "x").Export());
  EXPECT_FALSE(VerifyExport(file, memory)->verified);
  EXPECT_EQ(memory.Remembered()->value().head, Log(30).Head(30));
}

TEST(ReadRecord, RefusesBytesThatItsReaderDoesNotSee) {
  v1::Record record;
  record.set_index(7);
  record.set_actor("user");
  const Bytes right = record.SerializeAsString();
  ASSERT_TRUE(ReadRecord(right).ok());
  EXPECT_EQ(*ReadRecord(right), std::nullopt);
  record.set_detail_commitment(Bytes(32, 'c'));
  EXPECT_EQ(*ReadRecord(record.SerializeAsString()), Digest::From(Bytes(32, 'c')));
  record.set_detail_commitment("short");
  EXPECT_FALSE(ReadRecord(record.SerializeAsString()).ok());
  EXPECT_FALSE(ReadRecord(right + right).ok()) << "a field twice";
  EXPECT_FALSE(ReadRecord(right + Bytes("\xf8\x06\x01", 3)).ok()) << "an unknown field";
  EXPECT_FALSE(ReadRecord(Bytes("\x08\x87\x00", 3)).ok()) << "a number longer than needed";
  EXPECT_FALSE(ReadRecord("\xff").ok());
}

}  // namespace
}  // namespace schakel::sdk
