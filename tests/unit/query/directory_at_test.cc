// The directory and the policy as they stood: history of several versions, moments to the
// microsecond, the same for everybody.
#include <optional>

#include "tests/unit/query/state_at_fixture.h"

namespace schakel::query {
namespace {

using namespace std::chrono_literals;
using schakel::testing::Reference;
using schakel::testing::ReferenceChanged;
using schakel::testing::ReferenceWithVersion;
using ::testing::IsEmpty;

uint64_t Us(const google::protobuf::Timestamp& time) { return machine::ToMicros(time); }

class DirectoryAtTest : public StateAtTest {
 protected:
  // How one organisation stood; not set when it was not there.
  std::optional<v1::OrganisationAt> Stood(const OrganisationId& oin, Micros at) {
    auto request = AskAt(v1::STATE_PART_DIRECTORY, at);
    request.set_organisation(oin.str());
    return Only(request);
  }
  std::optional<v1::OrganisationAt> StoodAfter(const OrganisationId& oin, uint64_t index) {
    auto request = AskAfter(v1::STATE_PART_DIRECTORY, index);
    request.set_organisation(oin.str());
    return Only(request);
  }
  std::optional<v1::OrganisationAt> Only(const v1::GetStateAtRequest& request) {
    const auto answer = AtRegion(request);
    EXPECT_LE(answer.organisations_size(), 1);
    if (answer.organisations().empty()) return std::nullopt;
    EXPECT_EQ(answer.organisations(0).organisation().oin(), request.organisation());
    return answer.organisations(0);
  }
  v1::Organisation Renamed(const OrganisationId& oin, const std::string& name) {
    auto entry = f.OrganisationOf(oin);
    entry.set_name(name);
    return entry;
  }
};

TEST_F(DirectoryAtTest, ShowsEachVersionFromItsMomentToTheMicrosecond) {
  const Micros begin = f.now();
  f.Advance(1h);
  const Micros renamed = f.now();
  const uint64_t renamed_index = Admit(Renamed(sample::kCare, "Zorgaanbieder, later"));
  f.Advance(1h);
  const Micros disabled = f.now();
  const uint64_t disabled_index = Disable(sample::kCare);
  f.Advance(1h);
  const Micros back = f.now();
  Admit(Renamed(sample::kCare, "Zorgaanbieder, weer terug"));
  f.Advance(1h);

  const auto first = Stood(sample::kCare, renamed - 1us);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->version(), 1u);
  EXPECT_EQ(first->organisation().name(), "Zorgaanbieder (test)");
  EXPECT_EQ(first->organisation().sector(), "care");
  EXPECT_TRUE(first->organisation().bsn_authority());
  EXPECT_EQ(first->organisation().bsn_authority_article(), "Wabb art. 10 (test)");
  EXPECT_FALSE(first->disabled());
  EXPECT_EQ(Us(first->since()), static_cast<uint64_t>(begin.count()));
  EXPECT_EQ(Us(first->replaced()), static_cast<uint64_t>(renamed.count()));
  EXPECT_EQ(first->replaced_index(), renamed_index);
  EXPECT_EQ(f.Records().at(first->record_index()).facts().about_organisation(),
            sample::kCare.str());

  const auto second = Stood(sample::kCare, renamed);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->version(), 2u);
  EXPECT_EQ(second->organisation().name(), "Zorgaanbieder, later");
  EXPECT_EQ(Us(second->since()), static_cast<uint64_t>(renamed.count()));
  EXPECT_EQ(second->record_index(), renamed_index);
  EXPECT_EQ(Stood(sample::kCare, disabled - 1us)->version(), 2u);

  const auto third = Stood(sample::kCare, disabled);
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->disabled());
  EXPECT_EQ(third->record_index(), disabled_index);
  const auto fourth = Stood(sample::kCare, back);
  ASSERT_TRUE(fourth);
  EXPECT_FALSE(fourth->disabled());
  EXPECT_EQ(fourth->version(), 4u);
  EXPECT_FALSE(fourth->has_replaced());
}

TEST_F(DirectoryAtTest, TellsApartByIndexWhatWasWrittenAtOneMoment) {
  f.Advance(1h);
  const uint64_t first = Admit(Renamed(sample::kCare, "een"));
  const uint64_t second = Admit(Renamed(sample::kCare, "twee"));
  EXPECT_EQ(StoodAfter(sample::kCare, first - 1)->organisation().name(), "Zorgaanbieder (test)");
  EXPECT_EQ(StoodAfter(sample::kCare, first)->organisation().name(), "een");
  EXPECT_EQ(StoodAfter(sample::kCare, first)->replaced_index(), second);
  EXPECT_EQ(StoodAfter(sample::kCare, second)->organisation().name(), "twee");
  EXPECT_EQ(Stood(sample::kCare, f.now())->organisation().name(), "twee");
}

