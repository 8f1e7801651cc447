#include "clients/cli/bench/load_options.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/padding.h"
#include "clients/cli/parse.h"

namespace schakel::cli {
namespace {

constexpr const char* kTestType = "test-signal";
constexpr const char* kTestPurpose = "test-connection";
constexpr const char* kTestGround = "test-traffic";
constexpr const char* kTestCategory = "daily-living";
constexpr const char* kTestContent = R"({"test": true, "serial": 1})";
constexpr const char* kTestFunction = "loopback";

// A call in flight has a thread of its own.
constexpr uint64_t kCallsInFlightMax = 512;
constexpr uint64_t kStreamsInFlightMax = 16'384;
constexpr uint64_t kSignalsMax = 100'000'000;
// Media type and schema id stand in the padded plaintext too.
constexpr uint64_t kSizeMax = crypto::kPaddedSizes.back() - 256;

// The function that answers tests, for whichever area the bundle has it.
Result<std::string> TestRecipient(Invocation& invocation) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const policies, session->policy());
  SCHAKEL_ASSIGN(const auto bundle, policies->Active());
  for (const auto& holder : bundle->compiled->source().functions.functions()) {
    const auto function = policy::FunctionAtArea::Parse(holder.function_at_area());
    if (function && function->function == kTestFunction) return holder.function_at_area();
  }
  return UsageError(invocation.Text(Msg::kNoRecipient), "--to");
}

Status FillUp(const Invocation& invocation, const LoadOptions& options, sdk::SignalDraft& draft) {
  if (options.size == LoadOptions::kUnset) return {};
  for (auto& section : draft.sections) {
    const size_t has = section.content.size();
    if (has > options.size) {
      return UsageError(
          invocation.Text(Msg::kBenchSizeShort, {section.category, std::to_string(has)}), "--size");
    }
    // Spaces behind a JSON value are JSON still, and its schema does not see them.
    crypto::SecretBytes filled(options.size);
    const auto to = filled.ExposeSecretForWrite();
    const auto from = section.content.ExposeSecret();
    std::fill(to.begin(), to.end(), static_cast<uint8_t>(' '));
    std::copy(from.begin(), from.end(), to.begin());
    section.content = std::move(filled);
  }
  return {};
}

}  // namespace

sdk::DraftSection CopyOfSection(const sdk::DraftSection& section) {
  return {section.category,   section.subjects,  section.ground,          section.attested,
          section.media_type, section.schema_id, section.content.Clone(), section.readers};
}

void AddLoadOptions(Verb& verb, LoadOptions& options) {
  auto& draft = options.draft;
  verb.Value("--type", draft.type, Msg::kOptBenchType, "CODE");
  verb.Value("--purpose", draft.purpose, Msg::kOptPurpose, "CODE");
  verb.Values("--ground", draft.grounds, Msg::kOptGround, "[CATEGORY=]CODE");
  verb.Values("--to", draft.to, Msg::kOptTo, "OIN");
  verb.Values("--to-function", draft.to_function, Msg::kOptToFunction, "FUNCTION@AREA");
  verb.Values("--section", draft.sections, Msg::kOptSection, "CATEGORY[:N,..]=@FILE");
  verb.Values("--attest", draft.attest, Msg::kOptAttest, "CODE");
  verb.Choice("--urgency", draft.urgency, Msg::kOptUrgency, "normal|acute",
              v1::Urgency_descriptor());
  verb.Value("--expires", draft.expires, Msg::kOptExpires, "TIME");
  verb.Number("--size", options.size, Msg::kOptBenchSize);
  verb.Number("--sections", options.sections, Msg::kOptBenchSections);
  verb.Number("--senders", options.senders, Msg::kOptBenchSenders);
  verb.Number("--in-flight", options.in_flight, Msg::kOptBenchInFlight);
  verb.Number("--batch", options.batch, Msg::kOptBenchBatch);
  verb.Number("--signals", options.signals, Msg::kOptBenchSignals);
  verb.Value("--duration", options.duration, Msg::kOptBenchDuration, "TIME");
  verb.Value("--warm-up", options.warm_up, Msg::kOptBenchWarmUp, "TIME");
  verb.Flag("--on-a-real-chain", options.on_a_real_chain, Msg::kOptBenchRealChain);
}

