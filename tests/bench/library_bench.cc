#include "tests/bench/library_bench.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "broker/crypto/hash.h"
#include "broker/crypto/oprf.h"
#include "broker/merkle/checkpoint.h"
#include "broker/merkle/export_verifier.h"
#include "clients/cli/bench/histogram.h"
#include "clients/cli/bench/sample_log.h"
#include "clients/sdk/export_verification.h"
#include "policy/engine/compile.h"
#include "policy/engine/decide.h"
#include "policy/engine/pack.h"
#include "tests/support/paths.h"

namespace schakel::bench {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

void Row(std::ostream& out, const std::string& what, const std::string& value,
         const std::string& against) {
  out << "| " << what << " | " << value << " | " << against << " |\n";
}

std::string Number(double value, const char* unit, int digits = 0) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value << ' ' << unit;
  return text.str();
}

// ---- Decision ----

policy::BundleFiles ReferenceBundle() {
  policy::BundleFiles files;
  std::filesystem::path folder = checkout::SourcePath("policy/zuid-holland-zuid");
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    files[std::filesystem::relative(file.path(), folder).generic_string()] = text.str();
  }
  return policy::SelectFiles(files).value();
}

// The same with `count` rules more, each for one of 2,000 senders and one of 2,000 recipients.
policy::BundleFiles WithRules(policy::BundleFiles files, int count) {
  std::ostringstream more;
  for (int i = 0; i < count; ++i) {
    more
        << "  - id: pair-" << i
        << "\n    effect: permit\n    from: {organisations: [\"0000009900001" << std::setw(7)
        << std::setfill('0') << i % 2000 << "\"]}\n    to: {organisations: [\"0000009900002"
        << std::setw(7) << i * 7 % 2000 << "\"]}\n    signal_types: [rent-arrears]\n"
        << "    purposes: [prevent-eviction]\n    categories: [finances]\n    grounds: [wgs-debt]\n"
        << "    why: one of many\n";
  }
  files["rules.yaml"] += more.str();
  return files;
}

void Decision(std::ostream& out, const char* what, const policy::BundleFiles& files,
              const char* target) {
  auto compiled = policy::CompileFiles(files);
  if (!compiled.ok()) {
    Row(out, what, "the bundle does not compile: " + compiled.error().message, target);
    return;
  }
  auto bundle = *std::move(compiled);
  policy::Party housing{
      *OrganisationId::From("00000099000000001000"), "housing", {}, {"dordrecht"}, false};
  policy::Party debt{
      *OrganisationId::From("00000099000000002000"), "social-services", {}, {"dordrecht"}, true};
  auto pair = bundle->Meet(bundle->Intern(housing), bundle->Intern(debt),
                           policy::FunctionAtArea{"debt-relief", "dordrecht"});
  policy::EnvelopeFacts envelope;
  envelope.signal_type = bundle->SignalType("rent-arrears");
  envelope.purpose = bundle->Purpose("prevent-eviction");
  envelope.now = Millis(1'800'000'000'000);
  auto category = bundle->Category("finances");
  auto ground = bundle->Ground("wgs-debt");
  policy::SubjectFacts subject;
  subject.linked = false;
  // Each value is the mean of 1,000 decisions: the clock is too coarse for one.
  Latencies latencies;
  size_t permitted = 0;
  for (int i = 0; i < 2000; ++i) {
    auto began = Clock::now();
    for (int k = 0; k < 1000; ++k) {
      permitted += policy::Decide(*bundle, pair, envelope, category, ground, 0, subject).permitted;
    }
    latencies.Add((Clock::now() - began) / 1000);
  }
  Row(out, what, Number(latencies.Micros(0.5), "us", 3),
      permitted == 2'000'000 ? target : "WRONG DECISION");
}

// ---- Share evaluation ----

void ShareEvaluation(std::ostream& out) {
  auto pair = crypto::DeriveKeyPair(Bytes(crypto::kOprfSeedBytes, 's'), "bench").value();
  std::vector<crypto::Point> blinded;
  for (int i = 0; i < 256; ++i) {
    blinded.push_back(crypto::Blind("input " + std::to_string(i)).value().element);
  }
  double raw = 0;
  double evaluated = 0;
  for (int round = 0; round < 5; ++round) {
    auto began = Clock::now();
    for (const auto& point : blinded) static_cast<void>(point.Multiply(pair.secret_key));
    raw += 256 / Seconds(Clock::now() - began).count() / 5;
    began = Clock::now();
    static_cast<void>(crypto::BlindEvaluate(pair.secret_key, pair.public_key, blinded).ok());
    evaluated += 256 / Seconds(Clock::now() - began).count() / 5;
  }
  Row(out, "share evaluation with proof, batches of 256", Number(evaluated, "/s"),
      Number(evaluated / raw, "of raw multiplications", 2));
}

// ---- Log verification ----

void Verification(std::ostream& out) {
  constexpr uint64_t kRecords = 200'000;
  auto key = crypto::SigningKey::Generate();
  auto verifier = merkle::VerifierKey::Create("zhz.example/schakel/1", key.public_key()).value();
  SampleLog log(1'800'000'000'000'000);
  std::vector<Bytes> records;
  std::vector<merkle::ExportFrame> frames;
  records.reserve(kRecords);
  for (uint64_t i = 0; i < kRecords; ++i) {
    frames.push_back(log.Next());
    records.emplace_back(frames.back().record);
    frames.back().record = records.back();
  }
  auto note = merkle::SignCheckpoint({verifier.name(), log.Head()}, key).value();
  auto began = Clock::now();
  merkle::ExportVerifier verify(verifier, sdk::ReadRecord);
  bool good = true;
  for (const auto& frame : frames) good &= verify.Feed(frame).ok();
  good &= verify.Finish(note).ok();
  double rate = kRecords / Seconds(Clock::now() - began).count();
  began = Clock::now();
  for (const auto& raw : records) static_cast<void>(crypto::Sha256(raw));
  double hashes = kRecords / Seconds(Clock::now() - began).count();
  Row(out, "log verification, one core", Number(rate, "records/s"),
      good ? Number(rate / hashes, "of one SHA-256 a record", 2) : "WRONG RESULT");
}

}  // namespace

void RunLibraryBench(std::ostream& out) {
  out << "| what | measured | beside |\n|---|---|---|\n";
  Decision(out, "decision, reference bundle, median", ReferenceBundle(), "target 1 us");
  Decision(out, "decision, 10,000 rules more, median", WithRules(ReferenceBundle(), 10'000),
           "target 3 us");
  ShareEvaluation(out);
  Verification(out);
}

}  // namespace schakel::bench
