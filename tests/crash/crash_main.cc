// schakel_crash --runs N --seed S: kill -9 of a real broker at any moment, under load, N times over
// one region. After each start everything that a client was told must hold: what was accepted is
// there under its receipt, what was acknowledged never comes again, nothing waits for ever, and the log
// continues the one that was seen before. Exit code 1 when something did not.
#include <CLI/CLI.hpp>
#include <iostream>
#include <random>
#include <thread>

#include "tests/crash/oracle.h"
#include "tests/e2e/region.h"
#include "tests/e2e/story.h"

namespace schakel::crash {
namespace {

using e2e::Region;

// Sends rent arrears until it is told to stop. A call that failed is sent again from the outbox.
void SendUntil(sdk::Session& sender, const std::atomic<bool>& stop, Oracle& oracle) {
  while (!stop) {
    auto sent = e2e::Send(sender, e2e::Arrears());
    if (sent.ok() && sent->accepted()) oracle.Accepted(sent->entry.answer().accepted());
  }
}

Bytes SignalOf(const v1::Delivery& delivery) {
  v1::Header header;
  header.ParseFromString(delivery.signal().header());
  return header.signal_id();
}

Status Receive(sdk::Session& reader, Oracle& oracle, size_t* received) {
  auto fetched = e2e::FetchAll(reader, 8);
  if (!fetched.ok()) return fetched.error();
  *received = fetched->size();
  SCHAKEL_ASSIGN(auto* inbox, reader.inbox());
  for (const auto& delivery : *fetched) {
    Bytes signal = SignalOf(delivery);
    oracle.Delivered(signal);
    auto acknowledged = inbox->Acknowledge(e2e::IdOf(delivery));
    if (acknowledged.ok()) oracle.Acknowledged(signal);
  }
  return {};
}

void ReceiveUntil(sdk::Session& reader, const std::atomic<bool>& stop, Oracle& oracle) {
  while (!stop) {
    size_t received = 0;
    Status done = Receive(reader, oracle, &received);
    if (!done.ok() || received == 0) std::this_thread::yield();
  }
}

// Leases of killed fetches run for hours: the reader's own fetch ids bring them back, so here every
// signal is asked for by its sender instead.
void CheckSignals(sdk::Session& sender, const Oracle& oracle, std::vector<std::string>* faults) {
  auto client = sender.signals();
  if (!client.ok()) return faults->push_back("no client: " + client.error().message);
  for (const auto& accepted : oracle.accepted()) {
    auto got = (*client)->Get(*SignalId::From(accepted.signal_id()));
    std::string id = UuidText(accepted.signal_id());
    if (!got.ok()) {
      faults->push_back("accepted and lost: " + id + " " + got.error().reason);
      continue;
    }
    auto state = got->signal().outcomes(0).state();
    if (oracle.IsAcknowledged(accepted.signal_id()) &&
        state != v1::RECIPIENT_STATE_ACKNOWLEDGED) {
      faults->push_back("acknowledged and forgotten: " + id + " is " +
                        v1::RecipientState_Name(state));
    }
  }
}

// The log continues what was seen, and receipts open leaves in it.
void CheckLog(sdk::Session& sender, const Oracle& oracle, size_t samples,
              std::vector<std::string>* faults) {
  auto audit = sender.audit();
  if (!audit.ok()) return faults->push_back("no audit client: " + audit.error().message);
  auto look = (*audit)->Checkpoint();
  if (!look.ok()) faults->push_back("checkpoint: " + look.error().message);
  auto all = oracle.accepted();
  for (size_t i = 0; i < all.size(); i += std::max<size_t>(1, all.size() / samples)) {
    auto proven = (*audit)->Prove(all[i].receipts(0));
    if (!proven.ok()) {
      faults->push_back("a receipt does not open its leaf: " + proven.error().message);
    }
  }
}

int Run(int runs, uint64_t seed) {
  std::mt19937_64 random(seed);
  Region region;
  Oracle oracle;
  std::vector<std::string> faults;
  auto sender = region.NewSession("corporation", "crash-sender");
  auto reader = region.NewSession("debt-relief", "crash-reader");
  auto checker = region.NewSession("corporation", "crash-checker");
  for (int run = 0; run < runs && faults.empty(); ++run) {
    std::atomic<bool> stop = false;
    std::thread sending([&] { SendUntil(*sender, stop, oracle); });
    std::thread receiving([&] { ReceiveUntil(*reader, stop, oracle); });
    std::this_thread::sleep_for(std::chrono::microseconds(20'000 + random() % 250'000));
    region.KillBroker();
    region.StartBroker();
    stop = true;
    sending.join();
    receiving.join();
    CheckSignals(*checker, oracle, &faults);
    CheckLog(*checker, oracle, 3, &faults);
    for (const auto& fault : oracle.faults()) faults.push_back(fault);
    if (!faults.empty()) std::cerr << "run " << run << " of seed " << seed << ":\n";
  }
  for (const auto& fault : faults) std::cerr << "  " << fault << '\n';
  std::cout << runs << " kills, seed " << seed << ": " << oracle.accepted().size()
            << " signals accepted, " << oracle.deliveries() << " deliveries, " << faults.size()
            << " faults\n";
  // Nothing that was accepted and never reached a reader: zero of it would prove nothing.
  bool worked = !oracle.accepted().empty() && oracle.deliveries() > 0;
  if (!worked) std::cerr << "no load reached the broker\n";
  return faults.empty() && worked ? 0 : 1;
}

}  // namespace
}  // namespace schakel::crash

int main(int argc, char** argv) {
  int runs = 30;
  uint64_t seed = std::random_device{}();
  CLI::App app("Kills a broker under load, again and again, and checks what it promised");
  app.add_option("--runs", runs, "How many kills")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed, "Of the moments");
  CLI11_PARSE(app, argc, argv);
  return schakel::crash::Run(runs, seed);
}
