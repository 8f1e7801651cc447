#include "broker/transport/rate_limiter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/unit/transport/harness.h"

namespace schakel::transport {
namespace {

OrganisationId Org(uint64_t number) { return *OrganisationId::From(testing::TestOin(number)); }

TEST(RateLimiter, LetsABurstOfOneSecondThroughAndThenTheRate) {
  ManualClock clock;
  const auto limiter = RateLimiter::Make({.calls_per_second = 10, .streams = 1}, &clock);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limiter->TakeCall(Org(1)).ok()) << i;
  const Status refused = limiter->TakeCall(Org(1));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "RATE_LIMITED");
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.error().retry_after_ms, 100);
  clock.steady += 100'000;
  EXPECT_TRUE(limiter->TakeCall(Org(1)).ok());
  EXPECT_FALSE(limiter->TakeCall(Org(1)).ok());
  clock.steady += 3'600'000'000;  // an hour of rest gives one second's calls, not an hour's
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limiter->TakeCall(Org(1)).ok()) << i;
  EXPECT_FALSE(limiter->TakeCall(Org(1)).ok());
}

TEST(RateLimiter, CountsEachOrganisationApart) {
  ManualClock clock;
  const auto limiter = RateLimiter::Make({.calls_per_second = 1, .streams = 1}, &clock);
  EXPECT_TRUE(limiter->TakeCall(Org(1)).ok());
  EXPECT_FALSE(limiter->TakeCall(Org(1)).ok());
  EXPECT_TRUE(limiter->TakeCall(Org(2)).ok());
}

TEST(RateLimiter, GivesAStreamsPlaceBackOnce) {
  ManualClock clock;
  const auto limiter = RateLimiter::Make({.calls_per_second = 1, .streams = 2}, &clock);
  Result<RateLimiter::StreamSlot> first = limiter->OpenStream(Org(1));
  {
    const Result<RateLimiter::StreamSlot> second = limiter->OpenStream(Org(1));
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_EQ(limiter->OpenStreams(Org(1)), 2u);
    const Result<RateLimiter::StreamSlot> third = limiter->OpenStream(Org(1));
    ASSERT_FALSE(third.ok());
    EXPECT_EQ(third.error().reason, "RATE_LIMITED");
    EXPECT_GT(third.error().retry_after_ms, 0);
  }
  EXPECT_EQ(limiter->OpenStreams(Org(1)), 1u);
  RateLimiter::StreamSlot moved = std::move(first).value();
  RateLimiter::StreamSlot again = std::move(moved);
  EXPECT_EQ(limiter->OpenStreams(Org(1)), 1u);
  again = RateLimiter::StreamSlot();
  EXPECT_EQ(limiter->OpenStreams(Org(1)), 0u);
}

TEST(RateLimiter, RemembersABoundedNumberOfOrganisations) {
  ManualClock clock;
  const auto limiter = RateLimiter::Make({.calls_per_second = 5, .streams = 1}, &clock);
  const Result<RateLimiter::StreamSlot> open = limiter->OpenStream(Org(0));
  for (uint64_t i = 1; i < limits::kOrganisationsMax; ++i) {
    ASSERT_TRUE(limiter->TakeCall(Org(i)).ok());
  }
  EXPECT_EQ(limiter->size(), limits::kOrganisationsMax);
  EXPECT_FALSE(limiter->TakeCall(Org(999'999)).ok());
  clock.steady += 1'000'000;  // now all but the one with a stream may be forgotten
  EXPECT_TRUE(limiter->TakeCall(Org(999'999)).ok());
  EXPECT_EQ(limiter->size(), 2u);
  EXPECT_EQ(limiter->OpenStreams(Org(0)), 1u);
}

TEST(RateLimiter, HoldsItsRateUnderThreads) {
  ManualClock clock;
  const auto limiter = RateLimiter::Make({.calls_per_second = 1000, .streams = 1}, &clock);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) taken += limiter->TakeCall(Org(1)).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace schakel::transport
