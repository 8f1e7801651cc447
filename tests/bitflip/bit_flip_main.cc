// schakel_bit_flips --runs N --seed S: turns one bit of one file of a broker's store, N times, each
// time in a fresh copy of the same store, and starts a broker on it. Each must be detected (the
// broker refuses, a call fails, a reader's or auditor's check fails) or harmless: never another
// payload, never a log that verifies and says something else or less, never a signal that is
// silently gone. Exit code 1 when one was.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "broker/base/check.h"
#include "tests/bitflip/flip.h"
#include "tests/bitflip/witness.h"
#include "tests/e2e/story.h"

namespace schakel::bitflip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRead = 6;
constexpr size_t kWaiting = 12;

void SendArrears(e2e::Region& region, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const auto sent = e2e::Send(region.As("corporation"), e2e::Arrears());
    SCHAKEL_CHECK(sent.ok() && sent->all_queued(), "the signal waits");
  }
}

// A store that has lived: signals read and waiting, tables and blobs from earlier runs, and a log
// of what came since.
void Live(e2e::Region& region) {
  SendArrears(region, kRead);
  SCHAKEL_CHECK(e2e::EmptyInbox(region.As("debt-relief")).ok(), "they are read");
  SendArrears(region, kWaiting / 2);
  SCHAKEL_CHECK(region.StopBroker() == 0, "the broker stops");
  region.StartBroker();
  SendArrears(region, kWaiting - kWaiting / 2);
}

// The store with its head file beside it, as a killed broker left them. Its reserve is left alone,
// and its socket goes.
class Original {
 public:
  explicit Original(e2e::Region& region) : region_(region) {
    CopyStore(region_.data_folder(), data_);
    fs::copy_file(region_.folder() / "head", head_);
  }
  void PutBack() const {
    for (const auto& entry : fs::directory_iterator(region_.data_folder())) {
      if (entry.path().filename() != kReserve) fs::remove_all(entry.path());
    }
    CopyStore(data_, region_.data_folder());
    fs::copy_file(head_, region_.folder() / "head", fs::copy_options::overwrite_existing);
  }

 private:
  static void CopyStore(const fs::path& from, const fs::path& to) {
    fs::create_directories(to);
    for (const auto& entry : fs::directory_iterator(from)) {
      const fs::path name = entry.path().filename();
      if (name == kReserve || entry.is_socket()) continue;
      fs::copy(entry.path(), to / name, fs::copy_options::recursive);
    }
  }

  e2e::Region& region_;
  const fs::path data_ = region_.folder() / "original";
  const fs::path head_ = region_.folder() / "original.head";
};

Seen LookAt(e2e::Region& region, const Before& before, const std::string& name) {
  if (!region.TryStartBroker()) return {Verdict::kDetected, "the broker's start"};
  Seen seen = LookAgain(region, before, name);
  region.KillBroker();
  return seen;
}

int Run(int runs, uint64_t seed) {
  std::mt19937_64 random(seed);
  e2e::Region region;
  Live(region);
  const Before before = LookBefore(region, kWaiting);
  region.KillBroker();
  const Original original(region);
  original.PutBack();
  const Seen untouched = LookAt(region, before, "untouched");
  if (untouched.verdict != Verdict::kHarmless) {
    std::cerr << "without a turned bit already: " << untouched.what << '\n';
    return 1;
  }
  std::map<std::string, std::map<std::string, int>> table;  // by kind of file, by what happened
  int detected = 0;
  int wrong = 0;
  for (int run = 0; run < runs; ++run) {
    original.PutBack();
    const Flip flip = Draw(region.data_folder(), random);
    Apply(region.data_folder(), flip);
    const Seen seen = LookAt(region, before, "run-" + std::to_string(run));
    ++table[flip.kind()][seen.verdict == Verdict::kHarmless ? "harmless" : seen.what];
    detected += seen.verdict == Verdict::kDetected ? 1 : 0;
    if (seen.verdict != Verdict::kWrong) continue;
    ++wrong;
    std::cerr << "run " << run << ", " << flip.file.string() << " byte " << flip.offset << " bit "
              << flip.bit << ": " << seen.what << '\n';
  }
  for (const auto& [kind, outcomes] : table) {
    std::cout << kind << ':';
    for (const auto& [what, count] : outcomes) std::cout << "  " << count << " " << what;
    std::cout << '\n';
  }
  std::cout << runs << " bits, seed " << seed << ": " << detected << " detected, "
            << runs - detected - wrong << " harmless, " << wrong << " wrong\n";
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace schakel::bitflip

int main(int argc, char** argv) {
  int runs = 30;
  uint64_t seed = std::random_device{}();
  CLI::App app("Turns single bits of a store and looks who notices");
  app.add_option("--runs", runs, "How many bits")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed, "Of the places");
  CLI11_PARSE(app, argc, argv);
  return schakel::bitflip::Run(runs, seed);
}
