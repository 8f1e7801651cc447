#include "clients/sdk/opener.h"

#include <algorithm>

#include "clients/sdk/opener_internal.h"
#include "clients/sdk/pseudonym_client.h"
#include "tests/unit/sdk/fixture.h"

namespace schakel::sdk {
namespace {

class Opening : public ::testing::Test {
 protected:
  Opening() {
    region_.Admit(kPolice, "police", {"zuid-holland-zuid"}, true);
    region_.Admit(kCentre, "safety-house", {"zuid-holland-zuid"}, true);
    region_.Admit(kTeam, "municipality", {"dordrecht"}, true);
  }

  Opener OpenerOf(const OrganisationId& reader, ComputePseudonym compute = {}) {
    const bool authority = static_cast<bool>(compute);
    return Opener({reader, "zhz.example", authority}, region_.KeysOf(reader), region_.directory,
                  region_.bundles, seen_, std::move(compute));
  }
  ComposedSignal Compose(const SignalDraft& draft) {
    auto composer = region_.NewComposer(kPolice);
    auto signal = composer.Compose(draft, region_.Current(kPolice), region_.now);
    EXPECT_TRUE(signal.ok()) << signal.error().field << ": " << signal.error().message;
    return std::move(signal).value();
  }
  // Expects that it does not open, stops at this step, and says the one outward error.
  void ExpectStops(Opener& opener, const v1::DeliveredSignal& delivered, int step,
                   Millis at = Millis(0)) {
    OpenDiagnosis diagnosis;
    const auto opened = opener.Open(delivered, at.count() == 0 ? region_.now : at, &diagnosis);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().reason, "OPEN_FAILED");
    EXPECT_EQ(diagnosis.step, step) << diagnosis.why;
  }

  Region region_;
  SeenSignals seen_{region_.path() / "seen"};
};

std::vector<std::string> CategoriesOf(const OpenedSignal& signal) {
  std::vector<std::string> categories;
  for (const auto& section : signal.sections) categories.push_back(section.meta.category());
  std::sort(categories.begin(), categories.end());
  return categories;
}

std::string ContentOf(const OpenedSignal& signal, const std::string& category) {
  for (const auto& section : signal.sections) {
    if (section.meta.category() == category) {
      return std::string(section.content.content.ExposeSecret());
    }
  }
  return "";
}

TEST_F(Opening, GivesEachRecipientItsOwnSectionsAndNothingOfTheOthers) {
  const auto signal = Compose(ViolenceReport());
  const auto to_centre = DeliverTo(kCentre, signal.envelope);
  const auto to_team = DeliverTo(kTeam, signal.envelope);

  auto centre = OpenerOf(kCentre);
  const auto all = centre.Open(to_centre, region_.now);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(CategoriesOf(*all),
            (std::vector<std::string>{"identity", "identity", "safety", "social"}));
  EXPECT_EQ(all->sender, kPolice);
  EXPECT_EQ(all->id, signal.id);
  EXPECT_EQ(all->envelope_digest, signal.envelope_digest);
  EXPECT_FALSE(all->redelivery);

  // The team reads about subject 1 only, so it gets the identity of that one only.
  SeenSignals team_seen(region_.path() / "seen-team");
  Opener team({kTeam, "zhz.example", false}, region_.KeysOf(kTeam), region_.directory,
              region_.bundles, team_seen, {});
  const auto some = team.Open(to_team, region_.now);
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_EQ(CategoriesOf(*some), (std::vector<std::string>{"identity", "social"}));
  EXPECT_NE(ContentOf(*some, "identity").find("\"Een\""), std::string::npos);
  EXPECT_EQ(ContentOf(*some, "social"), R"({"household_size":4})");
  const std::string bytes = to_team.SerializeAsString();
  EXPECT_EQ(bytes.find("safety"), std::string::npos);
  EXPECT_EQ(bytes.find(kCentre.str()), std::string::npos);
  EXPECT_EQ(to_team.values_size() % 16, 0);
}

TEST_F(Opening, RefusesEverySingleBitThatFlips) {
  region_.Admit(kLandlord, "housing", {"dordrecht"}, false);
  region_.Admit(kDebtRelief, "social-services", {"drechtsteden"}, true);
  auto composer = region_.NewComposer(kLandlord);
  // One section, so that none can be left out: that a broker withholds one is not to be seen.
  auto draft = Arrears();
  draft.sections.pop_back();
  const auto signal = composer.Compose(draft, region_.Current(kLandlord), region_.now);
  ASSERT_TRUE(signal.ok()) << signal.error().message;
  const Bytes right = DeliverTo(kDebtRelief, signal->envelope).SerializeAsString();
  auto opener = OpenerOf(kDebtRelief);
  size_t parsed = 0;
  // Of the ciphertext, which is most of it, every bit would take minutes: every third stands for
  // it.
  for (size_t bit = 0; bit < right.size() * 8; bit += (bit % 16 == 0 ? 1 : 3)) {
    Bytes wrong = right;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
    v1::DeliveredSignal delivered;
    if (!delivered.ParseFromString(wrong)) continue;
    ++parsed;
    const auto opened = opener.Open(delivered, region_.now);
    ASSERT_FALSE(opened.ok()) << "bit " << bit << " of byte " << bit / 8 << " near "
                              << HexEncode(right.substr(bit / 8 - 8, 16));
    ASSERT_EQ(opened.error().reason, "OPEN_FAILED") << "bit " << bit;
  }
  EXPECT_GT(parsed, 3000u);
  v1::DeliveredSignal delivered;
  ASSERT_TRUE(delivered.ParseFromString(right));
  const auto opened = opener.Open(delivered, region_.now);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(opened->redelivery) << "a refused delivery must not be remembered";
}

TEST_F(Opening, MarksTheSameSignalAsRedelivery) {
  const auto delivered = DeliverTo(kCentre, Compose(ViolenceReport()).envelope);
  auto opener = OpenerOf(kCentre);
  ASSERT_FALSE(opener.Open(delivered, region_.now)->redelivery);
  const auto again = opener.Open(delivered, region_.now);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->redelivery);
}

