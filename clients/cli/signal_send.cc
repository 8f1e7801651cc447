#include "clients/cli/signal_send.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "clients/cli/draft_options.h"
#include "clients/cli/outcomes.h"
#include "clients/cli/parse.h"
#include "clients/sdk/files.h"
#include "clients/sdk/status.h"

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;

struct SendOptions {
  DraftOptions draft;
  std::string key;
  bool dry_run = false;
};

// Shows the broker's answer, of now or of then.
Result<ExitCode> ShowResult(Invocation& invocation, const sdk::SendResult& result) {
  const auto& answer = result.entry.answer();
  if (result.repeated) {
    invocation.Note(Msg::kAnsweredBefore, {IdText(result.entry.signal_id())});
    invocation.HurryNames();
  }
  if (!answer.has_accepted()) {
    if (invocation.format() == Format::kJson || invocation.format() == Format::kJsonl) {
      invocation.Show(answer, nullptr, Table({}));
    }
    Error error = sdk::ErrorFromRpcStatus(answer.error(), CodeOf(invocation.language()));
    if (error.field.empty()) error.field = IdText(result.entry.signal_id());
    return error;
  }
  invocation.Heading(Msg::kHeadSignal, IdText(answer.accepted().signal_id()));
  invocation.Show(answer, nullptr, OutcomeTable(invocation, answer.accepted().outcomes()));
  return result.all_queued() ? ExitCode::kOk : ExitCode::kNegative;
}

Result<ExitCode> DryRun(Invocation& invocation, sdk::Composer& composer,
                        const sdk::SignalDraft& draft) {
  SCHAKEL_ASSIGN(const auto plan, composer.Plan(draft, sdk::Now()));
  bool all = true;
  Json whole = Json::array();
  std::vector<std::string> lines;
  for (const auto& recipient : plan) {
    Json sections = Json::array();
    bool any = false;
    for (const auto& section : recipient.sections) {
      any = any || section.wrapped;
      sections.push_back({{"category", section.category},
                          {"sealed", section.wrapped},
                          {"reason", section.reason},
                          {"rule", section.rule}});
    }
    all = all && any;
    Json item = {{"recipient", recipient.oin.str()},
                 {"function", recipient.function ? recipient.function->str() : ""},
                 {"sections", std::move(sections)}};
    lines.push_back(item.dump());
    whole.push_back(std::move(item));
  }
  invocation.ShowJson(whole.dump(2), lines, PlanTable(invocation, plan));
  invocation.Note(Msg::kDryRun);
  return all ? ExitCode::kOk : ExitCode::kNegative;
}

Result<ExitCode> Send(Invocation& invocation, const SendOptions& options) {
  SCHAKEL_ASSIGN(const auto draft, MakeDraft(invocation, options.draft));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  if (!options.key.empty() && !options.dry_run) {
    // An answer of then needs no broker.
    SCHAKEL_ASSIGN(auto* const outbox, session->outbox());
    SCHAKEL_ASSIGN(auto entry, outbox->FindByKey(options.key, outbox->InputDigest(draft)));
    if (entry && entry->state() != client::v1::OUTBOX_STATE_PREPARED) {
      return ShowResult(invocation, {std::move(*entry), true});
    }
  }
  SCHAKEL_ASSIGN(const auto composer, session->NewComposer());
  if (options.dry_run) return DryRun(invocation, *composer, draft);
  SCHAKEL_ASSIGN(auto* const outbox, session->outbox());
  SCHAKEL_ASSIGN([[maybe_unused]] const size_t purged, outbox->Purge(sdk::Now()));
  SCHAKEL_ASSIGN(auto* const keys, session->keys());
  SCHAKEL_ASSIGN(auto* const signals, session->signals());
  SCHAKEL_ASSIGN(const auto result, signals->Send(*composer, draft, *keys, options.key));
  return ShowResult(invocation, result);
}

