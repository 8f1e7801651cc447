// What is kept of organisations and key sets never differs from the state.
#include "broker/machine/registry.h"

#include <gtest/gtest.h>

#include "broker/machine/keys.h"
#include "broker/store/testing/memory_state.h"
#include "tests/support/machine_fixture.h"

namespace schakel::machine {
namespace {

using store::Family;

const OrganisationId kTeam = *OrganisationId::From("00000099000000002000");
const Digest kDigest = *Digest::From(std::string(32, '\xab'));

struct Kept {
  store::testing::MemoryState state;
  Registry registry;
  uint64_t position = 0;

  void Write(Bytes key, std::optional<Bytes> value) {
    store::Batch batch;
    registry.Wrote(key);
    if (value) {
      batch.Put(Family::kRegistry, std::move(key), *value);
    } else {
      batch.Delete(Family::kRegistry, std::move(key));
    }
    ASSERT_TRUE(state.Commit(batch, ++position).ok());
  }
  void Admit(uint64_t version) {
    state::v1::OrganisationVersion entry;
    entry.set_version(version);
    Write(keys::Organisation(kTeam), entry.SerializeAsString());
  }
};

TEST(Registry, AnswersWhatTheStateHasAlsoWhenItChanges) {
  Kept kept;
  EXPECT_EQ(kept.registry.FindOrganisation(kept.state, kTeam).value(), nullptr);
  for (uint64_t version : {1u, 2u}) {
    kept.Admit(version);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(kept.registry.FindOrganisation(kept.state, kTeam).value()->version(), version);
    }
  }
  kept.Write(keys::Organisation(kTeam), std::nullopt);
  EXPECT_EQ(kept.registry.FindOrganisation(kept.state, kTeam).value(), nullptr);
}

TEST(Registry, ParsesAKeySetOnce) {
  Kept kept;
  EXPECT_EQ(kept.registry.FindKeySet(kept.state, kDigest).value(), nullptr);
  state::v1::StoredKeySet stored;
  stored.set_oin(kTeam.str());
  kept.Write(keys::KeySet(kDigest), stored.SerializeAsString());
  auto first = kept.registry.FindKeySet(kept.state, kDigest).value();
  EXPECT_EQ(first->oin(), kTeam.str());
  EXPECT_EQ(kept.registry.FindKeySet(kept.state, kDigest).value(), first);
}

TEST(Registry, IsToldWhatACommandWrites) {
  testing::MachineFixture f;
  EXPECT_FALSE(f.Accept(f.Arrears()).receipts().empty());  // from now on it is kept
  DisableOrganisation disable;
  disable.request.set_oin(testing::sample::kDebtRelief.str());
  disable.request.set_reason("left the partnership");
  ASSERT_FALSE(f.DoAs(testing::sample::kRegistrar, std::move(disable)).refused);
  EXPECT_EQ(f.Accept(f.Arrears()).outcomes(0).reason(), "RECIPIENT_UNAVAILABLE");
}

}  // namespace
}  // namespace schakel::machine