TEST_F(Opening, RefusesAKnownIdWithOtherContent) {
  const auto signal = Compose(ViolenceReport());
  auto opener = OpenerOf(kCentre);
  ASSERT_TRUE(seen_.Remember(kPolice, signal.id, Digest{}, signal.expires).ok());
  ExpectStops(opener, DeliverTo(kCentre, signal.envelope), 2);
}

TEST_F(Opening, RefusesAnotherRegionAndWhatHadExpired) {
  const auto signal = Compose(ViolenceReport());
  const auto delivered = DeliverTo(kCentre, signal.envelope);
  Opener elsewhere({kCentre, "elsewhere.example", false}, region_.KeysOf(kCentre),
                   region_.directory, region_.bundles, seen_, {});
  ExpectStops(elsewhere, delivered, 2);
  auto opener = OpenerOf(kCentre);
  ExpectStops(opener, delivered, 2, signal.expires);
  EXPECT_TRUE(opener.Open(delivered, signal.expires - Millis(1)).ok());
}

TEST_F(Opening, RefusesASenderKeySetThatWasNotValidWhenItWasMade) {
  const auto signal = Compose(ViolenceReport());
  for (auto& key_set : region_.directory.key_sets) {
    if (key_set.key_set.oin == kPolice) key_set.key_set.not_before = signal.created + Millis(1);
  }
  auto opener = OpenerOf(kCentre);
  ExpectStops(opener, DeliverTo(kCentre, signal.envelope), 3);
}

TEST_F(Opening, OpensWithAnOlderKeySetAfterARotation) {
  const auto delivered = DeliverTo(kCentre, Compose(ViolenceReport()).envelope);
  region_.now += Millis(1000);
  const auto next = region_.Rotate(kCentre);
  EXPECT_EQ(next.key_set.version, 2u);
  auto opener = OpenerOf(kCentre);
  EXPECT_TRUE(opener.Open(delivered, region_.now).ok());
}

TEST_F(Opening, PassesOnWhatAWaitCanMendAndOpensLater) {
  const auto delivered = DeliverTo(kCentre, Compose(ViolenceReport()).envelope);
  auto opener = OpenerOf(kCentre);
  region_.directory.down = MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "down");
  EXPECT_EQ(opener.Open(delivered, region_.now).error().reason, "NOT_SERVING");
  region_.directory.down.reset();
  region_.bundles.down = MakeError(ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED", "slow");
  EXPECT_EQ(opener.Open(delivered, region_.now).error().reason, "DEADLINE_EXCEEDED");
  region_.bundles.down.reset();
  const auto opened = opener.Open(delivered, region_.now);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(opened->redelivery);
}

TEST_F(Opening, RefusesShapesThatNoSenderMakes) {
  const auto right = DeliverTo(kCentre, Compose(ViolenceReport()).envelope);
  auto opener = OpenerOf(kCentre);
  auto two_wraps = right;
  *two_wraps.mutable_sections(0)->add_wraps() = right.sections(0).wraps(0);
  ExpectStops(opener, two_wraps, 1);
  auto swapped = right;
  swapped.mutable_sections()->SwapElements(0, 1);
  ExpectStops(opener, swapped, 1);
  auto others_wrap = right;
  others_wrap.mutable_sections(0)->mutable_wraps(0)->set_recipient(kTeam.str());
  ExpectStops(opener, others_wrap, 1);
  auto no_sections = right;
  no_sections.clear_sections();
  ExpectStops(opener, no_sections, 1);
  auto unknown = right;
  unknown.GetReflection()->MutableUnknownFields(&unknown)->AddVarint(99, 1);
  ExpectStops(opener, unknown, 1);
  auto odd_values = right;
  odd_values.mutable_values()->RemoveLast();
  ExpectStops(opener, odd_values, 4);
  auto other_signature = right;
  other_signature.mutable_proof()->set_signature(Bytes(64, 'x'));
  ExpectStops(opener, other_signature, 4);
  auto other_bundle = right;
  other_bundle.set_bundle_digest(Bytes(32, 'x'));
  ExpectStops(opener, other_bundle, 9);
}

