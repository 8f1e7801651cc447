// Words that the verbs of schakel audit share: of what was destroyed, of records without sections,
// of whom to ask who an actor is.
#include <algorithm>

#include "clients/cli/audit_parts.h"
#include "clients/cli/parse.h"
#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

// What a sweep destroyed: how many of what, by which rule of which bundle, and where they stood.
std::string SweptText(Invocation& invocation, const v1::Record& record) {
  const auto& facts = record.facts();
  const std::string kind = facts.swept_kind() == v1::RECORD_KIND_UNSPECIFIED
                               ? ""
                               : " (" + Word(invocation.language(), facts.swept_kind()) + ")";
  const std::string place = facts.end_index() == 0
                                ? ""
                                : ", " + std::to_string(facts.first_index()) + "-" +
                                      std::to_string(facts.end_index() - 1);
  return invocation.Text(Msg::kSwept, {std::to_string(facts.count()),
                                       SweptWhat(invocation, facts.swept()) + kind, facts.rule(),
                                       facts.text()}) +
         place;
}

// What became of an entry of the directory: the registrar's reason is its own words.
std::string ChangeText(const Invocation& invocation, const std::string& text) {
  constexpr std::string_view kDisabledSince = "disabled: ";
  if (text == "admitted") return invocation.Text(Msg::kStateAdmitted);
  if (!text.starts_with(kDisabledSince)) return text;
  return invocation.Text(Msg::kStateDisabled) + ": " + text.substr(kDisabledSince.size());
}

}  // namespace

std::string DestroyedText(const Invocation& invocation, const v1::DestroyedRecord& destroyed) {
  return invocation.Text(Msg::kDestroyed,
                         {TimeText(destroyed.time()), destroyed.term(), destroyed.bundle(),
                          std::to_string(destroyed.sweep_index())});
}

std::string SweptWhat(const Invocation& invocation, const std::string& swept) {
  return invocation.Text(swept == "details"      ? Msg::kSweptDetails
                         : swept == "signals"    ? Msg::kSweptSignals
                         : swept == "statements" ? Msg::kSweptStatements
                                                 : Msg::kSweptRecords);
}

std::string AboutText(Invocation& invocation, const v1::Record& record) {
  const auto& facts = record.facts();
  switch (record.kind()) {
    case v1::RECORD_KIND_SWEEP:
      return SweptText(invocation, record);
    case v1::RECORD_KIND_QUERY:
    case v1::RECORD_KIND_POLICY_ACTIVATION:
      return facts.text();
    case v1::RECORD_KIND_DIRECTORY:
      return invocation.names().Organisation(facts.about_organisation()) + ": " +
             ChangeText(invocation, facts.text());
    case v1::RECORD_KIND_KEY_SET:
      return invocation.names().Organisation(facts.about_organisation());
    default:
      return "";
  }
}

void WhomToAsk::Add(const v1::Record& record) {
  const std::string& oin = record.organisation();
  if (oin.empty() || record.actor().empty()) return;
  if (std::find(organisations_.begin(), organisations_.end(), oin) == organisations_.end()) {
    organisations_.push_back(oin);
  }
}

void WhomToAsk::Show(Invocation& invocation) const {
  if (organisations_.empty()) return;
  invocation.Line(invocation.Text(Msg::kWhomToAsk));
  for (const auto& oin : organisations_) {
    const std::string contact = invocation.names().Contact(oin);
    invocation.Line("  " + Printable(invocation.names().Organisation(oin)) + ": " +
                    (contact.empty() ? invocation.Text(Msg::kNoContact) : Printable(contact)));
  }
}

}  // namespace schakel::cli
