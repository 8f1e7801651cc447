// A decision in words: what was looked at, in order, and what failed first. For `policy explain`
// and PolicyService.Explain; never for partners about a real subject, since it tells all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/engine/decide.h"

namespace schakel::policy {

struct Explanation {
  Decision decision;               // equal to Decide()'s
  std::vector<std::string> steps;  // one line each; the last says the outcome
};

// `language`: "nl" for Dutch, anything else for English.
Explanation Explain(const CompiledBundle& bundle, const SectionQuestion& question,
                    std::string_view language);

}  // namespace schakel::policy
