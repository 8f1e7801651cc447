#include "clients/cli/signal_outcomes.h"

#include <limits>
#include <memory>

#include "clients/cli/interrupt.h"
#include "clients/cli/outcomes.h"
#include "clients/cli/parse.h"
#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

constexpr uint64_t kUnset = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kPageMax = 1000;

struct OutcomesOptions {
  std::string after;
  uint64_t limit = kUnset;
  bool follow = false;
  std::string every = "2s";
};

Result<Bytes> CursorOf(Invocation& invocation, const std::string& text) {
  if (text.empty()) return Bytes();
  const auto cursor = Base64Decode(text);
  if (!cursor) return UsageError(invocation.Text(Msg::kCursorWrong), "--after");
  return *cursor;
}

std::vector<Cell> CellsOf(Invocation& invocation, const v1::OutcomeEvent& event) {
  const auto& outcome = event.outcome();
  return {TimeText(outcome.has_reported() ? outcome.reported() : outcome.changed()),
          IdText(event.signal_id()), invocation.names().Organisation(outcome.recipient()),
          StandingCell(invocation, outcome), DenialText(invocation, outcome)};
}

Result<ExitCode> Once(Invocation& invocation, sdk::SignalClient& signals,
                      v1::ReadOutcomesRequest request, uint64_t limit) {
  v1::ReadOutcomesResponse all;
  all.set_more(true);
  while (all.more() && (limit == 0 || static_cast<uint64_t>(all.events_size()) < limit)) {
    const uint64_t left = limit == 0 ? kPageMax : limit - static_cast<uint64_t>(all.events_size());
    request.set_page_size(static_cast<uint32_t>(std::min(left, kPageMax)));
    SCHAKEL_ASSIGN(const auto page, signals.ReadOutcomes(request));
    all.mutable_events()->MergeFrom(page.events());
    all.set_position(page.position());
    all.set_more(page.more() && page.events_size() > 0);
    if (page.events_size() > 0) request.set_after(page.events(page.events_size() - 1).cursor());
  }
  Table table({invocation.Text(Msg::kColTime), invocation.Text(Msg::kColSignal),
               invocation.Text(Msg::kColRecipient), invocation.Text(Msg::kColState),
               invocation.Text(Msg::kColWhyNot)});
  for (const auto& event : all.events()) table.Add(CellsOf(invocation, event));
  invocation.Show(all, "events", table);
  if (!request.after().empty()) {
    invocation.Note(Msg::kNextCursor, {Base64Encode(request.after())});
  }
  if (all.more()) invocation.Note(Msg::kThereIsMore, {"--limit"});
  return ExitCode::kOk;
}

// One line an event, at once: whoever reads it may keep the cursor of the last line it took.
void ShowLine(Invocation& invocation, const v1::OutcomeEvent& event) {
  if (invocation.format() == Format::kJsonl) {
    invocation.out() << ToJson(event, false) << '\n';
  } else {
    std::string line;
    for (const auto& cell : CellsOf(invocation, event)) {
      if (!cell.text.empty()) line += (line.empty() ? "" : "  ") + cell.text;
    }
    invocation.Line(line);
  }
  invocation.out().flush();
}

// What passes by itself: a broker that restarts must not end a feed.
bool Passes(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded ||
         error.code == ErrorCode::kResourceExhausted || error.code == ErrorCode::kCancelled ||
         error.code == ErrorCode::kAborted;
}

Result<ExitCode> Follow(Invocation& invocation, sdk::SignalClient& signals,
                        v1::ReadOutcomesRequest request, uint64_t limit,
                        std::chrono::milliseconds every) {
  const InterruptGuard guard;
  uint64_t shown = 0;
  bool told = false;
  while (!guard.interrupted() && (limit == 0 || shown < limit)) {
    const uint64_t left = limit == 0 ? kPageMax : std::min(limit - shown, kPageMax);
    request.set_page_size(static_cast<uint32_t>(left));
    const auto page = signals.ReadOutcomes(request);
    if (!page.ok()) {
      if (!Passes(page.error())) return page.error();
      if (!told) invocation.ReportError(page.error());
      told = true;
      guard.Sleep(every);
      continue;
    }
    told = false;
    for (const auto& event : page->events()) {
      ShowLine(invocation, event);
      request.set_after(event.cursor());
      ++shown;
    }
    // Who reads it is gone.
    if (!invocation.out().good()) break;
    if (page->events_size() == 0) guard.Sleep(every);
  }
  if (!request.after().empty()) {
    invocation.Note(Msg::kNextCursor, {Base64Encode(request.after())});
  }
  return guard.interrupted() ? ExitCode::kInterrupted : ExitCode::kOk;
}

Result<ExitCode> Outcomes(Invocation& invocation, const OutcomesOptions& options) {
  v1::ReadOutcomesRequest request;
  SCHAKEL_ASSIGN(*request.mutable_after(), CursorOf(invocation, options.after));
  SCHAKEL_ASSIGN(const auto every, ParseDuration(invocation.language(), options.every, "--every"));
  if (options.follow && invocation.format() == Format::kJson) {
    return UsageError(invocation.Text(Msg::kFollowLines), "--output");
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const signals, session->signals());
  if (options.follow) {
    return Follow(invocation, *signals, std::move(request),
                  options.limit == kUnset ? 0 : options.limit, every);
  }
  return Once(invocation, *signals, std::move(request),
              options.limit == kUnset ? 100 : options.limit);
}

}  // namespace

void AddSignalOutcomes(CLI::App* noun, Invocation& invocation) {
  Verb outcomes(noun, invocation, "outcomes", Msg::kVerbSignalOutcomes,
                "schakel signal outcomes\n"
                "schakel signal outcomes --follow -o jsonl >> outcomes.jsonl\n"
                "schakel signal outcomes --follow -o jsonl \\\n"
                "    --after \"$(tail -n1 outcomes.jsonl | jq -r .cursor)\" >> outcomes.jsonl");
  const auto options = std::make_shared<OutcomesOptions>();
  outcomes.Value("--after", options->after, Msg::kOptAfter, "CURSOR");
  outcomes.Flag("--follow", options->follow, Msg::kOptFollow);
  outcomes.Value("--every", options->every, Msg::kOptEvery, "TIME");
  outcomes.Number("--limit", options->limit, Msg::kOptLimitEvents);
  outcomes.Run([&invocation, options] { return Outcomes(invocation, *options); });
}

}  // namespace schakel::cli
