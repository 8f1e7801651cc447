// What streams held when a broker ended, given back by the next one.
#include <functional>

#include "broker/base/limits.h"
#include "broker/store/overlay_view.h"
#include "tests/unit/machine/inbox_fixture.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Leftovers : public Inbox {
 protected:
  // Writes what no command does.
  void Write(const std::function<void(store::Batch&)>& write) {
    store::Batch batch;
    const store::OverlayView view(f_.state(), {&batch});
    ASSERT_TRUE(f_.machine().Apply(view, &batch, f_.Make(machine::AcceptTime{})).ok());
    f_.machine().FinishBatch(&batch);
    write(batch);
    ASSERT_TRUE(f_.state().Commit(batch, f_.machine().meta().position()).ok());
  }
};

TEST_F(Leftovers, LeftoversOfPullAreReadyAgainAfterAStartAndThoseOfFetchAreNot) {
  auto pulled = Send();
  PullOne();
  Send();
  f_.Fetch(sample::kDebtRelief, f_.random().Make<RequestId>());
  f_.Reload();
  EXPECT_FALSE(f_.Do(machine::ReleaseLeftovers{}).effects.leftovers_from);
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(pulled));
}

TEST_F(Leftovers, LeftoversAreFoundWhateverTheirLeaseBecame) {
  // The longest lease that there is, taken at once and by an extension.
  auto longest = Send();
  f_.Pull(sample::kDebtRelief, 64, Micros(limits::kLeaseMax));
  auto extended = Send();
  auto delivery = PullOne();
  f_.Advance(10s);
  EXPECT_FALSE(
      f_.DoAs(sample::kDebtRelief, machine::Extend{delivery, Micros(limits::kLeaseMax)}).refused);
  f_.Reload();
  f_.Do(machine::ReleaseLeftovers{});
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(longest, extended));
}

TEST_F(Leftovers, LeftoversAreLookedForInSteps) {
  // Among the timers are those of signals, which may be many.
  auto pulled = Send();
  PullOne();
  Write([&](store::Batch& batch) {
    for (uint64_t i = 0; i < 10'000; ++i) {
      batch.Put(store::Family::kHot,
                machine::keys::Timer(static_cast<uint64_t>(f_.now().count()) + i,
                                     machine::TimerKind::kSignalExpiry, ByteWriter().U64(i).Take()),
                "");
    }
  });
  auto first = f_.Do(machine::ReleaseLeftovers{});
  ASSERT_TRUE(first.effects.leftovers_from);
  EXPECT_THAT(f_.RecordsOf(v1::RECORD_KIND_RELEASE), IsEmpty());
  auto second = f_.Do(machine::ReleaseLeftovers{*first.effects.leftovers_from});
  EXPECT_FALSE(second.effects.leftovers_from);
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(pulled));
}

TEST_F(Leftovers, LeftoversOfAStoreOfFormat2AreGivenBackToo) {
  std::vector<Bytes> sent;
  for (size_t i = 0; i < limits::kSweepItemsMax + 1; ++i) sent.push_back(Send());
  while (!f_.Pull(sample::kDebtRelief, 256).items.empty()) continue;
  // A key for each, and a timer that says nothing.
  Write([&](store::Batch& batch) {
    ASSERT_TRUE(f_.state()
                    .ScanPrefix(store::Family::kHot, machine::keys::TimerPrefix(),
                                [&](BytesView key, BytesView value) {
                                  if (value.empty()) return true;
                                  batch.Put(store::Family::kHot, Bytes(key), "");
                                  batch.Put(
                                      store::Family::kHot,
                                      machine::keys::OldPulledPrefix() + Bytes(key.substr(10)), "");
                                  return true;
                                })
                    .ok());
  });
  EXPECT_EQ(f_.CountKeys(store::Family::kHot, "p"), sent.size());
  int commands = 0;
  for (auto next = std::optional<Bytes>(Bytes()); next; ++commands) {
    next = f_.Do(machine::ReleaseLeftovers{*next}).effects.leftovers_from;
  }
  EXPECT_GT(commands, 1);
  EXPECT_EQ(f_.CountKeys(store::Family::kHot, "p"), 0u);
  EXPECT_EQ(f_.RecordsOf(v1::RECORD_KIND_RELEASE).size(), sent.size());
  std::vector<Bytes> again;
  for (auto leased = f_.Pull(sample::kDebtRelief, 256); !leased.items.empty();
       leased = f_.Pull(sample::kDebtRelief, 256)) {
    for (const auto& id : SignalsOf(leased)) again.push_back(id);
  }
  EXPECT_EQ(again, sent);
}

}  // namespace
}  // namespace schakel::testing
