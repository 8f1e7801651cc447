#include <gtest/gtest.h>

#include "tests/sim/race.h"
#include "tests/sim/world.h"

namespace schakel::sim {
namespace {

constexpr size_t kWorldSteps = 5'000;

void RunWorlds(size_t steps, uint64_t first_seed) {
  WorldStats all;
  for (size_t done = 0; done < steps; done += kWorldSteps) {
    const uint64_t seed = first_seed + done / kWorldSteps;
    World world(seed);
    ASSERT_EQ(world.Run(kWorldSteps), "") << "seed " << seed;
    all.handed_over += world.stats().handed_over;
    all.withheld += world.stats().withheld;
    all.refused += world.stats().refused;
    all.reports += world.stats().reports;
    all.reminders += world.stats().reminders;
    all.failed_writes += world.stats().failed_writes;
  }
  // A run in which little happened proves little.
  EXPECT_GT(all.handed_over, steps / 20);
  EXPECT_GT(all.withheld, steps / 500);
  EXPECT_GT(all.refused, steps / 100);
  EXPECT_GT(all.reports, steps / 1'000);
  EXPECT_GT(all.reminders, steps / 2'000);
  EXPECT_GT(all.failed_writes, 0u);
}

void RunRaceTest(size_t races, uint64_t seed) {
  const auto result = RunRaces(races, seed);
  ASSERT_EQ(result.wrong, "");
  EXPECT_EQ(result.races, races);
  EXPECT_GT(result.written, races / 10);
  EXPECT_GT(result.cancelled, races / 20);
  EXPECT_GT(result.withheld, races / 10);
}

// The seeds are fixed, so that a failure is one of the code; `schakel_sim --seed` tries others.
TEST(Simulation, AgreesWithTheModel) { RunWorlds(20'000, 1); }
TEST(Withdrawal, IsNeverOvertakenByADelivery) { RunRaceTest(4'000, 1); }

// A sanitizer's build takes ten times as long for a step, and judges the code, not the seeds.
constexpr size_t kShare = SCHAKEL_SANITIZED ? 10 : 1;
TEST(SlowSimulation, AgreesWithTheModel) { RunWorlds(200'000 / kShare, 1'000); }
TEST(SlowWithdrawal, IsNeverOvertakenByADelivery) { RunRaceTest(100'000 / kShare, 1'000); }

}  // namespace
}  // namespace schakel::sim