TEST_F(DirectoryAtTest, ShowsAnOrganisationFromItsAdmissionOn) {
  f.Advance(1h);
  auto late = f.OrganisationOf(sample::kCare);
  const auto oin = sample::Oin("00000099000000007001");
  late.set_oin(oin.str());
  late.set_name("Nieuwkomer");
  Admit(late);
  EXPECT_FALSE(Stood(oin, f.now() - 1us));
  EXPECT_EQ(Stood(oin, f.now())->organisation().name(), "Nieuwkomer");
  EXPECT_EQ(AtRegion(AskAt(v1::STATE_PART_DIRECTORY, f.now() - 1us)).organisations_size() + 1,
            AtRegion(AskAt(v1::STATE_PART_DIRECTORY, f.now())).organisations_size());
  // Record 0 knows the registrar alone.
  const auto began = AtRegion(AskAfter(v1::STATE_PART_DIRECTORY, 0));
  ASSERT_EQ(began.organisations_size(), 1);
  EXPECT_EQ(began.organisations(0).organisation().oin(), sample::kRegistrar.str());
  EXPECT_EQ(began.organisations(0).record_index(), 0u);
}

TEST_F(DirectoryAtTest, ShowsTheKeySetOfThenBesideTheEntryOfThen) {
  const auto before = Stood(sample::kCare, f.now());
  ASSERT_TRUE(before);
  EXPECT_EQ(before->key_set_version(), 1u);
  std::vector<std::pair<Micros, Digest>> key_sets;
  for (int i = 0; i < 5; ++i) {
    f.Advance(1h);
    key_sets.emplace_back(f.now(), f.RegisterNextKeySet(sample::kCare));
  }
  for (size_t i = 0; i < key_sets.size(); ++i) {
    const auto& [when, digest] = key_sets[i];
    const auto at = Stood(sample::kCare, when);
    ASSERT_TRUE(at);
    EXPECT_EQ(at->key_set_version(), i + 2);
    EXPECT_EQ(at->key_set_digest(), digest.str());
    EXPECT_EQ(Us(at->key_set_since()), static_cast<uint64_t>(when.count()));
    EXPECT_EQ(f.Records().at(at->key_set_index()).facts().digest(), digest.str());
    EXPECT_EQ(at->version(), 1u) << "the entry itself did not change";
    EXPECT_EQ(Stood(sample::kCare, when - 1us)->key_set_version(), i + 1);
  }
  EXPECT_EQ(Stood(sample::kAuditor, f.now())->key_set_version(), 0u);
}

TEST_F(DirectoryAtTest, GivesFunctionsByTheBundleThatWasActive) {
  f.Advance(1h);
  const std::string line = "neighbourhood-team@dordrecht: \"";
  const auto moved =
      ReferenceChanged("functions.yaml", line + sample::kTeam.str(), line + sample::kAccess.str());
  Activate(moved);
  f.Advance(1h);
  const auto serves = [&](const OrganisationId& oin, Micros at) {
    const auto stood = Stood(oin, at);
    for (const auto& function : stood->functions()) {
      if (function.function() == "neighbourhood-team" && function.area() == "dordrecht") {
        return true;
      }
    }
    return false;
  };
  const Micros switched = f.now() - 1h;
  EXPECT_TRUE(serves(sample::kTeam, switched - 1us));
  EXPECT_FALSE(serves(sample::kAccess, switched - 1us));
  EXPECT_FALSE(serves(sample::kTeam, switched));
  EXPECT_TRUE(serves(sample::kAccess, switched));
}

TEST_F(DirectoryAtTest, ComesInPagesThatAreOneDirectoryWhateverIsChangedBetween) {
  const auto request = AskAt(v1::STATE_PART_DIRECTORY, f.now());
  const auto whole = AtRegion(request);
  EXPECT_GT(whole.organisations_size(), 10);
  // At the very same moment of the clock.
  auto paged = All(sample::kRegionAuditor, request, 3, [&] {
    Admit(Renamed(sample::kVolunteers, "Later " + std::to_string(Newest())));
  });
  ASSERT_EQ(whole.organisations_size(), paged.organisations_size());
  for (int i = 0; i < whole.organisations_size(); ++i) {
    EXPECT_EQ(whole.organisations(i).SerializeAsString(),
              paged.organisations(i).SerializeAsString());
  }
}

