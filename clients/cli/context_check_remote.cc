// Steps of schakel context check that ask the broker and the custodians.
#include <sys/stat.h>

#include <algorithm>
#include <cmath>

#include "clients/cli/context_check.h"
#include "clients/cli/names.h"
#include "clients/cli/parse.h"
#include "clients/sdk/files.h"
#include "schakel/v1/record.pb.h"

namespace schakel::cli {
namespace {

using std::chrono::seconds;

// The broker refuses what was made further ahead of its clock.
constexpr Millis kClockFailed = std::chrono::minutes(5);
constexpr Millis kClockWarning = seconds(60);

// One custodian: reachable, and its key document the pinned one.
void CheckCustodian(Checkup& check, const config::v1::ContextCustodian& custodian,
                    const std::vector<sdk::PinnedKeyDocument>& pinned) {
  const auto outcome = [&]() -> Result<v1::GetBudgetResponse> {
    const auto oin = OrganisationId::From(custodian.oin());
    if (!oin) return InvalidArgument("CONFIG_INVALID", "custodians", "an OIN has 20 digits");
    SCHAKEL_ASSIGN(auto to, sdk::Connection::Open(check.session.OptionsFor(custodian.address())));
    sdk::PseudonymClient client({{*oin, std::move(to)}}, pinned, check.bundle->compiled->region(),
                                check.anchors ? &*check.anchors : nullptr);
    for (const auto& pin : pinned) {
      SCHAKEL_ASSIGN(const auto document, client.Document(pin.epoch));
      if (document->Find(*oin) == nullptr) {
        return MakeError(ErrorCode::kFailedPrecondition, "KEY_DOCUMENT_MISMATCH",
                         check.Text(Msg::kFoundNoShare));
      }
    }
    return client.Budgets().front().budget;
  }();
  if (!outcome.ok()) {
    const auto& error = outcome.error();
    const bool pins = error.reason.starts_with("KEY_DOCUMENT");
    const bool refused = error.code == ErrorCode::kPermissionDenied;
    check.Fail("custodian", Msg::kStepCustodian, error,
               check.Text(pins      ? Msg::kTodoPins
                          : refused ? Msg::kTodoAuthority
                                    : Msg::kTodoCustodian,
                          {custodian.address()}),
               pins      ? ExitCode::kConfig
               : refused ? ExitCode::kNegative
                         : ExitCode::kUnavailable,
               custodian.oin());
    return;
  }
  check.Ok("custodian", Msg::kStepCustodian,
           check.Text(Msg::kFoundCustodian, {custodian.address()}), custodian.oin());
  const std::string left = check.Text(
      Msg::kFoundBudget,
      {std::to_string(outcome->day_remaining()), std::to_string(outcome->day_limit()),
       std::to_string(outcome->month_remaining()), std::to_string(outcome->month_limit())});
  if (outcome->day_remaining() == 0 || outcome->month_remaining() == 0) {
    check.Fail("budget", Msg::kStepBudget,
               MakeError(ErrorCode::kResourceExhausted, "BUDGET_EXHAUSTED", left),
               check.Text(Msg::kTodoBudget, {TimeText(outcome->day_resets())}), ExitCode::kNegative,
               custodian.oin());
  } else if (outcome->day_remaining() < outcome->day_limit() / 10 ||
             outcome->month_remaining() < outcome->month_limit() / 10) {
    check.Warn("budget", Msg::kStepBudget, left,
               check.Text(Msg::kTodoBudget, {TimeText(outcome->day_resets())}), custodian.oin());
  } else {
    check.Ok("budget", Msg::kStepBudget, left, custodian.oin());
  }
}

// By how much the own clock was ahead of the broker's at the last send: when the answer was written
// here, against the time of its record there. nullopt when nothing was sent yet.
std::optional<Millis> AheadAtLastSend(Checkup& check) {
  const auto outbox = check.session.outbox();
  if (!outbox.ok()) return std::nullopt;
  const auto entries = (*outbox)->List();
  if (!entries.ok()) return std::nullopt;
  std::optional<Millis> ahead;
  Millis newest{0};
  for (const auto& entry : *entries) {
    const auto& receipts = entry.answer().accepted().receipts();
    v1::Record record;
    struct stat facts {};
    const auto path = (*outbox)->folder() / UuidText(entry.signal_id());
    if (receipts.empty() || !record.ParseFromString(receipts[0].record()) ||
        ::stat(path.c_str(), &facts) != 0) {
      continue;
    }
    const Millis written =
        seconds(facts.st_mtim.tv_sec) + Millis(facts.st_mtim.tv_nsec / 1'000'000);
    const Millis there(static_cast<int64_t>(record.time_us() / 1000));
    check.told.push_back(there);
    if (written < newest) continue;
    newest = written;
    ahead = written - there;
  }
  return ahead;
}

void JudgeClock(Checkup& check, Millis off, bool exact) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(std::abs(off.count())) / 1000);
  const std::string found = check.Text(!exact            ? Msg::kFoundClockBehindAtLeast
                                       : off < Millis(0) ? Msg::kFoundClockBehind
                                                         : Msg::kFoundClockAhead,
                                       {text});
  const Millis size = off < Millis(0) ? -off : off;
  if (size > kClockFailed) {
    check.Fail("clock", Msg::kStepClock,
               MakeError(ErrorCode::kFailedPrecondition, "CLOCK_DOUBTFUL", found),
               check.Text(Msg::kTodoClock), ExitCode::kConfig);
  } else if (size > kClockWarning) {
    check.Warn("clock", Msg::kStepClock, found, check.Text(Msg::kTodoClock));
  } else {
    check.Ok("clock", Msg::kStepClock, found);
  }
}

}  // namespace

