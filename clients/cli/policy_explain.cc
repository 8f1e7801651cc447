#include "clients/cli/policy_explain.h"

#include <memory>

#include "clients/cli/parse.h"
#include "clients/cli/words.h"
#include "clients/sdk/files.h"
#include "policy/engine/explain.h"

namespace schakel::cli {
namespace {

struct ExplainOptions {
  std::string folder;
  std::string from;
  std::string to;
  std::string to_function;
  std::string type;
  std::string purpose;
  std::string category;
  std::string ground;
  std::vector<std::string> attest;
  bool unlinked = false;
  bool consent = false;
};

// A party of tests.yaml, by its name or OIN.
Result<policy::Party> PartyOfTests(Invocation& invocation, const policy::CompiledBundle& bundle,
                                   const std::string& wanted, const char* option) {
  for (const auto& party : bundle.source().tests.parties()) {
    if (party.name() != wanted && party.oin() != wanted) continue;
    SCHAKEL_ASSIGN(auto oin, ParseOin(invocation.language(), party.oin(), option));
    return policy::Party{std::move(oin),
                         party.sector(),
                         {},
                         {party.areas().begin(), party.areas().end()},
                         party.bsn_authority()};
  }
  return UsageError(invocation.Text(Msg::kNoTestParty, {wanted}), option);
}

Result<v1::ExplainResponse> ByFolder(Invocation& invocation, const ExplainOptions& options) {
  SCHAKEL_ASSIGN(const auto packed, sdk::PackPolicyFolder(options.folder));
  SCHAKEL_ASSIGN(const auto loaded, sdk::LoadBundle(packed.bundle, packed.digest));
  const auto& bundle = *loaded->compiled;
  SCHAKEL_ASSIGN(auto sender, PartyOfTests(invocation, bundle, options.from, "--from"));
  std::optional<policy::FunctionAtArea> addressed;
  std::string recipient_name = options.to;
  if (!options.to_function.empty()) {
    SCHAKEL_ASSIGN(addressed,
                   ParseFunction(invocation.language(), options.to_function, "--to-function"));
    const auto holder = bundle.Resolve(*addressed);
    if (!holder) {
      return InvalidArgument("FUNCTION_UNRESOLVED", "--to-function",
                             ReasonWord(invocation.language(), "FUNCTION_UNRESOLVED"));
    }
    recipient_name = holder->str();
  }
  SCHAKEL_ASSIGN(auto recipient, PartyOfTests(invocation, bundle, recipient_name, "--to"));
  policy::SectionQuestion question{std::move(sender), std::move(recipient), addressed,
                                   options.type,      options.purpose,      options.category,
                                   options.ground,    options.attest,       !options.unlinked};
  question.now = sdk::Now();
  policy::ConsentFact assumed;
  assumed.not_after = question.now + Millis(1);
  assumed.not_before = question.now;
  if (options.consent) question.statements = std::span(&assumed, 1);
  const auto explanation = policy::Explain(bundle, question, CodeOf(invocation.language()));
  v1::ExplainResponse response;
  response.set_outcome(explanation.decision.permitted ? v1::OUTCOME_PERMITTED : v1::OUTCOME_DENIED);
  response.set_reason(std::string(policy::ReasonName(explanation.decision.reason)));
  response.set_rule(std::string(explanation.decision.rule));
  for (const auto& step : explanation.steps) response.add_steps(step);
  response.set_bundle_digest(packed.digest.str());
  return response;
}

Result<v1::ExplainResponse> ByBroker(Invocation& invocation, const ExplainOptions& options) {
  v1::ExplainRequest request;
  SCHAKEL_ASSIGN(const auto sender, ParseOin(invocation.language(), options.from, "--from"));
  request.set_sender(sender.str());
  if (options.to_function.empty()) {
    SCHAKEL_ASSIGN(const auto recipient, ParseOin(invocation.language(), options.to, "--to"));
    request.set_recipient(recipient.str());
  } else {
    SCHAKEL_ASSIGN(const auto function,
                   ParseFunction(invocation.language(), options.to_function, "--to-function"));
    request.mutable_function()->set_function(function.function);
    request.mutable_function()->set_area(function.area);
  }
  request.set_signal_type(options.type);
  request.set_purpose(options.purpose);
  request.set_category(options.category);
  request.set_ground(options.ground);
  for (const auto& code : options.attest) request.add_attested_conditions(code);
  request.set_subject_linked(!options.unlinked);
  request.set_assume_consent(options.consent);
  request.set_language(CodeOf(invocation.language()));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->policy());
  return client->Explain(request);
}

Result<ExitCode> ExplainQuestion(Invocation& invocation, const ExplainOptions& options) {
  if (options.to.empty() == options.to_function.empty()) {
    return UsageError(invocation.Text(Msg::kNoRecipient), "--to");
  }
  SCHAKEL_ASSIGN(const auto response, options.folder.empty() ? ByBroker(invocation, options)
                                                             : ByFolder(invocation, options));
  if (invocation.format() == Format::kTable) {
    for (const auto& step : response.steps()) invocation.Line(step);
  } else {
    invocation.Show(response, nullptr, Table({}));
  }
  return response.outcome() == v1::OUTCOME_PERMITTED ? ExitCode::kOk : ExitCode::kNegative;
}

}  // namespace

void AddPolicyExplain(CLI::App* noun, Invocation& invocation) {
  Verb explain(noun, invocation, "explain", Msg::kVerbPolicyExplain,
               "schakel policy explain policy/zuid-holland-zuid --from corporation \\\n"
               "    --to-function debt-relief@Dordrecht --type rent-arrears \\\n"
               "    --purpose prevent-eviction --category finances --ground wgs-debt --unlinked\n"
               "schakel policy explain --from 00000099000000001000 --to 00000099000000001001 \\\n"
               "    --type rent-arrears --purpose prevent-eviction --category finances \\\n"
               "    --ground wgs-debt");
  const auto options = std::make_shared<ExplainOptions>();
  explain.Value("DIR", options->folder, Msg::kArgExplainDir, "DIR");
  explain.Value("--from", options->from, Msg::kOptExplainFrom, "OIN").Required();
  explain.Value("--to", options->to, Msg::kOptTo, "OIN");
  explain.Value("--to-function", options->to_function, Msg::kOptToFunction, "FUNCTION@AREA");
  explain.Value("--type", options->type, Msg::kOptType, "CODE").Required();
  explain.Value("--purpose", options->purpose, Msg::kOptPurpose, "CODE").Required();
  explain.Value("--category", options->category, Msg::kOptOnlyCategory, "CODE").Required();
  explain.Value("--ground", options->ground, Msg::kOptOneGround, "CODE").Required();
  explain.Values("--attest", options->attest, Msg::kOptAttest, "CODE");
  explain.Flag("--unlinked", options->unlinked, Msg::kOptExplainUnlinked);
  explain.Flag("--assume-consent", options->consent, Msg::kOptAssumeConsent);
  explain.Run([&invocation, options] { return ExplainQuestion(invocation, *options); });
}

}  // namespace schakel::cli
