// The few rules that the model knows, and how statements combine.
#include <algorithm>

#include "tests/sim/model.h"

namespace schakel::sim {
namespace {

// `general` is `special`, or the same function wherever.
bool FunctionHolds(const Text& general, const Text& special) {
  return general == special || general == special.substr(0, special.find('@'));
}

bool In(const Text& text, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(), [&](const char* item) { return text == item; });
}

int Rank(const ModelAxis& axis) { return static_cast<int>(axis.level); }

bool MoreSpecific(const ModelStatement& a, const ModelStatement& b) {
  const std::vector<std::pair<int, int>> axes = {
      {Rank(a.sender), Rank(b.sender)},         {Rank(a.recipient), Rank(b.recipient)},
      {!a.case_id.empty(), !b.case_id.empty()}, {!a.category.empty(), !b.category.empty()},
      {!a.purpose.empty(), !b.purpose.empty()},
  };
  bool more = false;
  for (auto [left, right] : axes) {
    if (left < right) return false;
    more |= left > right;
  }
  return more;
}

}  // namespace

bool Model::RulePermits(const ModelSignal& s, const Text& recipient,
                        const ModelSection& section) const {
  const Organisation& from = organisations_.at(s.sender);
  const Organisation& to = organisations_.at(recipient);
  const Text& c = section.category;
  if (s.type == "rent-arrears") {
    if (strict_ || s.purpose != "prevent-eviction" || from.sector != "housing") return false;
    if (!In(c, {"finances", "housing"})) return false;
    if (section.ground == "wgs-debt") return to.functions.contains("debt-relief");
    return section.ground == "consent" &&
           (to.functions.contains("debt-relief") || to.functions.contains("neighbourhood-team"));
  }
  if (s.type == "domestic-violence-report") {
    if (section.ground != "wmo-veilig-thuis") return false;
    if (to.functions.contains("domestic-violence-centre") && In(c, {"safety", "social"}) &&
        In(from.sector, {"police", "care", "social-services", "municipality", "safety-house"})) {
      return true;
    }
    return to.functions.contains("neighbourhood-team") && c == "social" &&
           In(from.sector, {"police", "safety-house", "municipality"});
  }
  if (s.type == "care-avoidance") {
    if (section.ground != "consent" || !In(c, {"daily-living", "social"})) return false;
    if (to.functions.contains("neighbourhood-team") &&
        In(from.sector, {"care", "housing", "social-services", "municipality"})) {
      return true;
    }
    return to.functions.contains("ambulatory-care") && In(from.sector, {"care", "municipality"});
  }
  return false;
}

bool Model::AxisMatches(const ModelAxis& axis, const Text& oin) const {
  const Organisation& organisation = organisations_.at(oin);
  switch (axis.level) {
    case ModelAxis::kAny:
      return true;
    case ModelAxis::kSector:
      return organisation.sector == axis.value;
    case ModelAxis::kFunction:
      // Every function of this world is held at dordrecht, the only area that statements name.
      return organisation.functions.contains(axis.value.substr(0, axis.value.find('@')));
    case ModelAxis::kOrganisation:
      return oin == axis.value;
  }
  return false;
}

bool Model::AxisCovers(const ModelAxis& objection, const ModelAxis& consent) const {
  if (objection.level == ModelAxis::kAny) return true;
  if (objection.level == consent.level && objection.value == consent.value) return true;
  if (consent.level == ModelAxis::kOrganisation) {
    return objection.level != ModelAxis::kOrganisation && AxisMatches(objection, consent.value);
  }
  return objection.level == ModelAxis::kFunction && consent.level == ModelAxis::kFunction &&
         FunctionHolds(objection.value, consent.value);
}

bool Model::InForce(const Text& statement) const {
  const auto& s = statements_.at(statement);
  return !s.withdrawn && s.from_ms <= now_ms() && now_ms() < s.until_ms;
}

Model::Standing Model::Look(const Text& sender, const Text& recipient, const Text& subject,
                            const Text& category, const Text& purpose, const Text& case_id) const {
  std::vector<const ModelStatement*> matching;
  auto about = statements_about_.find(subject);
  if (about == statements_about_.end()) return {};
  for (const auto& id : about->second) {
    const auto& s = statements_.at(id);
    if (InForce(id) && AxisMatches(s.sender, sender) && AxisMatches(s.recipient, recipient) &&
        (s.case_id.empty() || s.case_id == case_id) &&
        (s.category.empty() || s.category == category) &&
        (s.purpose.empty() || s.purpose == purpose)) {
      matching.push_back(&s);
    }
  }
  Standing standing;
  for (const auto* s : matching) {
    bool beaten = std::any_of(matching.begin(), matching.end(),
                              [&](const auto* other) { return MoreSpecific(*other, *s); });
    if (beaten) continue;
    if (s->objection) {
      standing.objection = true;
    } else {
      standing.consents.push_back(s->id);
    }
  }
  return standing;
}

bool Model::SectionPermitted(const ModelSignal& s, const Text& recipient,
                             const ModelSection& section, std::set<Text>* relied_on) const {
  if (!RulePermits(s, recipient, section)) return false;
  std::set<Text> relied;
  for (size_t place : section.subjects) {
    const Text& subject = s.subjects[place];
    if (subject.empty()) {
      if (section.ground == "consent" || !organisations_.at(recipient).bsn_authority) return false;
      continue;
    }
    auto standing = Look(s.sender, recipient, subject, section.category, s.purpose, s.case_id);
    if (section.ground == "consent") {
      if (standing.objection || standing.consents.empty()) return false;
      relied.insert(standing.consents.begin(), standing.consents.end());
    } else if (section.ground == "wgs-debt") {
      if (standing.objection && !section.objection_weighed) return false;
    }
  }
  relied_on->insert(relied.begin(), relied.end());
  return true;
}

std::vector<size_t> Model::Decide(const ModelSignal& s, size_t slot,
                                  const std::vector<size_t>& offered,
                                  std::set<Text>* relied_on) const {
  std::vector<size_t> permitted;
  for (size_t place : offered) {
    if (SectionPermitted(s, s.recipients[slot], s.sections[place], relied_on)) {
      permitted.push_back(place);
    }
  }
  return permitted;
}

std::vector<size_t> Model::DecideAgain(const ModelItem& item, std::set<Text>* relied_on) const {
  const ModelSignal& s = *item.signal;
  if (!enabled(s.sender) || !enabled(item.recipient)) return {};
  return Decide(s, item.slot, s.permitted[item.slot], relied_on);
}

}  // namespace schakel::sim
