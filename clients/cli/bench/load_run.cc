#include "clients/cli/bench/load_run.h"

#include <algorithm>
#include <limits>

#include "clients/cli/progress.h"

namespace schakel::cli {
namespace {

constexpr uint64_t kStockBytesMax = 256ull << 20;
// A round is sealed before it is sent, and whoever waits wants to see it begin.
constexpr std::chrono::seconds kRoundMax{5};
// Of one that lies ready, beside its envelope.
constexpr uint64_t kSignalBytes = 512;
constexpr uint64_t kFirstRound = 512;
// More than the last round's speed asks for, since the next may be faster.
constexpr double kReserve = 1.15;

uint64_t MillisOf(std::chrono::nanoseconds time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<Millis>(time).count());
}

}  // namespace

Result<LoadTimes> LoadRun::Go() {
  LoadTimes times;
  SCHAKEL_TRY(Phase(settings_.warm_up, std::numeric_limits<uint64_t>::max(), times));
  if (Ended(times)) {
    times.interrupted = guard_.interrupted();
    return times;
  }
  times = LoadTimes();
  const uint64_t repeats = sending_.repeats();
  const uint64_t signatures = sending_.signatures();
  begin_counting();
  counting_ = true;
  SCHAKEL_TRY(Phase(settings_.duration,
                    settings_.signals.value_or(std::numeric_limits<uint64_t>::max()), times));
  times.repeats = sending_.repeats() - repeats;
  times.signatures = sending_.signatures() - signatures;
  times.interrupted = guard_.interrupted();
  return times;
}

Status LoadRun::Phase(std::chrono::nanoseconds duration, uint64_t most, LoadTimes& times) {
  std::chrono::nanoseconds spent{0};
  while (spent < duration && times.sent < most && !Ended(times)) {
    SCHAKEL_TRY(Seal(duration - spent, most - times.sent));
    if (guard_.interrupted()) break;
    if (counting_ && times.sent == 0) invocation_.Note(Msg::kBenchMeasuring);
    const uint64_t sent_before = sending_.sent();
    const auto began = BenchClock::now();
    Status ran;
    {
      ProgressLine progress(invocation_);
      ran = sending_.Run(
          began + (duration - spent), most - times.sent, [this] { return guard_.interrupted(); },
          [&] {
            const auto done = std::min(duration, spent + (BenchClock::now() - began));
            progress.Update(MillisOf(done), MillisOf(duration));
          });
    }
    if (ran.ok()) ran = settle();
    const std::chrono::nanoseconds took = BenchClock::now() - began;
    const uint64_t sent = sending_.sent() - sent_before;
    spent += took;
    times.sent += sent;
    times.seconds += std::chrono::duration<double>(took).count();
    per_second_ = static_cast<double>(sent) / std::chrono::duration<double>(took).count();
    if (!ran.ok()) times.error = ran.error();
  }
  return {};
}

Status LoadRun::Seal(std::chrono::nanoseconds left, uint64_t most) {
  uint64_t count = std::max<uint64_t>(kFirstRound, 4 * settings_.in_flight);
  if (per_second_ > 0) {
    const auto round = std::min<std::chrono::nanoseconds>(left, kRoundMax);
    const double needed = per_second_ * std::chrono::duration<double>(round).count() * kReserve;
    count = std::max(count, static_cast<uint64_t>(needed) + settings_.in_flight);
  }
  const uint64_t fits = kStockBytesMax / (stock_.envelope_bytes() + kSignalBytes);
  count = std::min({count, most, std::max<uint64_t>(fits, 1)});
  ProgressLine progress(invocation_);
  return stock_.Fill(
      count, [this] { return guard_.interrupted(); }, progress.callback());
}

}  // namespace schakel::cli
