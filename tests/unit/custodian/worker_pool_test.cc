#include "broker/custodian/worker_pool.h"
#include "tests/unit/custodian/sample.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace schakel::custodian {
namespace {

TEST(WorkerPool, DoesWhatItTookBeforeItEnds) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(2, 1000, 1000);
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(pool.Submit(kPolice, [&] { ++done; }).ok());
    }
  }
  EXPECT_EQ(done, 500);
}

TEST(WorkerPool, OneOrganisationLeavesRoomForAnother) {
  std::promise<void> begun, go;
  const auto may_go = go.get_future().share();
  WorkerPool pool(1, 5, 3);
  ASSERT_TRUE(pool.Submit(kPolice,
                          [&] {
                            begun.set_value();
                            may_go.wait();
                          })
                  .ok());
  begun.get_future().wait();  // now nothing waits and the only thread is busy
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.Submit(kPolice, [] {}).ok());
  const Status refused = pool.Submit(kPolice, [] {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "QUEUE_FULL");
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_GT(refused.error().retry_after_ms, 0);
  EXPECT_TRUE(pool.Submit(kCare, [] {}).ok());
  EXPECT_TRUE(pool.Submit(kCare, [] {}).ok());
  EXPECT_FALSE(pool.Submit(kCare, [] {}).ok());  // full as a whole
  go.set_value();
}

TEST(WorkerPool, HasRoomAgainWhenWorkIsDone) {
  WorkerPool pool(1, 1, 1);
  for (int i = 0; i < 100; ++i) {
    std::promise<void> done;
    // The thread takes an item out of the queue before it does it.
    ASSERT_TRUE(pool.Submit(kPolice, [&] { done.set_value(); }).ok());
    done.get_future().wait();
  }
}

}  // namespace
}  // namespace schakel::custodian
