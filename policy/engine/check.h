// `policy check`: mistakes that make a bundle unusable, and rules that do not do what they seem to.
#pragma once

#include <string>
#include <vector>

#include "policy/engine/bundle.h"

namespace schakel::policy {

enum class Severity : uint8_t { kError, kWarning };

struct Finding {
  Severity severity = Severity::kError;
  std::string kind;     // stable, lower case with hyphens: see below
  std::string place;    // "file:line"
  std::string message;  // English, for people
  bool operator==(const Finding&) const = default;
};

// All findings, in order of file and line. Kinds:
//   invalid                 what ParseBundle or Compile refuse (error)
//   unknown-code            a code that is not in its list (error)
//   rule-never-matches      a rule that no question can meet (error)
//   rule-shadowed           a permit of which a forbid takes everything (error)
//   type-without-recipient  a signal type that nobody may get (error)
//   ground-without-article  a statutory ground without an article (error)
//   missing-exception       a permit for special data under a ground without an exception (error)
//   outcome-never-reported  an outcome that no signal type has (warning)
//   consent-public-body     consent with a public body as sender or recipient (warning)
// The others are looked for only in a bundle that compiles.
std::vector<Finding> CheckBundle(const BundleFiles& files);

// Whether one of them is an error.
bool HasErrors(const std::vector<Finding>& findings);

}  // namespace schakel::policy
