// Seeded random commands of a small population, applied to the machine in random batches with
// restarts and failed writes between, and compared step by step with the model.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/model.h"
#include "tests/support/machine_fixture.h"

namespace schakel::sim {

// What a run did, so that a reader sees that it tried what it says.
struct WorldStats {
  size_t steps = 0;
  size_t batches = 0;
  size_t restarts = 0;
  size_t failed_writes = 0;
  size_t handed_over = 0;
  size_t withheld = 0;
  size_t refused = 0;
  size_t reminders = 0;
  uint64_t records = 0;
};

class World {
 public:
  explicit World(uint64_t seed);

  // Runs so many commands and the checks of the end. The first difference from the model in words,
  // with its step; empty when there is none.
  std::string Run(size_t steps);
  const WorldStats& stats() const { return stats_; }

 private:
  using Check = std::function<std::string(const machine::Outcome&)>;
  struct Planned {
    machine::Command command;
    Check check;
  };

  // ---- Plans: a command and what the model says of it ----
  Planned Plan();
  Planned PlanPublish();
  Planned PlanDeliver();
  Planned PlanSettle();
  Planned PlanLease();
  Planned PlanStatement(bool objection);
  Planned PlanWithdraw();
  Planned PlanCheckConsent();
  Planned PlanDirectory();
  Planned PlanPolicy();
  Planned PlanTick();
  Planned PlanRemind();
  Planned PlanBroker();
  Planned PlanDenied(const Text& who);
  Planned By(const OrganisationId& who, machine::Request request, Check accepted,
             std::function<Text()> model);
  Planned ByBroker(machine::Request request, std::function<void()> model);

  // ---- Batches ----
  std::string RunBatch(std::vector<Planned> planned);
  std::string Apply(std::vector<Planned>* planned, store::Batch* batch,
                    std::vector<machine::Outcome>* outcomes);
  void Restart();

  // ---- Invariants ----
  std::string CheckRecords();
  std::string CheckQueues();
  std::string CheckFeed();
  std::string CheckContent();
  std::string CheckTree();
  std::string CheckSweeps();  // lets years pass
  std::string Sweep();
  std::string CheckOtherBatches();  // I6
  std::string CheckHandedOver(const machine::Leased& leased,
                              const std::vector<ModelHandOver>& expected, const Text& who);

  uint64_t Below(uint64_t bound) { return random_.Below(bound); }
  bool Chance(uint64_t percent) { return Below(100) < percent; }
  const OrganisationId& Anyone();
  v1::SubjectRef AnySubject();
  std::optional<CaseId> AnyCase();
  DeliveryId AnyDelivery(const OrganisationId& who);
  v1::PartyAxis AnyAxis();

  testing::MachineFixture factory_;  // makes envelopes and statements; its state is the beginning
  testing::SeededBytes random_;
  std::unique_ptr<store::testing::MemoryState> state_;
  std::unique_ptr<machine::Machine> machine_;
  Model model_;
  testing::ReferenceBundle strict_;
  std::vector<CaseId> cases_;
  size_t burst_ = 0;  // denied attempts to come

  struct Sent {
    std::shared_ptr<const machine::ParsedEnvelope> envelope;
    ModelSignal signal;
  };
  std::vector<Sent> sent_;
  std::map<Text, std::pair<Text, Text>> aliases_;  // sender and id of each alias that was told
  std::vector<Text> told_;                         // the aliases, in order
  std::vector<RequestId> reminders_;
  std::vector<machine::Command> applied_;
  uint64_t records_checked_ = 0;
  RecordCounts records_seen_;
  std::map<Text, Bytes> feed_read_;
  std::map<Model::FeedKey, std::vector<int>> feed_seen_;
  WorldStats stats_;
};

}  // namespace schakel::sim