Status NumberBetween(const Invocation& invocation, uint64_t number, uint64_t least, uint64_t most,
                     const char* option) {
  if (number >= least && number <= most) return {};
  return UsageError(invocation.Text(Msg::kBetween, {std::to_string(least), std::to_string(most)}),
                    option);
}

Result<std::chrono::nanoseconds> BenchDuration(const Invocation& invocation,
                                               const std::string& text, const char* option) {
  SCHAKEL_ASSIGN(const Millis time, ParseDuration(invocation.language(), text, option));
  if (time > std::chrono::hours(24)) {
    return UsageError(invocation.Text(Msg::kBenchTooLong, {text}), option);
  }
  return std::chrono::nanoseconds(time);
}

Result<LoadSettings> CheckLoad(const Invocation& invocation, const LoadOptions& options) {
  if (options.size != LoadOptions::kUnset) {
    SCHAKEL_TRY(NumberBetween(invocation, options.size, 1, kSizeMax, "--size"));
  }
  SCHAKEL_TRY(NumberBetween(invocation, options.sections, 1, limits::kSectionsMax, "--sections"));
  SCHAKEL_TRY(NumberBetween(invocation, options.senders, 1, limits::kStreamsPerOrganisationMax,
                            "--senders"));
  SCHAKEL_TRY(NumberBetween(invocation, options.batch, 1, limits::kBatchEnvelopesMax, "--batch"));
  LoadSettings settings;
  settings.senders = options.senders;
  settings.batch = options.batch;
  settings.in_flight = options.in_flight;
  if (options.in_flight == LoadOptions::kUnset) {
    settings.in_flight = options.batch == 1
                             ? std::max<uint64_t>(64, options.senders)
                             : options.senders * std::max(options.batch, limits::kPublishWindowMax);
  }
  // Fewer than senders would leave some of them idle.
  SCHAKEL_TRY(NumberBetween(
      invocation, settings.in_flight, settings.senders,
      settings.batch == 1 ? kCallsInFlightMax : settings.senders * kStreamsInFlightMax,
      "--in-flight"));
  if (options.signals != LoadOptions::kUnset) {
    SCHAKEL_TRY(NumberBetween(invocation, options.signals, 1, kSignalsMax, "--signals"));
    settings.signals = options.signals;
  }
  SCHAKEL_ASSIGN(settings.duration, BenchDuration(invocation, options.duration, "--duration"));
  if (options.warm_up != "0" && options.warm_up != "0s") {
    SCHAKEL_ASSIGN(settings.warm_up, BenchDuration(invocation, options.warm_up, "--warm-up"));
  }
  settings.on_a_real_chain = options.on_a_real_chain;
  const auto& draft = options.draft;
  if (!draft.type.empty() && (draft.purpose.empty() || draft.grounds.empty())) {
    const char* const missing = draft.purpose.empty() ? "--purpose" : "--ground";
    return UsageError(invocation.Text(Msg::kMissingFlag, {missing}), missing);
  }
  return settings;
}

Result<sdk::SignalDraft> LoadDraft(Invocation& invocation, const LoadOptions& options,
                                   const std::vector<OrganisationId>& recipients) {
  DraftOptions asked = options.draft;
  asked.unlinked = 1;
  if (asked.type.empty()) {
    asked.type = kTestType;
    if (asked.purpose.empty()) asked.purpose = kTestPurpose;
    if (asked.grounds.empty()) asked.grounds = {kTestGround};
    if (asked.sections.empty()) asked.own_sections = {{kTestCategory, kTestContent}};
    if (asked.to.empty() && asked.to_function.empty() && recipients.empty()) {
      SCHAKEL_ASSIGN(const auto function, TestRecipient(invocation));
      asked.to_function = {function};
    }
  }
  if (asked.to.empty() && asked.to_function.empty()) {
    for (const auto& recipient : recipients) asked.to.push_back(recipient.str());
  }
  SCHAKEL_ASSIGN(auto draft, MakeDraft(invocation, asked));
  const size_t given = draft.sections.size();
  SCHAKEL_TRY(
      NumberBetween(invocation, given * options.sections, 1, limits::kSectionsMax, "--sections"));
  for (uint64_t copy = 1; copy < options.sections; ++copy) {
    for (size_t i = 0; i < given; ++i) draft.sections.push_back(CopyOfSection(draft.sections[i]));
  }
  SCHAKEL_TRY(FillUp(invocation, options, draft));
  return draft;
}

}  // namespace schakel::cli
