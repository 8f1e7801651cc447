#include "broker/transport/service_manager.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "tests/support/notify_socket.h"
#include "tests/support/temp_dir.h"

namespace schakel::transport {
namespace {

TEST(ProgressWatch, IsContentWhenNothingWaits) {
  ProgressWatch watch;
  EXPECT_TRUE(watch.GetsOn(0, 0));
  EXPECT_TRUE(watch.GetsOn(0, 0));
}

TEST(ProgressWatch, SeesThatWorkWaitsAndNothingIsFinished) {
  ProgressWatch watch;
  EXPECT_TRUE(watch.GetsOn(7, 3));
  EXPECT_FALSE(watch.GetsOn(7, 3));
  EXPECT_FALSE(watch.GetsOn(7, 4));
  EXPECT_TRUE(watch.GetsOn(8, 4));
  EXPECT_FALSE(watch.GetsOn(8, 4));
  EXPECT_TRUE(watch.GetsOn(8, 0));
}

// A program's life on a thread of its own, between its manager and its work.
class LifeTest : public ::testing::Test {
 protected:
  LifeTest() {
    const sigset_t signals = ServerSignals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    setenv("NOTIFY_SOCKET", manager_.path().c_str(), 1);
    setenv("WATCHDOG_USEC", "200000", 1);
    unsetenv("WATCHDOG_PID");
    life_.look = [this] {
      return Vitals{done_, waiting_, failed_, "log of " + std::to_string(done_) + "\nREADY=0"};
    };
    life_.reload = [this] { ++reloads_; };
    life_.drain = [this] { drained_ = true; };
  }
  ~LifeTest() override {
    if (thread_.joinable()) Stop();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }
  void Start() {
    thread_ = std::thread([this] { Live(life_, log_.get()); });
  }
  void Signal(int number) { pthread_kill(thread_.native_handle(), number); }
  void Stop() {
    Signal(SIGTERM);
    thread_.join();
  }
  testing::TempDir folder_;
  testing::NotifySocket manager_{folder_ / "notify"};
  std::ostringstream out_;
  std::unique_ptr<Logger> log_ = Logger::Make("info", &out_).value();
  ServerLife life_;
  std::atomic<uint64_t> done_{1};
  std::atomic<uint64_t> waiting_{0};
  std::atomic<bool> failed_{false};
  std::atomic<int> reloads_{0};
  std::atomic<bool> drained_{false};
  std::thread thread_;
};

TEST_F(LifeTest, SaysReadyFirstAndPingsWhileWorkGetsOn) {
  Start();
  const auto first = manager_.Next();
  ASSERT_TRUE(first.has_value());
  // A line end in a status would begin another message.
  EXPECT_EQ(*first, "READY=1\nSTATUS=log of 1 READY=0");
  for (int i = 0; i < 3; ++i) {
    const auto ping = manager_.Next();
    ASSERT_TRUE(ping.has_value());
    EXPECT_EQ(ping->find("WATCHDOG=1"), 0u) << *ping;
  }
}

TEST_F(LifeTest, IsSilentWhileWorkWaitsAndNothingIsFinished) {
  waiting_ = 2;
  Start();
  ASSERT_TRUE(manager_.Await("READY=1"));
  ASSERT_TRUE(manager_.Await("WATCHDOG=1"));  // the first look knows no earlier one
  EXPECT_EQ(manager_.Next(std::chrono::milliseconds(1000)), std::nullopt);
  ++done_;
  const auto on = manager_.Next();
  ASSERT_TRUE(on.has_value());
  EXPECT_EQ(*on, "WATCHDOG=1\nSTATUS=log of 2 READY=0");
  Stop();
  EXPECT_NE(out_.str().find("\"no_progress\""), std::string::npos) << out_.str();
}

TEST_F(LifeTest, IsSilentAfterAFailureUntilItIsRestarted) {
  failed_ = true;
  Start();
  ASSERT_TRUE(manager_.Await("READY=1"));
  EXPECT_EQ(manager_.Await("WATCHDOG=1", std::chrono::milliseconds(1000)), std::nullopt);
}

TEST_F(LifeTest, ReloadsOnSighupAndIsReadyAgain) {
  Start();
  ASSERT_TRUE(manager_.Await("READY=1"));
  Signal(SIGHUP);
  const auto reloading = manager_.Await("RELOADING=1");
  ASSERT_TRUE(reloading.has_value());
  EXPECT_NE(reloading->find("MONOTONIC_USEC="), std::string::npos);
  ASSERT_TRUE(manager_.Await("READY=1"));
  EXPECT_EQ(reloads_, 1);
}

TEST_F(LifeTest, SaysThatItStopsAndPingsWhileItDrains) {
  std::atomic<bool> may_end{false};
  life_.drain = [&] {
    while (!may_end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    drained_ = true;
  };
  Start();
  ASSERT_TRUE(manager_.Await("READY=1"));
  Signal(SIGTERM);
  ASSERT_TRUE(manager_.Await("STOPPING=1"));
  EXPECT_TRUE(manager_.Await("WATCHDOG=1"));
  EXPECT_FALSE(drained_);
  may_end = true;
  thread_.join();
  EXPECT_TRUE(drained_);
}

TEST_F(LifeTest, TellsNobodyWhenNobodyListens) {
  unsetenv("NOTIFY_SOCKET");
  Start();
  Stop();
  EXPECT_TRUE(drained_);
  EXPECT_EQ(manager_.Next(std::chrono::milliseconds(0)), std::nullopt);
}

TEST(ServiceManager, PingsOnlyWhenTheManagerWantsIt) {
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(ServiceManager::PingsWithin(), std::nullopt);
  setenv("WATCHDOG_USEC", "60000000", 1);
  EXPECT_EQ(ServiceManager::PingsWithin(), std::chrono::seconds(60));
  setenv("WATCHDOG_PID", "1", 1);  // meant for another process
  EXPECT_EQ(ServiceManager::PingsWithin(), std::nullopt);
  unsetenv("WATCHDOG_PID");
  unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace schakel::transport