Result<ExitCode> Preflight(Invocation& invocation, const DraftOptions& options) {
  SCHAKEL_ASSIGN(const auto draft, MakeDraft(invocation, options));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(const auto composer, session->NewComposer());
  SCHAKEL_ASSIGN(const auto request, composer->PreflightOf(draft, sdk::Now()));
  SCHAKEL_ASSIGN(auto* const signals, session->signals());
  SCHAKEL_ASSIGN(const auto response, signals->Preflight(request));
  invocation.Show(response, "outcomes", OutcomeTable(invocation, response.outcomes()));
  bool all = true;
  for (const auto& outcome : response.outcomes()) {
    all = all && outcome.state() == v1::RECIPIENT_STATE_QUEUED;
  }
  return all ? ExitCode::kOk : ExitCode::kNegative;
}

Result<ExitCode> Resend(Invocation& invocation, const std::string& text) {
  SCHAKEL_ASSIGN(const auto id, ParseId<SignalId>(invocation.language(), text, "ID"));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const outbox, session->outbox());
  SCHAKEL_ASSIGN(auto entry, outbox->Get(id));
  if (entry.state() != client::v1::OUTBOX_STATE_PREPARED) {
    return ShowResult(invocation, {std::move(entry), true});
  }
  SCHAKEL_ASSIGN(auto* const signals, session->signals());
  SCHAKEL_ASSIGN(const auto result, signals->Resend(id));
  return ShowResult(invocation, result);
}

}  // namespace

void AddSignalSend(CLI::App* noun, Invocation& invocation) {
  Verb send(noun, invocation, "send", Msg::kVerbSignalSend,
            R"(echo '{"test": true, "serial": 42}' > test.json
schakel signal send --type test-signal --subject-unlinked \
    --to-function loopback@zuid-holland-zuid --purpose test-connection \
    --ground test-traffic --section daily-living=@test.json
echo '{"months_in_arrears": 3, "amount_cents": 145000}' > arrears.json
echo '{"family_name": "Voorbeeld", "birth_date": "1985-04-12"}' > person.json
echo '{"tenancy": "social-rent"}' | \
schakel signal send --type rent-arrears --subject-unlinked \
    --to-function debt-relief@Dordrecht --purpose prevent-eviction \
    --ground wgs-debt --section finances=@arrears.json --section housing=- \
    --identity @person.json --key RENT-2026-0042
echo 999990019 > one.txt
echo 999990020 > two.txt
echo '{"family_name": "Voorbeeld", "birth_date": "1985-04-12"}' > one.json
echo '{"occurred_on": "2026-01-10", "kinds": ["psychological"]}' > report.json
schakel signal send --type domestic-violence-report --urgency acute \
    --subject-bsn @one.txt --subject-bsn @two.txt \
    --to-function domestic-violence-centre@Dordrecht \
    --purpose stop-domestic-violence --ground wmo-veilig-thuis \
    --section safety:1,2=@report.json --identity:1 @one.json --dry-run)");
  const auto options = std::make_shared<SendOptions>();
  AddDraftOptions(send, options->draft);
  send.Value("--key", options->key, Msg::kOptKey, "REF");
  send.Flag("--dry-run", options->dry_run, Msg::kOptDryRun);
  send.Run([&invocation, options] { return Send(invocation, *options); });

  Verb preflight(noun, invocation, "preflight", Msg::kVerbSignalPreflight,
                 R"(echo '{"months_in_arrears": 3, "amount_cents": 145000}' > arrears.json
schakel signal preflight --type rent-arrears --subject-unlinked \
    --to-function debt-relief@Dordrecht --purpose prevent-eviction \
    --ground wgs-debt --section finances=@arrears.json)");
  const auto question = std::make_shared<DraftOptions>();
  AddDraftOptions(preflight, *question);
  preflight.Run([&invocation, question] { return Preflight(invocation, *question); });

  Verb resend(noun, invocation, "resend", Msg::kVerbSignalResend,
              "schakel signal list --outbox\n"
              "schakel signal resend SIGNAL");
  const auto id = std::make_shared<std::string>();
  resend.Value("ID", *id, Msg::kArgSignal, "ID").Required();
  resend.Run([&invocation, id] { return Resend(invocation, *id); });
}

}  // namespace schakel::cli