TEST_F(DirectoryAtTest, IsTheSameInScopeOwnAsInTheRegion) {
  f.Advance(1h);
  Admit(Renamed(sample::kCare, "Zorgaanbieder, later"));
  const auto request = AskAt(v1::STATE_PART_DIRECTORY, f.now());
  const auto own = All(sample::kAuditor, request);
  const auto region = AtRegion(request);
  EXPECT_EQ(own.scope(), "own");
  EXPECT_EQ(region.scope(), "region");
  ASSERT_EQ(own.organisations_size(), region.organisations_size());
  for (int i = 0; i < own.organisations_size(); ++i) {
    EXPECT_EQ(own.organisations(i).SerializeAsString(),
              region.organisations(i).SerializeAsString());
  }
}

// ---- Policy ----

TEST_F(DirectoryAtTest, SaysWhichBundleWasActiveAlsoWhenItHasBeenReplaced) {
  const Micros begin = f.now();
  f.Advance(1h);
  const auto next = ReferenceWithVersion("2026.2");
  const uint64_t next_index = Activate(next);
  f.Advance(1h);
  const uint64_t again_index = Activate(Reference());  // the first one comes back
  f.Advance(1h);
  const auto active = [&](Micros at) {
    return AtRegion(AskAt(v1::STATE_PART_POLICY, at)).policy();
  };

  const auto first = active(begin);
  EXPECT_EQ(first.digest(), Reference().digest.str());
  EXPECT_EQ(first.name(), Reference().compiled->name());
  EXPECT_EQ(first.record_index(), 0u);
  EXPECT_EQ(first.organisation(), "") << "the log began with it";
  EXPECT_EQ(Us(first.replaced()), static_cast<uint64_t>((begin + 1h).count()));
  EXPECT_EQ(first.replaced_index(), next_index);
  EXPECT_EQ(active(begin + 1h - 1us).record_index(), 0u);

  const auto second = active(begin + 1h);
  EXPECT_EQ(second.digest(), next.digest.str());
  EXPECT_EQ(second.version(), "2026.2");
  EXPECT_EQ(Us(second.since()), static_cast<uint64_t>((begin + 1h).count()));
  EXPECT_EQ(second.record_index(), next_index);
  EXPECT_EQ(second.organisation(), sample::kRegistrar.str());
  EXPECT_EQ(second.actor(), "user-1");
  EXPECT_EQ(second.replaced_index(), again_index);

  const auto third = active(f.now());
  EXPECT_EQ(third.digest(), Reference().digest.str());
  EXPECT_EQ(third.record_index(), again_index);
  EXPECT_FALSE(third.has_replaced());
}

TEST_F(DirectoryAtTest, ShowsScopeOwnTheActiveBundleButNotWhoseHandActivatedIt) {
  f.Advance(1h);
  Activate(ReferenceWithVersion("2026.2"));
  const auto own = All(sample::kAuditor, AskAt(v1::STATE_PART_POLICY, f.now())).policy();
  EXPECT_EQ(own.version(), "2026.2");
  EXPECT_EQ(own.organisation(), sample::kRegistrar.str());
  EXPECT_EQ(own.actor(), "");
}

TEST_F(DirectoryAtTest, StillKnowsTheBundleWhenTheRecordOfItsActivationIsDestroyed) {
  f.Advance(1h);
  const Micros switched = f.now();
  const uint64_t index = Activate(ReferenceWithVersion("2026.2"));
  Activate(Reference());
  f.AdvanceAndSweep(std::chrono::hours(24 * 1827));
  EXPECT_TRUE(f.Records().at(index).SerializeAsString().empty()) << "it is destroyed";
  KeepRegionScope();
  const auto answer = AtRegion(AskAt(v1::STATE_PART_POLICY, switched));
  EXPECT_EQ(answer.scope(), "region");
  const auto& back = answer.policy();
  EXPECT_EQ(back.digest(), Reference().digest.str());
  EXPECT_EQ(back.record_index(), index + 1);
  EXPECT_EQ(back.organisation(), sample::kRegistrar.str());
  EXPECT_EQ(back.actor(), "") << "the person's id went with the record";
  EXPECT_EQ(AtRegion(AskAt(v1::STATE_PART_POLICY, switched - 1us)).policy().record_index(), 0u);
  EXPECT_THAT(answer.organisations(), IsEmpty());
}

}  // namespace
}  // namespace schakel::query
