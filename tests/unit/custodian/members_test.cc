#include "broker/custodian/members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"
#include "tests/unit/custodian/sample.h"

namespace schakel::custodian {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kSpki(64, 'a');
const std::string kOneMember =
    "members:\n"
    "  - oin: \"00000099000000001000\"\n"
    "    certificate_spki_digest: " +
    kSpki +
    "\n"
    "    authority: Wpg art. 20\n";
const std::string kTwoMembers = kOneMember +
                                "  - oin: \"00000099000000002000\"\n"
                                "    certificate_spki_digest: " +
                                kSpki +
                                "\n"
                                "    authority: Wabvpz art. 5\n"
                                "    per_day: 7\n"
                                "    per_30_days: 70\n"
                                "    disabled: true\n";

TEST(Members, ReadsLimitsAndFillsInTheDefaults) {
  std::vector<Error> problems;
  const auto members = ParseMembers("m.yaml", kTwoMembers, &problems);
  ASSERT_TRUE(members) << problems.front().message;
  EXPECT_EQ(members->at(kPolice).limits, (BudgetLimits{500, 5000}));
  EXPECT_EQ(members->at(kPolice).authority, "Wpg art. 20");
  EXPECT_FALSE(members->at(kPolice).disabled);
  EXPECT_EQ(members->at(kCare).limits, (BudgetLimits{7, 70}));
  EXPECT_TRUE(members->at(kCare).disabled);
  EXPECT_EQ(HexEncode(members->at(kCare).spki.view()), kSpki);
}

struct BadMembers {
  const char* name;
  std::string text;
  std::string field;
  std::string message;
};

class BadMembersFile : public ::testing::TestWithParam<BadMembers> {};

TEST_P(BadMembersFile, IsRefusedWithFileLineAndReason) {
  std::vector<Error> problems;
  EXPECT_FALSE(ParseMembers("m.yaml", GetParam().text, &problems));
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems.front().field, GetParam().field);
  EXPECT_THAT(problems.front().message, HasSubstr(GetParam().message));
}

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  return text.replace(text.find(what), what.size(), by);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadMembersFile,
    ::testing::Values(
        BadMembers{"NoAuthority", Replaced(kOneMember, "    authority: Wpg art. 20\n", ""),
                   "m.yaml:2", "authority"},
        BadMembers{"EmptyAuthority", Replaced(kOneMember, "Wpg art. 20", "\"\""), "m.yaml:4", ""},
        BadMembers{"NoKey",
                   Replaced(kOneMember, "    certificate_spki_digest: " + kSpki + "\n", ""),
                   "m.yaml:2", "certificate_spki_digest"},
        BadMembers{"ShortKey", Replaced(kOneMember, kSpki, "aabb"), "m.yaml:3", ""},
        BadMembers{"ShortOin", Replaced(kOneMember, "00000099000000001000", "0000"), "m.yaml:2",
                   ""},
        BadMembers{"UnknownKey", kOneMember + "    budget: 1\n", "m.yaml:5", "unknown key"},
        BadMembers{"NoBudget", kOneMember + "    per_day: 0\n", "m.yaml:5", ""},
        BadMembers{"NegativeBudget", kOneMember + "    per_day: -1\n", "m.yaml:5", ""},
        BadMembers{"Twice", kTwoMembers + kOneMember.substr(9), "m.yaml:11", "twice"},
        BadMembers{"NoYaml", "members: [", "m.yaml:1", ""}),
    [](const auto& test) { return test.param.name; });

class MembersFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<MembersFile> Open() {
    std::vector<Error> problems;
    return MembersFile::Open(
        folder_.path() / "members.yaml",
        [this](const MembersFile::Reading& read) { reloads_.push_back(read.problems.size()); },
        &problems);
  }
  const testing::TempDir folder_;
  std::vector<size_t> reloads_;
};

TEST_F(MembersFileTest, TakesAChangeAtTheNextQuestion) {
  testing::WriteFile(folder_ / "members.yaml", kOneMember);
  const auto file = Open();
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->Find(kPolice));
  EXPECT_FALSE(file->Find(kCare));
  testing::WriteFile(folder_ / "members.yaml", kTwoMembers);
  const auto facts = file->Find(kCare);
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->disabled);
  EXPECT_EQ(facts->issuer, std::nullopt);
  EXPECT_EQ(facts->role, v1::ROLE_PARTNER);
  EXPECT_GT(facts->entry_version, 1u);
  std::ofstream(folder_ / "members.yaml") << "{}\n";  // in place
  EXPECT_FALSE(file->Find(kPolice));
  EXPECT_THAT(reloads_, ElementsAre(0u, 0u));
}

TEST_F(MembersFileTest, SaysWhoIsAnAuditor) {
  testing::WriteFile(folder_ / "members.yaml", kOneMember + "    role: auditor\n");
  auto file = Open();
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->Find(kPolice)->role, v1::ROLE_AUDITOR);
  EXPECT_EQ(file->first().members, 1u);
  EXPECT_NE(file->first().digest, Digest());
  testing::WriteFile(folder_ / "members.yaml", kOneMember + "    role: registrar\n");
  EXPECT_EQ(Open(), nullptr) << "a role that gives nothing here is a mistake";
}

TEST_F(MembersFileTest, KeepsTheOldWhileTheNewIsBroken) {
  testing::WriteFile(folder_ / "members.yaml", kTwoMembers);
  const auto file = Open();
  ASSERT_NE(file, nullptr);
  testing::WriteFile(folder_ / "members.yaml", kOneMember + "    typo: 1\n");
  EXPECT_TRUE(file->FindMember(kCare));
  EXPECT_FALSE(file->Current());
  EXPECT_THAT(reloads_, ElementsAre(1u));  // read once, not at each question
  std::filesystem::remove(folder_.path() / "members.yaml");
  EXPECT_TRUE(file->FindMember(kCare));
  EXPECT_FALSE(file->Current());
  testing::WriteFile(folder_ / "members.yaml", kOneMember);
  EXPECT_FALSE(file->FindMember(kCare));
  EXPECT_TRUE(file->Current());
  EXPECT_THAT(reloads_, ElementsAre(1u, 1u, 0u));
}

TEST_F(MembersFileTest, IsNeededAtStart) {
  EXPECT_EQ(Open(), nullptr);
  testing::WriteFile(folder_ / "members.yaml", "members: [");
  EXPECT_EQ(Open(), nullptr);
  EXPECT_TRUE(reloads_.empty());
}

}  // namespace
}  // namespace schakel::custodian
