// The population of the simulation, its random signals, and what of them the model is told.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/sim/model.h"
#include "tests/support/machine_fixture.h"

namespace schakel::sim {

struct Member {
  OrganisationId oin;
  std::string sector;
  std::set<std::string> functions;  // each held at dordrecht
  bool bsn_authority = false;
};
// Six of the sample organisations.
const std::vector<Member>& Members();

// A signal of one of three types, mostly one that a rule permits.
testing::EnvelopeSpec RandomSignal(testing::SeededBytes* random, std::optional<CaseId> case_id);

ModelSignal ToModel(const machine::ParsedEnvelope& envelope, const testing::EnvelopeSpec& spec);
ModelStatement ToModel(const v1::Statement& statement);

// The reference bundle with a forbid on rent arrears.
testing::ReferenceBundle StrictBundle();

// Statements that the detail of a delivery's record says it relied on.
std::vector<Text> ReliedOn(const store::StateReader& state, uint64_t index);

// The kind of a command, for messages.
std::string NameOf(const machine::Command& command);

// "what: expected '...', found '...'".
std::string Difference(const char* what, const std::string& expected, const std::string& found);

}  // namespace schakel::sim
