// schakel signal: looking at what was sent. Sending itself: signal_send.cc; the feed:
// signal_outcomes.cc.
#include <memory>

#include "clients/cli/outcomes.h"
#include "clients/cli/parse.h"
#include "clients/cli/signal_outcomes.h"
#include "clients/cli/signal_send.h"
#include "clients/cli/verb.h"
#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

using policy::CodeKind;

// ---- signal status ----

Result<ExitCode> ShowStatus(Invocation& invocation, const std::string& text, uint64_t position) {
  SCHAKEL_ASSIGN(const auto id, ParseId<SignalId>(invocation.language(), text, "ID"));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const signals, session->signals());
  SCHAKEL_ASSIGN(const auto response, signals->Get(id, position));
  const auto& signal = response.signal();
  Names& names = invocation.names();
  invocation.Heading(Msg::kHeadSignal, IdText(signal.signal_id()));
  if (!signal.alias().empty()) invocation.Heading(Msg::kHeadAlias, signal.alias());
  invocation.Heading(Msg::kHeadType, names.Of(CodeKind::kSignalType, signal.signal_type()));
  invocation.Heading(Msg::kHeadPurpose, names.Of(CodeKind::kPurpose, signal.purpose()));
  invocation.Heading(Msg::kHeadSent, TimeText(signal.published()));
  invocation.Heading(Msg::kHeadExpires, TimeText(signal.expires()));
  if (!signal.case_id().empty()) invocation.Heading(Msg::kHeadCase, IdText(signal.case_id()));
  invocation.Show(response, nullptr, OutcomeTable(invocation, signal.outcomes()));
  return ExitCode::kOk;
}

// ---- signal list ----

struct ListOptions {
  uint64_t limit = 100;
  std::vector<std::string> states;
  bool outbox = false;
};

Result<ExitCode> ListOutbox(Invocation& invocation) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const outbox, session->outbox());
  SCHAKEL_ASSIGN(const auto entries, outbox->List());
  Table table({invocation.Text(Msg::kColSignal), invocation.Text(Msg::kColKey),
               invocation.Text(Msg::kColState), invocation.Text(Msg::kColMade),
               invocation.Text(Msg::kColExpires)});
  std::vector<std::string> lines;
  std::string whole;
  for (const auto& entry : entries) {
    table.Add({IdText(entry.signal_id()), entry.key(), Word(invocation.language(), entry.state()),
               TimeText(Millis(static_cast<int64_t>(entry.created_ms()))),
               TimeText(Millis(static_cast<int64_t>(entry.expires_ms())))});
    client::v1::OutboxEntry shown = entry;
    shown.clear_envelope();  // sealed bytes are no answer to anybody's question
    lines.push_back(ToJson(shown, false));
    whole += (whole.empty() ? "" : ",") + lines.back();
  }
  invocation.ShowJson("[" + whole + "]", lines, table);
  return ExitCode::kOk;
}

Result<ExitCode> List(Invocation& invocation, const ListOptions& options) {
  if (options.outbox) return ListOutbox(invocation);
  v1::ListSignalsRequest request;
  for (const auto& code : options.states) {
    const auto* state = ValueOfCode(v1::RecipientState_descriptor(), code);
    if (state == nullptr) {
      return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(v1::RecipientState_descriptor())}),
                        "--state-of");
    }
    request.add_states(static_cast<v1::RecipientState>(state->number()));
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const signals, session->signals());
  v1::ListSignalsResponse all;
  bool more = true;
  while (more &&
         (options.limit == 0 || static_cast<uint64_t>(all.signals_size()) < options.limit)) {
    const uint64_t left =
        options.limit == 0 ? 1000 : options.limit - static_cast<uint64_t>(all.signals_size());
    request.set_page_size(static_cast<uint32_t>(std::min<uint64_t>(left, 1000)));
    SCHAKEL_ASSIGN(const auto page, signals->List(request));
    all.mutable_signals()->MergeFrom(page.signals());
    all.set_position(page.position());
    all.set_next_page_token(page.next_page_token());
    request.set_page_token(page.next_page_token());
    more = !page.next_page_token().empty();
  }
  Table table({invocation.Text(Msg::kColSignal), invocation.Text(Msg::kColAlias),
               invocation.Text(Msg::kColType), invocation.Text(Msg::kColPurpose),
               invocation.Text(Msg::kColUrgency), invocation.Text(Msg::kColSent),
               invocation.Text(Msg::kColState)});
  for (const auto& signal : all.signals()) {
    table.Add({IdText(signal.signal_id()), signal.alias(),
               invocation.names().Of(CodeKind::kSignalType, signal.signal_type()),
               invocation.names().Of(CodeKind::kPurpose, signal.purpose()),
               Word(invocation.language(), signal.urgency()), TimeText(signal.published()),
               StateSummary(invocation.language(), signal.outcomes())});
  }
  invocation.Show(all, "signals", table);
  if (more) invocation.Note(Msg::kThereIsMore, {"--limit"});
  return ExitCode::kOk;
}

}  // namespace

void AddSignal(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "signal", Msg::kNounSignal);
  AddSignalSend(noun, invocation);

  Verb status(noun, invocation, "status", Msg::kVerbSignalStatus, "schakel signal status SIGNAL");
  const auto id = std::make_shared<std::string>();
  const auto position = std::make_shared<uint64_t>(0);
  status.Value("ID", *id, Msg::kArgSignal, "ID").Required();
  status.Number("--at-least-position", *position, Msg::kOptPosition);
  status.Run([&invocation, id, position] { return ShowStatus(invocation, *id, *position); });

  Verb list(noun, invocation, "list", Msg::kVerbSignalList,
            "schakel signal list\nschakel signal list --state-of denied --limit 0 -o jsonl\n"
            "schakel signal list --outbox");
  const auto options = std::make_shared<ListOptions>();
  list.Number("--limit", options->limit, Msg::kOptLimit);
  list.Choices("--state-of", options->states, Msg::kOptStateOf, "STATE",
               v1::RecipientState_descriptor());
  list.Flag("--outbox", options->outbox, Msg::kOptOutbox);
  list.Run([&invocation, options] { return List(invocation, *options); });

  AddSignalOutcomes(noun, invocation);
}

}  // namespace schakel::cli
