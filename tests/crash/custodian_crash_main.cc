// schakel_custodian_crash --runs N --seed S: kill -9 of a real custodian at any moment, under load,
// N times over one log. After each start: every evaluation that was answered is in the log, word
// for word; the budget is used by exactly what the log says, so nothing charged was lost and
// nothing is charged without a record; and the log continues the one that was seen before. Exit
// code 1 when something did not hold.
#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "broker/crypto/ristretto.h"
#include "clients/sdk/inbox_client.h"
#include "schakel/v1/custodian.grpc.pb.h"
#include "tests/e2e/region.h"

namespace schakel::crash {
namespace {

using e2e::Region;
using Stub = v1::CustodianService::Stub;

// What was answered: receipts by their index.
class Answered {
 public:
  void Add(const v1::LogReceipt& receipt) {
    const std::lock_guard lock(mutex_);
    const bool fresh = receipts_.emplace(receipt.index(), receipt).second;
    if (!fresh) faults_.push_back("two answers with record " + std::to_string(receipt.index()));
  }
  std::map<uint64_t, v1::LogReceipt> receipts() const {
    const std::lock_guard lock(mutex_);
    return receipts_;
  }
  std::vector<std::string> faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<uint64_t, v1::LogReceipt> receipts_;
  std::vector<std::string> faults_;
};

std::shared_ptr<sdk::Connection> Connect(sdk::Session& session) {
  const auto& context = session.context();
  sdk::ConnectionOptions options;
  options.address = context.custodians(0).address();
  options.ca_file = context.ca_file();
  options.certificate_file = context.certificate_file();
  options.key_file = context.key_file();
  options.actor = context.actor();
  options.actor_role = context.actor_role();
  auto connection = sdk::Connection::Open(options);
  SCHAKEL_CHECK(connection.ok(), "the participant's files are right");
  return *connection;
}

// Each call once: a second attempt would be a second charge.
void EvaluateUntil(sdk::Session& session, const std::atomic<bool>& stop, Answered& answered) {
  const auto connection = Connect(session);
  const auto stub = v1::CustodianService::NewStub(connection->channel());
  v1::EvaluateRequest request;
  request.set_epoch(1);
  for (int i = 0; i < 2; ++i) {
    request.add_blinded_elements(
        crypto::Point::MultiplyGenerator(crypto::SecretScalar::Random()).str());
  }
  while (!stop) {
    grpc::ClientContext context;
    connection->AddMetadata(context);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    v1::EvaluateResponse response;
    if (stub->Evaluate(&context, request, &response).ok()) {
      answered.Add(response.receipt());
    } else {
      std::this_thread::yield();
    }
  }
}

// The own evaluations of the log: record and salt by index, and how many elements they charged.
struct Logged {
  std::map<uint64_t, std::pair<Bytes, Bytes>> records;
  uint64_t charged = 0;
};

Result<Logged> ReadLog(sdk::AuditClient& log) {
  Logged logged;
  v1::QueryRecordsRequest request;
  request.set_page_size(1000);
  request.mutable_filter()->add_kinds(v1::RECORD_KIND_EVALUATION);
  Status parsed;
  SCHAKEL_TRY(log.QueryAll(request, [&](const v1::QueryRecordsResponse& page) {
    for (const auto& each : page.records()) {
      v1::Record record;
      if (!record.ParseFromString(each.record())) parsed = Internal("a record can't be parsed");
      logged.records[each.index()] = {each.record(), each.salt()};
      logged.charged += record.facts().count();
    }
    return true;
  }));
  if (!parsed.ok()) return parsed.error();
  return logged;
}

Status Check(sdk::Session& session, const Answered& answered, std::vector<std::string>* faults) {
  SCHAKEL_ASSIGN(auto* const log, session.custodian_audit(1));
  SCHAKEL_ASSIGN(const auto logged, ReadLog(*log));
  const auto receipts = answered.receipts();
  for (const auto& [index, receipt] : receipts) {
    const auto found = logged.records.find(index);
    if (found == logged.records.end()) {
      faults->push_back("answered and not in the log: record " + std::to_string(index));
    } else if (found->second != std::pair(receipt.record(), receipt.salt())) {
      faults->push_back("the log has another record " + std::to_string(index));
    }
  }
  const auto connection = Connect(session);
  const auto stub = v1::CustodianService::NewStub(connection->channel());
  SCHAKEL_ASSIGN(const auto budget,
                 connection->Call(*stub, &Stub::GetBudget, v1::GetBudgetRequest()));
  const uint64_t used = budget.month_limit() - budget.month_remaining();
  if (used != logged.charged) {
    faults->push_back("the budget is used by " + std::to_string(used) + ", the log says " +
                      std::to_string(logged.charged));
  }
  // The last answer stands in a checkpoint that continues the one that was seen before.
  if (!receipts.empty()) {
    SCHAKEL_ASSIGN([[maybe_unused]] const auto proven, log->Prove(receipts.rbegin()->second));
  }
  return {};
}

int Run(int runs, uint64_t seed) {
  std::mt19937_64 random(seed);
  Region region;
  Answered answered;
  std::vector<std::string> faults;
  const auto session = region.NewSession("police", "custodian-crash");
  for (int run = 0; run < runs && faults.empty(); ++run) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i) {
      callers.emplace_back([&] { EvaluateUntil(*session, stop, answered); });
    }
    std::this_thread::sleep_for(std::chrono::microseconds(20'000 + random() % 250'000));
    region.KillCustodian(1);
    region.StartCustodian(1);
    stop = true;
    for (auto& caller : callers) caller.join();
    const Status checked = Check(*session, answered, &faults);
    if (!checked.ok()) faults.push_back(checked.error().reason + ": " + checked.error().message);
    for (const auto& fault : answered.faults()) faults.push_back(fault);
    if (!faults.empty()) std::cerr << "run " << run << " of seed " << seed << ":\n";
  }
  for (const auto& fault : faults) std::cerr << "  " << fault << '\n';
  const size_t count = answered.receipts().size();
  std::cout << runs << " kills of a custodian, seed " << seed << ": " << count
            << " evaluations answered, " << faults.size() << " faults\n";
  if (count == 0) std::cerr << "no load reached the custodian\n";
  return faults.empty() && count > 0 ? 0 : 1;
}

}  // namespace
}  // namespace schakel::crash

int main(int argc, char** argv) {
  int runs = 30;
  uint64_t seed = std::random_device{}();
  CLI::App app("Kills a custodian under load, again and again, and checks what it promised");
  app.add_option("--runs", runs, "How many kills")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed, "Of the moments");
  CLI11_PARSE(app, argc, argv);
  return schakel::crash::Run(runs, seed);
}
