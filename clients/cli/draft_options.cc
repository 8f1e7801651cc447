#include "clients/cli/draft_options.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "clients/cli/parse.h"
#include "clients/cli/subjects.h"
#include "clients/cli/words.h"
#include "clients/sdk/pseudonym_client.h"

namespace schakel::cli {
namespace {

Status AddSection(Invocation& invocation, const SectionTarget& target, const std::string& file,
                  sdk::SignalDraft& draft) {
  sdk::DraftSection section;
  section.category = target.category;
  section.subjects = target.subjects;
  SCHAKEL_ASSIGN(section.content, invocation.input().Read(invocation.language(), file, 1 << 16));
  draft.sections.push_back(std::move(section));
  return {};
}

Status AddSections(Invocation& invocation, const DraftOptions& options, sdk::SignalDraft& draft) {
  for (const auto& text : options.sections) {
    SCHAKEL_ASSIGN(const auto pair, ParsePair(invocation.language(), text, "--section"));
    SCHAKEL_ASSIGN(const auto target, ParseSectionTarget(invocation.language(), pair.first));
    SCHAKEL_TRY(AddSection(invocation, target, pair.second, draft));
  }
  for (const auto& [category, content] : options.own_sections) {
    sdk::DraftSection section;
    section.category = category;
    section.content = crypto::SecretBytes::CopyOf(content);
    draft.sections.push_back(std::move(section));
  }
  for (const auto& text : options.identities) {
    SectionTarget target{"identity", {}};
    std::string file = text;
    if (!text.starts_with('@') && text != "-") {
      SCHAKEL_ASSIGN(const auto pair, ParsePair(invocation.language(), text, "--identity"));
      SCHAKEL_ASSIGN(target, ParseSectionTarget(invocation.language(), "identity:" + pair.first));
      file = pair.second;
    } else if (options.unlinked + options.subject_bsn.size() > 1) {
      // Whose name would be ambiguous, and the wrong person's name is a data breach.
      return UsageError(invocation.Text(Msg::kIdentityOfWhom), "--identity");
    }
    SCHAKEL_TRY(AddSection(invocation, target, file, draft));
  }
  return {};
}

Status AddGrounds(Invocation& invocation, const DraftOptions& options, sdk::SignalDraft& draft) {
  std::string common;
  std::map<std::string, std::string> of_category;
  for (const auto& text : options.grounds) {
    if (text.find('=') == std::string::npos) {
      if (!common.empty()) return UsageError(invocation.Text(Msg::kTwoGrounds), "--ground");
      common = text;
    } else {
      SCHAKEL_ASSIGN(const auto pair, ParsePair(invocation.language(), text, "--ground"));
      of_category[pair.first] = pair.second;
    }
  }
  for (auto& section : draft.sections) {
    const auto own = of_category.find(section.category);
    section.ground = own == of_category.end() ? common : own->second;
    if (section.ground.empty()) {
      return UsageError(invocation.Text(Msg::kNoGround, {section.category}), "--ground");
    }
    section.attested = options.attest;
  }
  return {};
}

}  // namespace

void AddDraftOptions(Verb& verb, DraftOptions& options) {
  verb.Value("--type", options.type, Msg::kOptType, "CODE").Required();
  verb.Value("--purpose", options.purpose, Msg::kOptPurpose, "CODE").Required();
  verb.Values("--ground", options.grounds, Msg::kOptGround, "[CATEGORY=]CODE").Required();
  verb.Values("--to", options.to, Msg::kOptTo, "OIN");
  verb.Values("--to-function", options.to_function, Msg::kOptToFunction, "FUNCTION@AREA");
  verb.Values("--subject-bsn", options.subject_bsn, Msg::kOptSubjectBsn, "@FILE");
  verb.Count("--subject-unlinked", options.unlinked, Msg::kOptUnlinked);
  verb.Values("--section", options.sections, Msg::kOptSection, "CATEGORY[:N,..]=@FILE");
  verb.Values("--identity", options.identities, Msg::kOptIdentity, "[N=]@FILE");
  verb.Values("--attest", options.attest, Msg::kOptAttest, "CODE");
  verb.Value("--case", options.case_id, Msg::kOptCase, "ID");
  verb.Choice("--urgency", options.urgency, Msg::kOptUrgency, "normal|acute",
              v1::Urgency_descriptor());
  verb.Value("--expires", options.expires, Msg::kOptExpires, "TIME");
  verb.Value("--supersedes", options.supersedes, Msg::kOptSupersedes, "ID");
  verb.Value("--follows", options.follows, Msg::kOptFollows, "ID");
}

Result<SectionTarget> ParseSectionTarget(Language language, const std::string& text) {
  SectionTarget target;
  const size_t colon = text.find(':');
  target.category = text.substr(0, colon);
  if (target.category.empty()) return UsageError(Say(language, Msg::kNoCategory), "--section");
  if (colon == std::string::npos) return target;
  const char* at = text.data() + colon + 1;
  const char* const end = text.data() + text.size();
  while (true) {
    uint16_t number = 0;
    const auto [next, code] = std::from_chars(at, end, number);
    if (code != std::errc() || number == 0 || (next != end && *next != ',')) {
      return UsageError(Say(language, Msg::kSubjectNumbers, {text}), "--section");
    }
    target.subjects.push_back(number);
    if (next == end) return target;
    at = next + 1;
  }
}

Result<sdk::SignalDraft> MakeDraft(Invocation& invocation, const DraftOptions& options) {
  sdk::SignalDraft draft;
  draft.signal_type = options.type;
  draft.purpose = options.purpose;
  const auto* urgency = ValueOfCode(v1::Urgency_descriptor(), options.urgency);
  if (urgency == nullptr) {
    return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(v1::Urgency_descriptor())}),
                      "--urgency");
  }
  draft.urgency = static_cast<v1::Urgency>(urgency->number());
  if (!options.expires.empty()) {
    SCHAKEL_ASSIGN(draft.expires_in,
                   ParseDuration(invocation.language(), options.expires, "--expires"));
  }
  if (!options.supersedes.empty()) {
    SCHAKEL_ASSIGN(draft.supersedes,
                   ParseId<SignalId>(invocation.language(), options.supersedes, "--supersedes"));
  }
  if (!options.follows.empty()) {
    SCHAKEL_ASSIGN(draft.follows,
                   ParseId<SignalId>(invocation.language(), options.follows, "--follows"));
  }
  if (!options.case_id.empty()) {
    SCHAKEL_ASSIGN(draft.case_id,
                   ParseId<CaseId>(invocation.language(), options.case_id, "--case"));
  }
  for (const auto& text : options.to) {
    SCHAKEL_ASSIGN(auto oin, ParseOin(invocation.language(), text, "--to"));
    draft.recipients.push_back(sdk::Addressee::To(std::move(oin)));
  }
  for (const auto& text : options.to_function) {
    SCHAKEL_ASSIGN(auto function, ParseFunction(invocation.language(), text, "--to-function"));
    draft.recipients.push_back(sdk::Addressee::To(std::move(function)));
  }
  if (draft.recipients.empty()) return UsageError(invocation.Text(Msg::kNoRecipient), "--to");
  if (options.subject_bsn.empty() && options.unlinked == 0) {
    return UsageError(invocation.Text(Msg::kNoSubject), "--subject-bsn");
  }
  // What costs nothing first: the custodians count every number that they are asked about.
  SCHAKEL_TRY(AddSections(invocation, options, draft));
  if (draft.sections.empty()) return UsageError(invocation.Text(Msg::kNoSection), "--section");
  SCHAKEL_TRY(AddGrounds(invocation, options, draft));
  SCHAKEL_ASSIGN(draft.subjects, LinkedSubjects(invocation, options.subject_bsn));
  // One file may hold several numbers, which is known only now.
  const bool vague = std::any_of(
      draft.sections.begin(), draft.sections.end(),
      [](const auto& each) { return each.category == "identity" && each.subjects.empty(); });
  if (vague && draft.subjects.size() + options.unlinked > 1) {
    return UsageError(invocation.Text(Msg::kIdentityOfWhom), "--identity");
  }
  for (uint64_t i = 0; i < options.unlinked; ++i) draft.subjects.push_back(sdk::UnlinkedSubject());
  return draft;
}

}  // namespace schakel::cli
