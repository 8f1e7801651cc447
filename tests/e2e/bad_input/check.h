// Plays tables against a server, and looks whether anything changed.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/bad_input/call.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {

using ConnectionFor = std::function<const sdk::Connection&(const std::string& participant)>;

// Sends every row of the tables; each is refused as it says, in the form that every error has.
void SendRows(const ConnectionFor& connection_for, const std::vector<RpcTable>& tables);
// Sends bytes that are no message, and an empty and a torn one, to each RPC of the tables.
void SendNoMessages(const ConnectionFor& connection_for, const std::vector<RpcTable>& tables);
// The requests that the rows were made of pass, so that the change was what was refused.
void SendValid(const ConnectionFor& connection_for, const std::vector<RpcTable>& tables);
// Every RPC of these services has a table, and every field of its request is named in it.
void CheckComplete(const std::vector<std::string>& services, const std::vector<RpcTable>& tables);

// What can be seen of the broker's state without leaving a record: feeds and signals of every
// partner, the directory, statements, the active bundle.
using StateSeen = std::map<std::string, Bytes>;
StateSeen LookAtBroker(World& world);
// Position of the last command.
uint64_t PositionOf(World& world);

// Those that the rows say are recorded.
Attempts AttemptsOf(World& world, const std::vector<RpcTable>& tables);
// From `tree_size` on the log holds nothing but the records of these attempts, at most
// limits::kDeniedRecordsPerMinute a minute of each kind and a sum at its end, what such a sum still
// holds of those of earlier tables, and the auditor's own queries.
void ExpectOnlyAttempts(World& world, uint64_t tree_size, const Attempts& attempts);
uint64_t TreeSizeOf(World& world);

// Sends the rows of one service of the broker between two looks at its state.
void PlayBrokerTables(World& world, const std::vector<RpcTable>& tables);

}  // namespace schakel::e2e
