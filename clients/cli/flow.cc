// schakel flow: how the chain flows, what stalls in it, and reminders. For the chain director.
#include <algorithm>
#include <memory>

#include "clients/cli/flow_show.h"
#include "clients/cli/parse.h"
#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

using policy::CodeKind;

// 36h, 5d: as durations are typed.
std::string TermText(const google::protobuf::Duration& term) {
  const int64_t hours = term.seconds() / 3600;
  if (hours == 0) return "";
  return hours % 24 == 0 ? std::to_string(hours / 24) + "d" : std::to_string(hours) + "h";
}

Result<ExitCode> Stalled(Invocation& invocation) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->flow());
  SCHAKEL_ASSIGN(auto all, client->ListStalled());
  // The broker lists them by alias; who waits longest comes first.
  std::stable_sort(all.mutable_signals()->begin(), all.mutable_signals()->end(),
                   [](const auto& a, const auto& b) {
                     return a.waiting_since().seconds() < b.waiting_since().seconds();
                   });
  Table table({invocation.Text(Msg::kColAlias), invocation.Text(Msg::kColType),
               invocation.Text(Msg::kColMustAct), invocation.Text(Msg::kColFunction),
               invocation.Text(Msg::kColContact), invocation.Text(Msg::kColWaitingSince),
               invocation.Text(Msg::kColTerm), invocation.Text(Msg::kColReminded),
               invocation.Text(Msg::kColState)});
  Names& names = invocation.names();
  for (const auto& signal : all.signals()) {
    table.Add({signal.alias(), names.Of(CodeKind::kSignalType, signal.signal_type()),
               signal.recipient_name().empty() ? signal.recipient() : signal.recipient_name(),
               names.Function(signal.function()), signal.contact(), DayText(signal.waiting_since()),
               TermText(signal.term()), DayText(signal.reminded()),
               signal.dead_letter()
                   ? StateCell(invocation.language(), v1::RECIPIENT_STATE_DEAD_LETTER)
                   : StateCell(invocation.language(), v1::RECIPIENT_STATE_QUEUED)});
  }
  invocation.Show(all, "signals", table);
  if (all.signals().empty()) invocation.Note(Msg::kNothingStalls);
  return ExitCode::kOk;
}

Result<ExitCode> Remind(Invocation& invocation, const std::string& alias) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->flow());
  SCHAKEL_ASSIGN(const auto response, client->Remind(alias));
  if (invocation.format() != Format::kTable) {
    invocation.Show(response, nullptr, Table({}));
    return ExitCode::kOk;
  }
  invocation.Line(invocation.Text(
      Msg::kWasReminded, {std::to_string(response.reminded()), TimeText(response.again_from())}));
  return ExitCode::kOk;
}

}  // namespace

void AddFlow(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "flow", Msg::kNounFlow);
  AddFlowShow(noun, invocation);

  Verb stalled(noun, invocation, "stalled", Msg::kVerbFlowStalled,
               "schakel flow stalled\nschakel flow stalled -o csv > stalled.csv");
  stalled.AllowCsv();
  stalled.Run([&invocation] { return Stalled(invocation); });

  Verb remind(noun, invocation, "remind", Msg::kVerbFlowRemind, "schakel flow remind ALIAS");
  const auto alias = std::make_shared<std::string>();
  remind.Value("ALIAS", *alias, Msg::kArgAlias, "ALIAS").Required();
  remind.Run([&invocation, alias] { return Remind(invocation, *alias); });
}

}  // namespace schakel::cli