void CheckPolicy(Checkup& check) {
  if (!check.reached) return check.NotTested("policy", Msg::kStepPolicy, Msg::kStepAdmission);
  const auto got = [&]() -> Result<v1::GetPolicyResponse> {
    SCHAKEL_ASSIGN(auto* const policies, check.session.policy());
    SCHAKEL_ASSIGN(check.bundle, policies->Active());
    return policies->Get(std::nullopt);
  }();
  if (!got.ok()) {
    check.Fail("policy", Msg::kStepPolicy, got.error(), check.Text(Msg::kTodoPolicy),
               ExitCode::kNegative);
    return;
  }
  if (got->has_activated()) check.told.push_back(MillisOf(got->activated()));
  check.Ok("policy", Msg::kStepPolicy,
           check.Text(Msg::kFoundPolicy,
                      {check.bundle->compiled->name(), check.bundle->compiled->version(),
                       ShortDigest(check.bundle->digest.view())}));
}

void CheckCustodians(Checkup& check) {
  if (!check.bundle) {
    return check.NotTested("custodian", Msg::kStepCustodian, Msg::kStepPolicy);
  }
  if (!check.entry.organisation().bsn_authority() &&
      check.session.context().custodians_size() == 0) {
    check.Ok("custodian", Msg::kStepCustodian, check.Text(Msg::kFoundNotNeeded));
    return;
  }
  if (check.session.context().custodians_size() == 0) {
    check.Warn("custodian", Msg::kStepCustodian, check.Text(Msg::kCheckUnset, {"custodians"}),
               check.Text(Msg::kTodoCustodiansAdd));
    return;
  }
  const auto pinned = [&]() -> Result<std::vector<sdk::PinnedKeyDocument>> {
    SCHAKEL_ASSIGN(const auto own, check.session.pinned_key_documents());
    return sdk::AgreedKeyDocuments(own, check.bundle->KeyDocuments());
  }();
  if (!pinned.ok()) {
    check.Fail("custodian", Msg::kStepCustodian, pinned.error(), check.Text(Msg::kTodoPins, {""}),
               ExitCode::kConfig);
    return;
  }
  for (const auto& custodian : check.session.context().custodians()) {
    CheckCustodian(check, custodian, *pinned);
  }
}

void CheckClock(Checkup& check) {
  if (!check.reached) return check.NotTested("clock", Msg::kStepClock, Msg::kStepAdmission);
  const auto ahead = AheadAtLastSend(check);
  // No call tells the broker's time. What it spoke of as past can't lie ahead of the own clock.
  const Millis now = sdk::Now();
  Millis last{0};
  for (const auto moment : check.told) last = std::max(last, moment);
  if (last > now) return JudgeClock(check, now - last, false);
  if (ahead) return JudgeClock(check, *ahead, true);
  check.Ok("clock", Msg::kStepClock, check.Text(Msg::kFoundClockUnknown));
}

void CheckLogKey(Checkup& check) {
  if (check.session.context().log_key().empty()) {
    check.Warn("log-key", Msg::kStepLogKey, check.Text(Msg::kCheckUnset, {"log_key"}),
               check.Text(Msg::kTodoLogKey));
    return;
  }
  const auto memory = check.session.checkpoints();
  if (!memory.ok()) {
    check.Fail("log-key", Msg::kStepLogKey, memory.error(), check.Text(Msg::kTodoLogKey),
               ExitCode::kConfig);
    return;
  }
  if (!check.reached) return check.NotTested("log-key", Msg::kStepLogKey, Msg::kStepAdmission);
  const auto look = [&]() -> Result<sdk::CheckpointLook> {
    SCHAKEL_ASSIGN(auto* const audit, check.session.audit());
    return audit->Checkpoint();
  }();
  if (!look.ok()) {
    const bool changed = look.error().reason == "CHECKPOINT_INCONSISTENT";
    check.Fail("log-key", Msg::kStepLogKey, look.error(),
               check.Text(changed ? Msg::kTodoLogChanged : Msg::kTodoLogKey), ExitCode::kNegative);
    return;
  }
  check.Ok("log-key", Msg::kStepLogKey,
           check.Text(Msg::kFoundLog,
                      {look->checkpoint.origin, std::to_string(look->checkpoint.head.size)}));
}

}  // namespace schakel::cli
