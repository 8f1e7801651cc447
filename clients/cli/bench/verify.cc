// schakel bench verify: how fast an exported log is proved, on one core.
#include <fstream>
#include <memory>

#include "broker/crypto/random.h"
#include "clients/cli/bench/bench.h"
#include "clients/cli/bench/bench_report.h"
#include "clients/cli/bench/outcome.h"
#include "clients/cli/bench/sample_log.h"
#include "clients/cli/progress.h"
#include "clients/cli/temporary_folder.h"
#include "clients/sdk/export_verification.h"
#include "clients/sdk/files.h"

namespace schakel::cli {
namespace {

constexpr uint64_t kEntriesMax = 50'000'000;
constexpr size_t kPieceBytes = 1 << 20;

struct BenchVerifyOptions {
  std::string file;
  uint64_t entries = 200'000;
  uint64_t rounds = 5;
};

// An export of a log that nobody else has, signed by a key that goes with this run.
Result<merkle::VerifierKey> WriteExport(Invocation& invocation, const std::filesystem::path& file,
                                        uint64_t entries, const Stop& stop) {
  const auto key = crypto::SigningKey::Generate();
  SCHAKEL_ASSIGN(auto verifier,
                 merkle::VerifierKey::Create("bench.example/schakel/1", key.public_key()));
  bench::SampleLog log(static_cast<uint64_t>(sdk::Now().count()) * 1000);
  merkle::ExportWriter writer;
  std::ofstream out(file, std::ios::binary);
  Bytes piece;
  ProgressLine progress(invocation);
  for (uint64_t i = 0; i < entries && !stop(); ++i) {
    SCHAKEL_TRY(writer.Add(log.Next(), piece));
    if (piece.size() < kPieceBytes) continue;
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.clear();
    progress.Update(i + 1, entries);
  }
  SCHAKEL_ASSIGN(const auto note, merkle::SignCheckpoint({verifier.name(), log.Head()}, key));
  SCHAKEL_TRY(writer.Finish(note, piece));
  out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
  out.close();
  if (!out) {
    return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED", "can't write " + file.string());
  }
  return verifier;
}

// That the user says whose log it is: its verifier key, of the context or by --log-key.
Result<merkle::VerifierKey> KeyOfLog(Invocation& invocation) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(const auto* const memory, session->checkpoints());
  return memory->key();
}

Result<ExitCode> BenchVerify(Invocation& invocation, const BenchVerifyOptions& options) {
  SCHAKEL_TRY(NumberBetween(invocation, options.entries, 1, kEntriesMax, "--entries"));
  SCHAKEL_TRY(NumberBetween(invocation, options.rounds, 1, 1000, "--rounds"));
  const InterruptGuard guard;
  const TemporaryFolder folder;
  const bool generated = options.file.empty();
  std::filesystem::path file = options.file;
  if (generated) file = folder.path() / "log.export";
  if (generated && folder.path().empty()) {
    return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED",
                     "can't make a temporary folder");
  }
  const Stop stop = [&] { return guard.interrupted(); };
  SCHAKEL_ASSIGN(const auto key, generated ? WriteExport(invocation, file, options.entries, stop)
                                           : KeyOfLog(invocation));
  bench::Latencies rounds;
  uint64_t entries = 0;
  uint64_t records = 0;
  std::map<std::string, uint64_t> problems;
  double seconds = 0;
  {
    ProgressLine progress(invocation);
    for (uint64_t round = 0; round < options.rounds && !guard.interrupted(); ++round) {
      const auto began = BenchClock::now();
      SCHAKEL_ASSIGN(const auto report, sdk::VerifyExport(file, key, std::nullopt));
      const auto took = BenchClock::now() - began;
      progress.Update(round + 1, options.rounds);
      if (!report.verified) {
        ++problems[report.fault ? report.fault->reason : "NOT_VERIFIED"];
        break;
      }
      rounds.Add(took);
      seconds += std::chrono::duration<double>(took).count();
      entries += report.summary.entries;
      records = report.summary.records;
    }
  }
  BenchReport report{"verify", Msg::kBenchVerifyMeasured};
  std::error_code ignored;
  const uint64_t bytes = std::filesystem::file_size(file, ignored);
  report.parameters = {
      {"generated", generated}, {"file", generated ? "" : options.file},
      {"fileBytes", bytes},     {"entries", rounds.size() > 0 ? entries / rounds.size() : 0},
      {"records", records},     {"rounds", options.rounds}};
  report.steps.push_back(
      {"verified", Msg::kBenchVerified, entries, PerSecond(entries, seconds), rounds});
  report.problems = problems;
  report.interrupted = guard.interrupted();
  ShowBench(invocation, report);
  return EndOf(invocation, report, {});
}

}  // namespace

void AddBenchVerify(CLI::App* noun, Invocation& invocation) {
  Verb verify(noun, invocation, "verify", Msg::kVerbBenchVerify,
              "schakel bench verify\n"
              "schakel bench verify --entries 50000 --rounds 3 -o json\n"
              "schakel audit export log.export --ground \"AVG art. 57\" --reference KL-2026-7\n"
              "schakel bench verify --file log.export --rounds 2");
  const auto options = std::make_shared<BenchVerifyOptions>();
  verify.Value("--file", options->file, Msg::kOptBenchFile, "EXPORT");
  verify.Number("--entries", options->entries, Msg::kOptBenchEntries);
  verify.Number("--rounds", options->rounds, Msg::kOptBenchRounds);
  verify.Run([&invocation, options] { return BenchVerify(invocation, *options); });
}

}  // namespace schakel::cli
