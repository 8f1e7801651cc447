#include "policy/engine/matrix_draft.h"

#include "policy/engine/rule_terms.h"

namespace schakel::policy {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

bool Contains(const Strings& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// For how many parties of a kind a term of a forbid holds.
enum class Fit { kNone, kSome, kAll };

// A forbid and a draft, term by term.
class Meeting {
 public:
  Meeting(const v1::BundleRule& forbid, Draft* draft, const CodeIndex& sectors)
      : sectors_(sectors) {
    AddParty(forbid.from(), &draft->sender);
    AddParty(forbid.to(), &draft->recipient);
    Add(TakesArea(forbid.area(), draft->area) ? Fit::kAll : Fit::kSome);
    Add(TakesCase(forbid.case_relation(), draft->case_relation) ? Fit::kAll : Fit::kSome);
  }

  // The forbid takes nobody of the draft, or everybody.
  bool TakesNone() const { return none_; }
  bool TakesAll() const { return !none_ && some_ == 0; }

  // When only the sectors of one side decide whom it takes: takes those away. False otherwise.
  bool TakeSectors() {
    if (none_ || some_ != 1 || by_sector_ == nullptr) return false;
    for (size_t i = 0; i < by_sector_->sectors.size(); ++i) {
      if (Contains(*taken_, sectors_.code(i))) by_sector_->sectors[i] = 0;
    }
    return true;
  }

 private:
  void Add(Fit fit) {
    none_ |= fit == Fit::kNone;
    some_ += fit == Fit::kSome ? 1 : 0;
  }

  void AddParty(const v1::BundleRuleParty& rule, DraftParty* party) {
    const Fit sectors = SectorFit(rule.sectors(), *party);
    Add(sectors);
    if (sectors == Fit::kSome) {
      by_sector_ = party;
      taken_ = &rule.sectors();
    }
    // Who fulfils one function may fulfil another as well.
    if (!rule.functions().empty()) {
      Add(Contains(rule.functions(), party->function) ? Fit::kAll : Fit::kSome);
    }
    if (!rule.organisations().empty()) {
      Add(party->organisation.empty()                           ? Fit::kSome
          : Contains(rule.organisations(), party->organisation) ? Fit::kAll
                                                                : Fit::kNone);
    }
  }

  Fit SectorFit(const Strings& named, const DraftParty& party) const {
    if (named.empty()) return Fit::kAll;
    bool some = false;
    bool all = true;
    for (size_t i = 0; i < party.sectors.size(); ++i) {
      if (!party.sectors[i]) continue;
      const bool in = Contains(named, sectors_.code(i));
      some |= in;
      all &= in;
    }
    return all ? Fit::kAll : some ? Fit::kSome : Fit::kNone;
  }

  const CodeIndex& sectors_;
  bool none_ = false;
  int some_ = 0;
  DraftParty* by_sector_ = nullptr;
  const Strings* taken_ = nullptr;
};

}  // namespace

bool Draft::TakeAway(const std::vector<const v1::BundleRule*>& forbids, const CodeIndex& sectors) {
  // What one forbid leaves may decide how much another takes.
  for (bool again = true; again;) {
    again = false;
    for (const v1::BundleRule* forbid : forbids) {
      Meeting meeting(*forbid, this, sectors);
      if (meeting.TakesAll()) return false;
      again |= meeting.TakeSectors();
    }
  }
  for (const v1::BundleRule* forbid : forbids) {
    if (!Meeting(*forbid, this, sectors).TakesNone()) except.push_back(forbid->id());
  }
  return true;
}

}  // namespace schakel::policy
