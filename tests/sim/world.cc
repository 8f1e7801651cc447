#include "tests/sim/world.h"

#include <algorithm>

#include "broker/store/overlay_view.h"
#include "tests/sim/convert.h"

namespace schakel::sim {

namespace sample = testing::sample;
using machine::Outcome;

World::World(uint64_t seed)
    : factory_(seed),
      random_(seed * 7919 + 1),
      state_(std::make_unique<store::testing::MemoryState>(factory_.state())),
      model_(factory_.machine().meta().position()),
      strict_(StrictBundle()) {
  for (const auto& member : Members()) {
    model_.AddOrganisation(member.oin.str(), member.sector, member.functions, member.bsn_authority);
  }
  model_.AddOrganisation(sample::kRegistrar.str(), "", {}, false);
  model_.AddOrganisation(sample::kChainDirector.str(), "", {}, false);
  for (int i = 0; i < 3; ++i) cases_.push_back(random_.Make<CaseId>());
  records_checked_ = factory_.machine().TreeHead().size;
  Restart();
}

void World::Restart() {
  auto loaded = machine::Machine::Load(*state_);
  SCHAKEL_CHECK(loaded.ok(), "the machine loads what it wrote");
  machine_ = *std::move(loaded);
  ++stats_.restarts;
}

// ---- Batches ----

std::string World::Apply(std::vector<Planned>* planned, store::Batch* batch,
                         std::vector<Outcome>* outcomes) {
  const store::OverlayView view(*state_, {batch});
  for (size_t i = 0; i < planned->size(); ++i) {
    auto outcome = machine_->Apply(view, batch, (*planned)[i].command);
    if (!outcome.ok()) return "the machine failed: " + outcome.error().message;
    bool again = outcome->effects.timers_left &&
                 (i + 1 == planned->size() ||
                  !std::holds_alternative<machine::Tick>((*planned)[i + 1].command.request));
    if (again) {
      // The same moment, whatever the factory's time is by now.
      Planned tick = PlanTick();
      auto time = (*planned)[i].command.time;
      tick.command.time = time;
      tick.check = [this, time](const Outcome& o) -> std::string {
        model_.Begin(static_cast<uint64_t>(time.count()));
        if (!o.effects.timers_left) model_.Tick();
        return "";
      };
      planned->insert(planned->begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(tick));
    }
    outcomes->push_back(*std::move(outcome));
  }
  machine_->FinishBatch(batch);
  return "";
}

std::string World::RunBatch(std::vector<Planned> planned) {
  store::Batch batch;
  std::vector<Outcome> outcomes;
  std::string wrong = Apply(&planned, &batch, &outcomes);
  if (!wrong.empty()) return wrong;
  ++stats_.batches;
  bool stands = true;
  if (Below(1000) < 4) {
    ++stats_.failed_writes;
    bool kept = Chance(50);
    state_->FailNextCommit(kept);
    bool committed = state_->Commit(batch, outcomes.back().position).ok();
    if (committed) return "a failed write that was none";
    // INVARIANT I1: what was applied is discarded, and the process starts anew from the disk.
    state_ = std::make_unique<store::testing::MemoryState>(*state_);
    Restart();
    stands = kept;
    if (!kept && Chance(50)) return RunBatch(std::move(planned));  // all are tried again
  } else if (!state_->Commit(batch, outcomes.back().position).ok()) {
    return "a commit failed";
  }
  if (!stands) return "";
  for (size_t i = 0; i < planned.size(); ++i) {
    wrong = planned[i].check(outcomes[i]);
    if (!wrong.empty()) {
      return wrong + " (" + NameOf(planned[i].command) + " at position " +
             std::to_string(outcomes[i].position) + ")";
    }
    if (outcomes[i].position != model_.position()) return "positions differ";
    applied_.push_back(std::move(planned[i].command));
  }
  if (Below(1000) < 4) Restart();
  return CheckRecords();
}

std::string World::Run(size_t steps) {
  size_t done = 0;
  while (done < steps) {
    size_t commands = std::min<size_t>(1 + Below(Chance(10) ? 40 : 6), steps - done);
    std::vector<Planned> planned;
    for (size_t i = 0; i < commands; ++i) planned.push_back(Plan());
    std::string wrong = RunBatch(std::move(planned));
    if (wrong.empty() && stats_.batches % 20 == 0) wrong = CheckQueues();
    if (wrong.empty() && stats_.batches % 20 == 10) wrong = CheckFeed();
    done += commands;
    stats_.steps += commands;
    if (!wrong.empty()) return "step " + std::to_string(stats_.steps) + ": " + wrong;
  }
  for (auto check :
       {&World::CheckQueues, &World::CheckFeed, &World::CheckContent, &World::CheckTree,
        &World::CheckSweeps, &World::CheckTree, &World::CheckOtherBatches}) {
    std::string wrong = (this->*check)();
    if (!wrong.empty()) return "after step " + std::to_string(stats_.steps) + ": " + wrong;
  }
  stats_.records = machine_->TreeHead().size;
  return "";
}

}  // namespace schakel::sim
