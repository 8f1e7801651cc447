#include "broker/sequencer/clock_guard.h"

#include <gtest/gtest.h>

namespace schakel::sequencer {
namespace {

using namespace std::chrono_literals;

class FakeClock final : public Clock {
 public:
  Micros Wall() const override { return wall; }
  Micros Steady() const override { return steady; }
  Micros wall{std::chrono::hours(24 * 365 * 55)};
  Micros steady{0};
};

TEST(ClockGuard, StartsWithinAMinuteBackAndAWeekAhead) {
  FakeClock clock;
  EXPECT_TRUE(ClockGuard::Start(clock, clock.wall + 60s).ok());
  EXPECT_FALSE(ClockGuard::Start(clock, clock.wall + 61s).ok());
  EXPECT_TRUE(ClockGuard::Start(clock, clock.wall - 7 * 24h).ok());
  auto late = ClockGuard::Start(clock, clock.wall - 7 * 24h - 1s);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().reason, "CLOCK_DOUBTFUL");
}

TEST(ClockGuard, AnEmptyStoreStartsAtAnyTime) {
  FakeClock clock;
  EXPECT_TRUE(ClockGuard::Start(clock, Micros(0)).ok());
}

TEST(ClockGuard, NeverGoesBack) {
  FakeClock clock;
  auto guard = ClockGuard::Start(clock, clock.wall);
  auto first = guard->Now();
  clock.wall -= 30s;
  EXPECT_EQ(*guard->Now(), *first);
}

TEST(ClockGuard, DoubtsForGoodOnceWallAndSteadyClockPart) {
  for (auto jump : {61s, -61s, std::chrono::seconds(10LL * 365 * 24 * 3600)}) {
    FakeClock clock;
    auto guard = ClockGuard::Start(clock, clock.wall);
    clock.wall += jump;
    EXPECT_EQ(guard->Now().error().reason, "CLOCK_DOUBTFUL");
    clock.wall -= jump;
    EXPECT_FALSE(guard->Now().ok()) << "it heals by a restart only";
  }
}

TEST(ClockGuard, GoesAlongWithBothClocks) {
  FakeClock clock;
  auto guard = ClockGuard::Start(clock, clock.wall);
  clock.wall += 5h + 59s;
  clock.steady += 5h;
  EXPECT_EQ(*guard->Now(), clock.wall);
}

}  // namespace
}  // namespace schakel::sequencer
