// The flags that describe a signal, and the draft that they make.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "clients/cli/verb.h"
#include "clients/sdk/signal_draft.h"

namespace schakel::cli {

struct DraftOptions {
  std::string type;
  std::string purpose;
  std::vector<std::string> grounds;      // CODE for all sections, CATEGORY=CODE for one
  std::vector<std::string> to;           // OINs
  std::vector<std::string> to_function;  // function@Area
  std::vector<std::string> subject_bsn;
  uint64_t unlinked = 0;
  std::vector<std::string> sections;    // CATEGORY[:N,M]=@FILE
  std::vector<std::string> identities;  // @FILE or N=@FILE
  // Category and content that the program itself puts in: no flag.
  std::vector<std::pair<std::string, std::string>> own_sections;
  std::vector<std::string> attest;
  std::string case_id;
  std::string urgency = "normal";
  std::string expires;
  std::string supersedes;
  std::string follows;
};

void AddDraftOptions(Verb& verb, DraftOptions& options);

// Reads files and asks custodians. Subjects are numbered from 1: those with a BSN in order, then
// the unlinked ones. Errors: USAGE and those of Input, the custodians.
Result<sdk::SignalDraft> MakeDraft(Invocation& invocation, const DraftOptions& options);

// "CATEGORY", "CATEGORY:N,M" -> code and numbers. USAGE for other forms.
struct SectionTarget {
  std::string category;
  std::vector<uint16_t> subjects;
  bool operator==(const SectionTarget&) const = default;
};
Result<SectionTarget> ParseSectionTarget(Language language, const std::string& text);

}  // namespace schakel::cli
