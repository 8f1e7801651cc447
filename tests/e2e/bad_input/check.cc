#include "tests/e2e/bad_input/check.h"

#include <algorithm>
#include <thread>

#include "broker/base/limits.h"
#include "schakel/v1/policy.grpc.pb.h"
#include "schakel/v1/signal.grpc.pb.h"

namespace schakel::e2e {
namespace {

using std::chrono::steady_clock;

// Publish and PublishStream tell of an envelope within their answer.
Told EndOf(const RpcTable& table, const Answer& answer) {
  if (!answer.status.ok() || answer.messages.empty()) return Read(answer.status);
  v1::PublishStreamAnswer results;
  v1::PublishResponse response;
  v1::PublishStreamResponse streamed;
  if (table.method() == "schakel.v1.SignalService.Publish" &&
      response.ParseFromString(answer.messages[0])) {
    results.mutable_results()->Swap(response.mutable_results());
  } else if (table.method() == "schakel.v1.SignalService.PublishStream" &&
             streamed.ParseFromString(answer.messages.back())) {
    results.Swap(streamed.mutable_answer());
  }
  if (results.results_size() != 1) return Read(answer.status);
  return results.results(0).has_error() ? Read(results.results(0).error()) : Told();
}

const char* NameOf(grpc::StatusCode code) {
  constexpr const char* kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT", "DEADLINE",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "EXHAUSTED",        "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",         "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames[std::clamp(static_cast<int>(code), 0, 16)];
}

std::string Line(grpc::StatusCode code, const std::string& reason, const std::string& field,
                 bool retry) {
  return std::string(NameOf(code)) + " " + reason + " at '" + field + "'" +
         (retry ? " with a time to retry" : "");
}

void SendRow(const sdk::Connection& connection, const RpcTable& table, const Row& row) {
  const Told told = EndOf(table, CallRaw(connection, table.method(), row.messages));
  const std::string name = table.method() + ": " + row.path + ", " + row.what;
  EXPECT_EQ(Line(told.code, told.reason, told.field, told.retry),
            Line(row.refusal.code, row.refusal.reason, *row.refusal.field, row.refusal.retry))
      << name;
  if (told.code != grpc::StatusCode::OK) {
    EXPECT_EQ(told.flaw, "") << name;
  }
}

template <typename Response, typename Stub, typename Request>
Response Get(const sdk::Connection& connection, Stub& stub,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             const Request& request) {
  return Must(connection.Call(stub, method, request));
}

void LookAtPartner(World& world, const std::string& name, StateSeen* seen) {
  const auto& connection = world.ConnectionOf(name);
  const auto signals = v1::SignalService::NewStub(connection.channel());
  v1::ListSignalsRequest list;
  list.set_page_size(1000);
  auto sent = Get(connection, *signals, &v1::SignalService::Stub::ListSignals, list);
  sent.clear_position();
  (*seen)["signals of " + name] = sent.SerializeAsString();
  v1::ReadOutcomesRequest feed;
  feed.set_page_size(1000);
  auto outcomes = Get(connection, *signals, &v1::SignalService::Stub::ReadOutcomes, feed);
  outcomes.clear_position();
  (*seen)["feed of " + name] = outcomes.SerializeAsString();
  const auto consent = v1::ConsentService::NewStub(connection.channel());
  v1::ListStatementsRequest statements;
  statements.set_request_id(world.Random(16));
  statements.set_page_size(1000);
  auto recorded = Get(connection, *consent, &v1::ConsentService::Stub::ListStatements, statements);
  recorded.clear_position();
  (*seen)["statements of " + name] = recorded.SerializeAsString();
}

std::vector<v1::Record> RecordsFrom(World& world, uint64_t tree_size) {
  std::vector<v1::Record> records = Must(QueryAs(world.As("region-auditor"), {}));
  std::erase_if(records, [&](const auto& record) { return record.index() < tree_size; });
  return records;
}

}  // namespace

void SendRows(const ConnectionFor& connection_for, const std::vector<RpcTable>& tables) {
  for (const RpcTable& table : tables) {
    const auto& connection = connection_for(table.as());
    for (const Row& row : table.rows()) SendRow(connection, table, row);
  }
}

void SendNoMessages(const ConnectionFor& connection_for, const std::vector<RpcTable>& tables) {
  for (const RpcTable& table : tables) {
    Bytes torn = table.valid()[0].back() + "\x0A\x7F";  // a field of 127 bytes, and nothing more
    for (const Bytes& message : {Bytes("\xFF\xFF\xFF\xFF"), torn, Bytes(1000, '\0')}) {
      const Told told =
          EndOf(table, CallRaw(connection_for(table.as()), table.method(), {message}));
      EXPECT_EQ(Line(told.code, told.reason, told.field, told.retry),
                Line(grpc::StatusCode::INVALID_ARGUMENT, "FIELD_INVALID", "", false))
          << table.method() << " with what is no message";
      EXPECT_EQ(told.flaw, "") << table.method();
    }
  }
}

void SendValid(const ConnectionFor& connection_for, const std::vector<RpcTable>& tables) {
  for (const RpcTable& table : tables) {
    for (const auto& messages : table.valid()) {
      if (table.endless()) {
        const auto answer = CallRaw(connection_for(table.as()), table.method(), messages,
                                    std::chrono::milliseconds(300));
        EXPECT_FALSE(answer.messages.empty()) << table.method();
        continue;
      }
      const Told told = EndOf(table, CallRaw(connection_for(table.as()), table.method(), messages));
      const auto& nothing = table.of_nothing();
      const std::string expected =
          nothing ? Line(nothing->code, nothing->reason, *nothing->field, false) : "OK  at ''";
      EXPECT_EQ(Line(told.code, told.reason, told.field, false), expected)
          << table.method() << ", the valid request";
    }
  }
}

void CheckComplete(const std::vector<std::string>& services, const std::vector<RpcTable>& tables) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const std::string& name : services) {
    const auto* service = pool->FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    for (int m = 0; m < service->method_count(); ++m) {
      const auto* method = service->method(m);
      const auto table = std::find_if(tables.begin(), tables.end(), [&](const auto& t) {
        return t.method() == method->full_name();
      });
      if (table == tables.end()) {
        ADD_FAILURE() << method->full_name() << " has no rows";
        continue;
      }
      EXPECT_EQ(table->request(), method->input_type()) << method->full_name();
      EXPECT_TRUE(!table->rows().empty() || !table->free_fields().empty() ||
                  method->input_type()->field_count() == 0)
          << method->full_name() << " has no rows";
      EXPECT_THAT(FieldsLeftOut(*table), ::testing::IsEmpty()) << method->full_name();
    }
  }
}

