#include "clients/cli/outcomes.h"

#include <map>

#include "clients/cli/words.h"

namespace schakel::cli {

using google::protobuf::RepeatedPtrField;
using policy::CodeKind;

std::string DenialText(Invocation& invocation, const v1::RecipientOutcome& outcome) {
  const Language language = invocation.language();
  std::string text = ReasonWord(language, outcome.reason());
  // With one reason for everything its sections need not repeat it.
  std::map<std::string, std::string> categories;
  for (const auto& denial : outcome.denials()) {
    std::string why = ReasonWord(language, denial.reason());
    if (!denial.rule().empty()) why += " [" + denial.rule() + "]";
    auto& list = categories[why];
    list +=
        (list.empty() ? "" : ", ") + invocation.names().Of(CodeKind::kCategory, denial.category());
  }
  for (const auto& [why, list] : categories) {
    if (why == text) continue;
    text += (text.empty() ? "" : "; ") + list + ": " + why;
  }
  if (!outcome.reason_text().empty()) {
    text += (text.empty() ? "" : "; ") + ("\"" + outcome.reason_text() + "\"");
  }
  if (outcome.has_redirect()) {
    text += (text.empty() ? "-> " : "; -> ") + invocation.names().Function(outcome.redirect());
  }
  return text;
}

Cell StandingCell(Invocation& invocation, const v1::RecipientOutcome& outcome) {
  Cell cell = StateCell(invocation.language(), outcome.state());
  if (!outcome.reported_code().empty()) {
    cell.text += ": " + invocation.names().Of(CodeKind::kOutcome, outcome.reported_code());
  }
  return cell;
}

Table OutcomeTable(Invocation& invocation, const RepeatedPtrField<v1::RecipientOutcome>& outcomes) {
  Table table({invocation.Text(Msg::kColRecipient), invocation.Text(Msg::kColState),
               invocation.Text(Msg::kColGets), invocation.Text(Msg::kColWhyNot)});
  for (const auto& outcome : outcomes) {
    table.Add({invocation.names().Organisation(outcome.recipient()),
               StandingCell(invocation, outcome),
               invocation.names().ListOf(CodeKind::kCategory, outcome.permitted_categories()),
               DenialText(invocation, outcome)});
  }
  return table;
}

std::string StateSummary(Language language,
                         const RepeatedPtrField<v1::RecipientOutcome>& outcomes) {
  std::map<v1::RecipientState, int> counts;
  for (const auto& outcome : outcomes) ++counts[outcome.state()];
  std::string text;
  for (const auto& [state, count] : counts) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + Word(language, state);
  }
  return text;
}

Table PlanTable(Invocation& invocation, const std::vector<sdk::PlannedRecipient>& plan) {
  Table table({invocation.Text(Msg::kColRecipient), invocation.Text(Msg::kColSection),
               invocation.Text(Msg::kColSealed), invocation.Text(Msg::kColRule),
               invocation.Text(Msg::kColWhyNot)});
  for (const auto& recipient : plan) {
    for (const auto& section : recipient.sections) {
      table.Add({invocation.names().Organisation(recipient.oin.str()),
                 invocation.names().Of(CodeKind::kCategory, section.category),
                 section.wrapped ? Cell(invocation.Text(Msg::kYes), Colour::kGood)
                                 : Cell(invocation.Text(Msg::kNo), Colour::kBad),
                 section.rule, ReasonWord(invocation.language(), section.reason)});
    }
  }
  return table;
}

}  // namespace schakel::cli
