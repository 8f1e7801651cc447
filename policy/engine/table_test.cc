#include "policy/engine/table_test.h"

#include <algorithm>
#include <map>

namespace schakel::policy {
namespace {

using std::chrono_literals::operator""h;

// Any moment will do: statements are placed around it.
constexpr Millis kNow{1'000'000'000'000};

CaseId TestCase() {
  CaseId id;
  id.bytes.fill(1);
  return id;
}

// Reads "sector:police", "function:debt-relief@dordrecht", "organisation:OIN" or nothing.
std::optional<PartyAxis> ParseAxis(const std::string& text) {
  if (text.empty()) return PartyAxis::Any();
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string kind = text.substr(0, colon);
  const std::string value = text.substr(colon + 1);
  if (kind == "sector") return PartyAxis::Sector(value);
  if (kind == "function") return PartyAxis{PartyAxisLevel::kFunction, value};
  const auto oin = OrganisationId::From(value);
  if (kind == "organisation" && oin) return PartyAxis::Organisation(*oin);
  return std::nullopt;
}

class Runner {
 public:
  explicit Runner(const CompiledBundle& bundle) : bundle_(bundle) {
    for (const v1::BundleTestParty& source : bundle.source().tests.parties()) {
      const auto oin = OrganisationId::From(source.oin());
      if (!oin) continue;
      Party party{*oin, source.sector(), {}, {}, source.bsn_authority()};
      party.areas.assign(source.areas().begin(), source.areas().end());
      parties_.emplace(source.name(), std::move(party));
    }
  }

  Result<TestQuestion> Ask(const v1::BundleTest& test) const {
    const auto wrong = [](std::string what) {
      return InvalidArgument("BUNDLE_INVALID", std::string(kTestsFile), std::move(what));
    };
    const auto sender = parties_.find(test.from());
    if (sender == parties_.end()) return wrong("unknown party '" + test.from() + "'");
    std::optional<FunctionAtArea> addressed;
    const Party* recipient = FindRecipient(test.to(), &addressed);
    if (recipient == nullptr) return wrong("unknown party or function '" + test.to() + "'");

    TestQuestion question;
    for (const v1::BundleTestStatement& source : test.statements()) {
      const auto fact = ToFact(source);
      if (!fact) return wrong("expected an axis as sector:CODE, function:CODE or organisation:OIN");
      question.statements.push_back(bundle_.Intern(*fact));
    }
    auto& envelope = question.envelope;
    envelope.signal_type = bundle_.SignalType(test.type());
    envelope.purpose = bundle_.Purpose(test.purpose());
    if (test.in_case()) envelope.case_id = TestCase();
    envelope.case_relation = test.in_case() ? CaseRelation::kParticipants : CaseRelation::kNone;
    envelope.now = kNow;
    const std::vector<std::string> attested(test.attested().begin(), test.attested().end());
    for (const std::string& category : test.categories()) {
      question.sections.push_back({bundle_.Category(category),
                                   bundle_.Ground(test.ground()),
                                   bundle_.Conditions(attested),
                                   {0}});
    }
    question.linked = !test.unlinked();
    question.shielded = test.shielded();
    question.pair =
        bundle_.Meet(bundle_.Intern(sender->second), bundle_.Intern(*recipient), addressed);
    return question;
  }

  // Empty when the test passes, otherwise what came out.
  std::string Run(const v1::BundleTest& test) const {
    const auto question = Ask(test);
    if (!question.ok()) return question.error().message;
    const SubjectFacts subject = question->subject();
    return Compare(test, DecideRecipient(bundle_, question->pair, question->envelope,
                                         question->sections, std::span(&subject, 1)));
  }

 private:
  const Party* FindRecipient(const std::string& to,
                             std::optional<FunctionAtArea>* addressed) const {
    if (const auto it = parties_.find(to); it != parties_.end()) return &it->second;
    *addressed = FunctionAtArea::Parse(to);
    if (!*addressed) return nullptr;
    const auto oin = bundle_.Resolve(**addressed);
    for (const auto& [name, party] : parties_) {
      if (oin && party.oin == *oin) return &party;
    }
    return nullptr;
  }

  static std::optional<ConsentFact> ToFact(const v1::BundleTestStatement& source) {
    const auto sender = ParseAxis(source.sender());
    const auto recipient = ParseAxis(source.recipient());
    if (!sender || !recipient) return std::nullopt;
    ConsentFact fact;
    fact.kind = source.kind() == v1::BUNDLE_TEST_STATEMENT_KIND_OBJECTION
                    ? StatementKind::kObjection
                    : StatementKind::kConsent;
    fact.axes = {*sender, *recipient, std::nullopt, source.category(), source.purpose()};
    if (source.in_case()) fact.axes.case_id = TestCase();
    fact.not_before = source.not_yet() ? kNow + 1h : kNow - 2h;
    fact.not_after = source.expired() ? kNow - 1h : kNow + 2h;
    if (source.withdrawn()) fact.withdrawn_at = kNow - 1h;
    return fact;
  }

  static std::string Compare(const v1::BundleTest& test, const RecipientDecision& decided) {
    std::vector<std::string> got;
    for (const uint16_t place : decided.permitted) got.push_back(test.categories(place));
    const std::string outcome(ReasonCode(decided.reason()));
    if (outcome != test.expect()) {
      std::string message = "expected " + test.expect() + ", got " + outcome;
      if (!got.empty()) message += " of " + Join(got);
      return message;
    }
    if (test.expect() == "permit") {
      std::vector<std::string> want(test.only().begin(), test.only().end());
      if (want.empty()) want.assign(test.categories().begin(), test.categories().end());
      auto sorted = got;
      std::sort(sorted.begin(), sorted.end());
      std::sort(want.begin(), want.end());
      if (sorted != want) return "expected a permit of " + Join(want) + ", got " + Join(got);
    }
    const auto place = decided.denied_by.value_or(got.empty() ? uint16_t{0} : decided.permitted[0]);
    const std::string_view rule = decided.sections[place].deciding().rule;
    if (!test.rule().empty() && rule != test.rule()) {
      return "expected rule '" + test.rule() + "', got '" + std::string(rule) + "'";
    }
    return {};
  }

  static std::string Join(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
  }

  const CompiledBundle& bundle_;
  std::map<std::string, Party> parties_;
};

}  // namespace

Result<TestQuestion> QuestionOf(const CompiledBundle& bundle, const v1::BundleTest& test) {
  return Runner(bundle).Ask(test);
}

std::vector<TestOutcome> RunTableTests(const CompiledBundle& bundle) {
  const Runner runner(bundle);
  std::vector<TestOutcome> outcomes;
  for (const v1::BundleTest& test : bundle.source().tests.tests()) {
    TestOutcome outcome;
    outcome.name = test.name();
    outcome.place = std::string(kTestsFile) + ":" + std::to_string(test.source_line());
    outcome.message = runner.Run(test);
    outcome.passed = outcome.message.empty();
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace schakel::policy