StateSeen LookAtBroker(World& world) {
  StateSeen seen;
  for (const auto& participant : Participants()) {
    if (participant.role == v1::ROLE_PARTNER) LookAtPartner(world, participant.name, &seen);
  }
  const auto& connection = world.ConnectionOf("registrar");
  const auto directory = v1::DirectoryService::NewStub(connection.channel());
  v1::ListOrganisationsRequest list;
  list.set_page_size(1000);
  auto entries = Get(connection, *directory, &v1::DirectoryService::Stub::ListOrganisations, list);
  entries.clear_position();
  seen["directory"] = entries.SerializeAsString();
  const auto policy = v1::PolicyService::NewStub(connection.channel());
  seen["active bundle"] =
      Get(connection, *policy, &v1::PolicyService::Stub::GetPolicy, v1::GetPolicyRequest())
          .SerializeAsString();
  return seen;
}

uint64_t PositionOf(World& world) {
  const auto& connection = world.ConnectionOf("corporation");
  const auto stub = v1::SignalService::NewStub(connection.channel());
  return Get(connection, *stub, &v1::SignalService::Stub::ListSignals, v1::ListSignalsRequest())
      .position();
}

uint64_t TreeSizeOf(World& world) {
  return Must(QueryAs(world.As("region-auditor"), {})).back().index() + 1;
}

Attempts AttemptsOf(World& world, const std::vector<RpcTable>& tables) {
  Attempts attempts;
  for (const RpcTable& table : tables) {
    for (const Row& row : table.rows()) {
      if (!row.refusal.recorded) continue;
      ++attempts[{world.region().OinOf(table.as()).str(), row.refusal.reason}];
    }
  }
  return attempts;
}

void ExpectOnlyAttempts(World& world, uint64_t tree_size, const Attempts& attempts) {
  const auto short_of = [&](const Attempts& found) {
    return std::any_of(attempts.begin(), attempts.end(), [&](const auto& expected) {
      const auto at = found.find(expected.first);
      const uint64_t count = at == found.end() ? 0 : at->second;
      return count < std::min<uint64_t>(expected.second, limits::kDeniedRecordsPerMinute);
    });
  };
  const auto limit = steady_clock::now() + std::chrono::seconds(5);
  Attempts found;
  do {
    found.clear();
    for (const auto& record : RecordsFrom(world, tree_size)) {
      if (record.kind() == v1::RECORD_KIND_QUERY) continue;
      EXPECT_EQ(record.kind(), v1::RECORD_KIND_DENIED_ATTEMPT) << record.index();
      EXPECT_EQ(record.outcome(), v1::OUTCOME_DENIED);
      found[{record.organisation(), record.reason()}] += record.facts().count();
    }
    // Some are written behind the answer.
  } while (short_of(found) && steady_clock::now() < limit);
  EXPECT_FALSE(short_of(found)) << "an attempt that should be recorded is not";
  // At the end of a minute the rest of what was sent in it is recorded, also of earlier tables.
  for (const auto& [who, count] : attempts) world.attempts()[who] += count;
  for (const auto& [who, count] : found) {
    const auto at = world.attempts().find(who);
    EXPECT_LE(count, at == world.attempts().end() ? 0 : at->second)
        << "recorded, of " << who.first << ": " << who.second;
  }
}

void PlayBrokerTables(World& world, const std::vector<RpcTable>& tables) {
  const auto connection_for = [&world](const std::string& name) -> const sdk::Connection& {
    return world.ConnectionOf(name);
  };
  const auto attempts = AttemptsOf(world, tables);
  const uint64_t tree_size = TreeSizeOf(world);
  const StateSeen before = LookAtBroker(world);
  const uint64_t position = PositionOf(world);
  const auto began = steady_clock::now();
  SendRows(connection_for, tables);
  SendNoMessages(connection_for, tables);
  uint64_t recorded = 0;
  for (const auto& [who, count] : attempts) recorded += count;
  uint64_t sent = 0;
  for (const auto& table : tables) sent += table.rows().size();
  // A row takes at most one command; beside them only ticks, at the end of each minute, for counts
  // of attempts that ended.
  const auto minutes =
      std::chrono::floor<std::chrono::minutes>(steady_clock::now() - began).count();
  const uint64_t moved = PositionOf(world) - position;
  EXPECT_LE(moved, sent + 5 * (static_cast<uint64_t>(minutes) + 1));
  EXPECT_GE(moved + 1, recorded);
  const StateSeen after = LookAtBroker(world);
  for (const auto& [what, bytes] : before) EXPECT_EQ(after.at(what), bytes) << what;
  EXPECT_EQ(after.size(), before.size());
  ExpectOnlyAttempts(world, tree_size, attempts);
  SendValid(connection_for, tables);
}

}  // namespace schakel::e2e