TEST_F(Opening, RefusesASectionThatWasTakenFromAnotherSignalOfTheSameSender) {
  const auto one = DeliverTo(kCentre, Compose(ViolenceReport()).envelope);
  auto mixed = DeliverTo(kCentre, Compose(ViolenceReport()).envelope);
  mixed.clear_sections();
  *mixed.add_sections() = one.sections(0);
  auto opener = OpenerOf(kCentre);
  ExpectStops(opener, mixed, 4);
}

// A police report with the subject's BSN in it. 999990019 is one of the published test numbers.
SignalDraft WithBsn(const std::string& bsn) {
  SignalDraft draft = ViolenceReport();
  draft.recipients.pop_back();
  draft.sections.push_back(SectionOf("identity-bsn", R"({"bsn":")" + bsn + R"("})", {1}));
  return draft;
}

TEST_F(Opening, RecomputesThePseudonymOfAnIdentityBsnSection) {
  const auto delivered = DeliverTo(kCentre, Compose(WithBsn("999990019")).envelope);
  std::string asked;
  auto right = OpenerOf(kCentre, [&](std::string_view bsn) -> Result<v1::SubjectRef> {
    asked = std::string(bsn);
    return Linked("one");
  });
  ASSERT_TRUE(right.Open(delivered, region_.now).ok());
  EXPECT_EQ(asked, "999990019");

  auto wrong = OpenerOf(
      kCentre, [](std::string_view) -> Result<v1::SubjectRef> { return Linked("somebody else"); });
  OpenDiagnosis diagnosis;
  const auto refused = wrong.Open(delivered, region_.now, &diagnosis);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "SUBJECT_MISMATCH");
  EXPECT_EQ(diagnosis.step, 10);

  auto not_reached = OpenerOf(kCentre, [](std::string_view) -> Result<v1::SubjectRef> {
    return MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "custodian down");
  });
  EXPECT_EQ(not_reached.Open(delivered, region_.now).error().reason, "NOT_SERVING");

  // A reader without BSN authority can't recompute, and is not asked to.
  auto without = OpenerOf(kCentre);
  EXPECT_TRUE(without.Open(delivered, region_.now).ok());
}

TEST(BsnOf, FindsTheOnePlainNumber) {
  EXPECT_EQ(BsnOf(R"({"bsn":"999990019"})"), "999990019");
  EXPECT_EQ(BsnOf("{ \"bsn\" :\n \"99999001\" }"), "99999001");
}

TEST(BsnOf, RefusesWhatTwoReadersCouldReadDifferently) {
  for (const char* json :
       {R"({"bsn":"999990019","bsn":"999990020"})", R"({"bsn":"99999\u0030019"})",
        R"({"b\u0073n":"999990019"})", R"({"bsn":999990019})", R"({"bsn":"9999900190"})",
        R"({"bsn":"1234567"})", R"({"bsn":"99999001a"})", R"({"bsn")", R"({"bsn":")", "{}", ""}) {
    EXPECT_EQ(BsnOf(json), std::nullopt) << json;
  }
}

TEST(SeenSignals, ForgetsOnlyWhatEndedADayAgo) {
  crypto::TempFolder folder;
  SeenSignals seen(folder.path() / "seen");
  const auto id = [](char c) { return *SignalId::From(Bytes(16, c)); };
  const Digest digest = *Digest::From(Bytes(32, 'd'));
  ASSERT_TRUE(seen.Remember(kPolice, id('a'), digest, Millis(1000)).ok());
  ASSERT_TRUE(seen.Remember(kPolice, id('b'), digest, Millis(2000)).ok());
  const Millis day(std::chrono::hours(24));
  ASSERT_TRUE(seen.Compact(Millis(1000) + day).ok());
  SeenSignals other(folder.path() / "seen");
  EXPECT_EQ(*other.Find(kPolice, id('a')), std::nullopt);
  EXPECT_EQ(*other.Find(kPolice, id('b')), digest);
  EXPECT_EQ(*other.Find(kTeam, id('b')), std::nullopt);
  // What one object adds the other finds.
  ASSERT_TRUE(seen.Remember(kTeam, id('c'), digest, Millis(9000) + day).ok());
  EXPECT_EQ(*other.Find(kTeam, id('c')), digest);
}

TEST(SeenSignals, CutsOffATornTail) {
  crypto::TempFolder folder;
  const auto file = folder.path() / "seen";
  const SignalId id = *SignalId::From(Bytes(16, 'a'));
  const Digest digest = *Digest::From(Bytes(32, 'd'));
  ASSERT_TRUE(SeenSignals(file).Remember(kPolice, id, digest, Millis(1000)).ok());
  const std::string whole = crypto::ReadText(file);
  ASSERT_EQ(whole.size(), 80u);
  for (size_t torn = 1; torn < 80; ++torn) {
    crypto::WriteText(file, whole + whole.substr(0, torn));
    SeenSignals seen(file);
    EXPECT_EQ(*seen.Find(kPolice, id), digest);
    EXPECT_EQ(std::filesystem::file_size(file), 80u);
  }
}

}  // namespace
}  // namespace schakel::sdk
