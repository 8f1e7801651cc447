#include "clients/cli/inbox_loop.h"

namespace schakel::cli {
namespace {

// So long without an item counts as an empty inbox for --until-idle.
constexpr std::chrono::seconds kQuietTime{5};
// So often it looks whether it was interrupted.
constexpr std::chrono::milliseconds kLookTime{300};

Result<ExitCode> Loop(sdk::PullStream& stream, const InterruptGuard& guard, bool until_idle,
                      const std::function<Result<AfterItem>(v1::Delivery)>& take) {
  auto last_item = std::chrono::steady_clock::now();
  while (!guard.interrupted()) {
    SCHAKEL_ASSIGN(auto delivery, stream.Next(kLookTime));
    if (!delivery) {
      // The broker says once that nothing waits; a run that is to end does not hang on that word.
      const bool quiet = std::chrono::steady_clock::now() - last_item > kQuietTime;
      if (until_idle && (stream.idle() || quiet)) break;
      continue;
    }
    SCHAKEL_ASSIGN(const AfterItem end, take(std::move(*delivery)));
    if (end) return *end;
    last_item = std::chrono::steady_clock::now();
  }
  return guard.interrupted() ? ExitCode::kInterrupted : ExitCode::kOk;
}

}  // namespace

Result<ExitCode> TakeEachItem(sdk::PullStream& stream, const InterruptGuard& guard, bool until_idle,
                              const std::function<Result<AfterItem>(v1::Delivery)>& take) {
  auto ended = Loop(stream, guard, until_idle, take);
  stream.Close();
  return ended;
}

}  // namespace schakel::cli
