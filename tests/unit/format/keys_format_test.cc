// Makes the worked keys of broker/store/FORMAT.md anew, and sees that no key is left out.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "broker/machine/keys.h"
#include "broker/store/family.h"
#include "tests/support/paths.h"

namespace schakel::machine {
namespace {

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string Page() { return ReadText(checkout::SourcePath("broker/store/FORMAT.md")); }

// The page's chapter of a family.
std::string Chapter(store::Family family) {
  const std::string page = Page();
  const size_t begin = page.find("\n## Family `" + std::string(store::FamilyName(family)) + "`\n");
  if (begin == std::string::npos) return "";
  return page.substr(begin, page.find("\n## ", begin + 1) - begin);
}

template <typename Id>
Id Filled(char byte) {
  return *Id::From(Bytes(16, byte));
}

struct Example {
  store::Family family;
  Bytes key;
};

// By name of the function that makes the key.
std::map<std::string, Example> Examples() {
  using store::Family;
  const auto sender = *OrganisationId::From("00000099000000001000");
  const auto recipient = *OrganisationId::From("00000099000000002000");
  const auto signal = *SignalId::From(*UuidParse("01980c5e-7a3f-7d2c-9b60-3c2b8f1e4a11"));
  const auto statement = Filled<StatementId>('\x5e');
  const auto digest = *Digest::From(Bytes(32, '\xab'));
  const Bytes case_id(16, '\xca');
  const Bytes label(16, '\x1a');
  const ItemKey item{4660, 1};
  schakel::v1::SubjectRefPair subject;
  subject.set_epoch(1);
  subject.set_value(Bytes(32, '\xc0'));
  constexpr uint64_t kNewYear2026 = 1'767'225'600'000'000;
  return {
      {"Meta", {Family::kHot, keys::Meta()}},
      {"Signal", {Family::kHot, keys::Signal(sender, signal)}},
      {"Feed", {Family::kHot, keys::Feed(sender, item.position, item.number)}},
      {"Item", {Family::kHot, keys::Item(recipient, item)}},
      {"Ready", {Family::kHot, keys::Ready(recipient, schakel::v1::URGENCY_ACUTE, item)}},
      {"Line", {Family::kHot, keys::Line(recipient, schakel::v1::URGENCY_NORMAL, case_id, item)}},
      {"Head", {Family::kHot, keys::Head(recipient)}},
      {"Delivery", {Family::kHot, keys::Delivery(Filled<DeliveryId>('\xde'))}},
      {"Fetch", {Family::kHot, keys::Fetch(recipient, Filled<RequestId>('\xfe'))}},
      {"Timer",
       {Family::kHot,
        keys::Timer(kNewYear2026, TimerKind::kSignalExpiry, sender.str() + signal.str())}},
      {"SubjectStatement", {Family::kHot, keys::SubjectStatement(subject, statement)}},
      {"RecorderStatement", {Family::kHot, keys::RecorderStatement(sender, statement)}},
      {"QueuedAbout", {Family::kHot, keys::QueuedAbout(subject, recipient, item)}},
      {"Attached", {Family::kHot, keys::Attached(sender, signal, label, recipient)}},
      {"RelianceOfDelivery",
       {Family::kHot, keys::RelianceOfDelivery(statement, item.position, item.number)}},
      {"Noticed", {Family::kHot, keys::Noticed(statement, recipient, signal.view())}},
      {"Stalled", {Family::kHot, keys::Stalled("ZHZ-7F3K", item)}},
      {"Sweeping", {Family::kHot, keys::Sweeping()}},
      {"SignalEnd",
       {Family::kHot, keys::SignalEnd("rent-arrears", kNewYear2026 / 1000, sender, signal)}},
      {"StatementEnd", {Family::kHot, keys::StatementEnd(kNewYear2026, statement)}},
      {"Denied", {Family::kHot, keys::Denied(sender.str(), "NO_RULE")}},
      {"SignalContent", {Family::kContent, keys::SignalContent(sender, signal)}},
      {"Wraps", {Family::kContent, keys::Wraps(recipient, item)}},
      {"Record", {Family::kRecords, keys::Record(299)}},
      {"Tile", {Family::kTiles, keys::Tile(1, 2)}},
      {"Frontier", {Family::kTiles, keys::Frontier()}},
      {"Organisation", {Family::kRegistry, keys::Organisation(sender)}},
      {"OrganisationVersion", {Family::kRegistry, keys::OrganisationVersion(sender, 2)}},
      {"KeySet", {Family::kRegistry, keys::KeySet(digest)}},
      {"KeySetOf", {Family::kRegistry, keys::KeySetOf(sender, 2)}},
      {"Bundle", {Family::kRegistry, keys::Bundle(digest)}},
      {"Activation", {Family::kRegistry, keys::Activation(kNewYear2026, 299)}},
      {"Statement", {Family::kRegistry, keys::Statement(statement)}},
      {"Checkpoint", {Family::kLocal, keys::Checkpoint()}},
      {"SubjectIndex", {Family::kLocal, keys::SubjectIndex(subject, 299)}},
      {"PartyIndex", {Family::kLocal, keys::PartyIndex(sender.str(), 299)}},
      {"SignalIndex", {Family::kLocal, keys::SignalIndex(signal.view(), 299)}},
      {"SweepIndex", {Family::kLocal, keys::SweepIndex("statements", kNewYear2026, 299)}},
      {"Scoured", {Family::kLocal, keys::Scoured()}},
  };
}

TEST(KeysFormat, ShowsEveryKeyInItsFamilysChapter) {
  for (const auto& [name, example] : Examples()) {
    const std::string hex = HexEncode(example.key);
    std::string line = "\n    " + name;
    line.append(line.size() < 25 ? 25 - line.size() : 1, ' ');
    EXPECT_NE(Chapter(example.family).find(line + hex + "\n"), std::string::npos)
        << "broker/store/FORMAT.md, family " << store::FamilyName(example.family)
        << ", should show: " << line.substr(1) << hex;
    EXPECT_NE(Chapter(example.family).find("| `" + name + "` | `" + example.key[0] + "`"),
              std::string::npos)
        << "broker/store/FORMAT.md, family " << store::FamilyName(example.family)
        << ", has no row for " << name << " with the letter " << example.key[0];
  }
}

TEST(KeysFormat, LeavesOutNoKeyThatTheMachineCanMake) {
  std::set<std::string> shown;
  for (const auto& [name, example] : Examples()) shown.insert(name);
  std::set<std::string> made;
  for (const char* file : {"broker/machine/keys.h", "broker/audit/keys.h"}) {
    std::istringstream header(ReadText(checkout::SourcePath(file)));
    for (std::string line; std::getline(header, line);) {
      if (!line.starts_with("Bytes ")) continue;
      const std::string name = line.substr(6, line.find('(') - 6);
      if (!name.ends_with("Prefix")) made.insert(name);
    }
  }
  EXPECT_EQ(made, shown) << "a new key needs a row and an example in broker/store/FORMAT.md";
}

TEST(KeysFormat, UsesALetterForOneKindOnlyWithinAFamily) {
  std::map<std::pair<store::Family, char>, std::string> owner;
  for (const auto& [name, example] : Examples()) {
    const auto [at, fresh] = owner.emplace(std::pair(example.family, example.key[0]), name);
    EXPECT_TRUE(fresh) << name << " and " << at->second << " share a letter";
  }
}

TEST(KeysFormat, PutsAcuteBeforeNormalAndOldBeforeNew) {
  const auto recipient = *OrganisationId::From("00000099000000002000");
  const auto ready = [&](schakel::v1::Urgency urgency, ItemKey item) {
    return keys::Ready(recipient, urgency, item);
  };
  EXPECT_LT(ready(schakel::v1::URGENCY_ACUTE, {9, 9}), ready(schakel::v1::URGENCY_NORMAL, {1, 0}));
  EXPECT_LT(ready(schakel::v1::URGENCY_NORMAL, {255, 0}),
            ready(schakel::v1::URGENCY_NORMAL, {256, 0}));
  EXPECT_LT(keys::Record(255), keys::Record(256));
}

}  // namespace
}  // namespace schakel::machine
