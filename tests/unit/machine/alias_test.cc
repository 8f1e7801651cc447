// Names of signals among people: unlike each other, without a meaning, the same for everybody.
#include "broker/machine/alias.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using machine::AliasCode;
using machine::NormalAlias;
using ::testing::MatchesRegex;

merkle::AliasKey KeyOf(char byte) { return *merkle::AliasKey::From(Bytes(16, byte)); }

TEST(Alias, NamesEachOfAMillionSignalsDifferently) {
  std::vector<bool> seen(size_t{1} << 20);
  const std::string digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  for (uint64_t number = 0; number < seen.size(); ++number) {
    const std::string code = AliasCode(KeyOf('k'), number);
    ASSERT_EQ(code.size(), 4u) << number;
    size_t value = 0;
    for (char c : code) value = value * 32 + digits.find(c);
    ASSERT_LT(value, seen.size()) << code;
    ASSERT_FALSE(seen[value]) << code << " for " << number;
    seen[value] = true;
  }
}

TEST(Alias, GrowsWhenShortNamesAreUsedUp) {
  const uint64_t first = uint64_t{1} << 20;
  const uint64_t second = first + (uint64_t{1} << 30);
  EXPECT_EQ(AliasCode(KeyOf('k'), first - 1).size(), 4u);
  EXPECT_EQ(AliasCode(KeyOf('k'), first).size(), 6u);
  EXPECT_EQ(AliasCode(KeyOf('k'), second - 1).size(), 6u);
  EXPECT_EQ(AliasCode(KeyOf('k'), second).size(), 8u);
  std::set<std::string> codes;
  for (uint64_t i = 0; i < 1000; ++i) codes.insert(AliasCode(KeyOf('k'), first + i));
  EXPECT_EQ(codes.size(), 1000u);
}

TEST(Alias, FollowsFromTheKeyAndTellsNothingWithoutIt) {
  EXPECT_EQ(AliasCode(KeyOf('k'), 7), AliasCode(KeyOf('k'), 7));
  size_t same = 0;
  size_t neighbours = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    same += AliasCode(KeyOf('k'), i) == AliasCode(KeyOf('l'), i);
    neighbours +=
        AliasCode(KeyOf('k'), i).substr(0, 2) == AliasCode(KeyOf('k'), i + 1).substr(0, 2);
  }
  EXPECT_LE(same, 2u);
  EXPECT_LE(neighbours, 10u);  // 1 by chance
}

TEST(Alias, BeginsWithTheRegionsName) {
  EXPECT_EQ(machine::AliasPrefix("zhz.example"), "ZHZ");
  EXPECT_EQ(machine::AliasPrefix("rotterdam-rijnmond.nl"), "ROTT");
  EXPECT_EQ(machine::AliasPrefix("---.nl"), "S");
}

TEST(Alias, IsReadAsPeopleTypeIt) {
  EXPECT_EQ(NormalAlias("zhz-7f3k"), "ZHZ-7F3K");
  EXPECT_EQ(NormalAlias("ZHZ-OIL0"), "ZHZ-0110");
  EXPECT_EQ(NormalAlias("ZHZ-7F3KAB"), "ZHZ-7F3KAB");
  for (const char* wrong : {"", "ZHZ", "ZHZ-", "-7F3K", "ZHZ-7F3", "ZHZ-7F3U", "ZHZ-7F3K7F3K7",
                            "REGION-7F3K", "Z Z-7F3K", "ZHZ-7F3K "}) {
    EXPECT_EQ(NormalAlias(wrong), std::nullopt) << wrong;
  }
}

TEST(Alias, IsTheSameForSenderRecipientAndLog) {
  MachineFixture f;
  const auto accepted = f.Accept(f.Violence(Linked("a")));
  EXPECT_THAT(accepted.alias(), MatchesRegex("ZHZ-[0-9A-HJKMNP-TV-Z]{4}"));
  const auto leased = f.Pull(sample::kCentre);
  ASSERT_EQ(leased.items.size(), 1u);
  EXPECT_EQ(leased.items[0].delivery.signal().alias(), accepted.alias());
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_PUBLISH).back().facts().alias(), accepted.alias());
  EXPECT_NE(f.Accept(f.Violence(Linked("a"))).alias(), accepted.alias());
}

TEST(Alias, StaysWhenTheSameEnvelopeComesAgain) {
  MachineFixture f;
  const auto envelope = f.Parsed(f.Violence(Linked("a")));
  const auto first = std::get<v1::SignalAccepted>(f.Publish(envelope).answer);
  const auto again = std::get<v1::SignalAccepted>(f.Publish(envelope).answer);
  EXPECT_EQ(again.alias(), first.alias());
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
}

TEST(Alias, OutlivesARestart) {
  MachineFixture f;
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    seen.insert(f.Accept(f.Violence(Linked("a"))).alias());
    f.Reload();
  }
  EXPECT_EQ(seen.size(), 20u);
}

}  // namespace
}  // namespace schakel::testing
