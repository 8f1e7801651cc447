#include "policy/engine/explain.h"

#include <algorithm>

#include "policy/engine/resolve.h"
#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

// Rules that fail on one thing only are worth showing; more of them than this are not.
constexpr size_t kNearMissesMax = 5;

class Explainer {
 public:
  Explainer(const CompiledBundle& bundle, const SectionQuestion& q, std::string_view language)
      : bundle_(bundle),
        t_(bundle.tables()),
        q_(q),
        dutch_(language == "nl"),
        language_(language) {}

  Explanation Run() {
    Explanation out;
    out.decision = Decide(bundle_, q_);
    Question();
    const DenyReason reason = out.decision.reason;
    if (reason == DenyReason::kUnknownCode) {
      UnknownCodes();
    } else {
      Ground();
      const bool before_rules = reason == DenyReason::kUnlinkedSubject ||
                                reason == DenyReason::kBsnAuthorityMissing ||
                                reason == DenyReason::kGroundNotApplicable;
      if (!before_rules) {
        Rules();
        Conditions();
        Statements();
      }
    }
    if (out.decision.permitted) ToReport();
    Outcome(out.decision);
    out.steps = std::move(steps_);
    return out;
  }

 private:
  void Say(const std::string& nl, const std::string& en) { steps_.push_back(dutch_ ? nl : en); }

  std::string Name(CodeKind kind, const std::string& code) const {
    const std::string name = bundle_.NameOf(kind, code, language_);
    return name == code ? "'" + code + "'" : name + " (" + code + ")";
  }

  std::string PartyText(const Party& party) const {
    return party.oin.str() + ", " + Name(CodeKind::kSector, party.sector);
  }

  void Question() {
    const std::string type = Name(CodeKind::kSignalType, q_.signal_type);
    const std::string purpose = Name(CodeKind::kPurpose, q_.purpose);
    const std::string category = Name(CodeKind::kCategory, q_.category);
    const std::string at = q_.addressed ? " @ " + q_.addressed->str() : "";
    Say("Vraag: " + type + ", onderdeel " + category + ", doel " + purpose + ", van " +
            PartyText(q_.sender) + " naar " + PartyText(q_.recipient) + at + ".",
        "Question: " + type + ", section " + category + ", purpose " + purpose + ", from " +
            PartyText(q_.sender) + " to " + PartyText(q_.recipient) + at + ".");
    About(CodeKind::kSignalType, q_.signal_type);
  }

  // What a code is for, when the bundle says so.
  void About(CodeKind kind, const std::string& code) {
    const std::string about = bundle_.AboutOf(kind, code, language_);
    if (!about.empty()) {
      steps_.push_back(bundle_.NameOf(kind, code, language_) + ": " + about + ".");
    }
  }

  // What the recipient can report afterwards.
  void ToReport() {
    std::string codes;
    for (const std::string& code : bundle_.OutcomesOf(q_.signal_type)) {
      codes += (codes.empty() ? "" : ", ") + Name(CodeKind::kOutcome, code);
    }
    if (codes.empty()) return;
    Say("De ontvanger kan als uitkomst melden: " + codes + ".",
        "The recipient can report as outcome: " + codes + ".");
  }

  void UnknownCodes() {
    const auto check = [&](bool known, const std::string& nl, const std::string& en,
                           const std::string& code) {
      if (!known)
        Say("Onbekend: " + nl + " '" + code + "'.", "Unknown: " + en + " '" + code + "'.");
    };
    check(bundle_.FindSignalType(q_.signal_type) != nullptr, "signaaltype", "signal type",
          q_.signal_type);
    check(bundle_.KnowsPurpose(q_.purpose), "doel", "purpose", q_.purpose);
    check(bundle_.FindCategory(q_.category) != nullptr, "onderdeel", "category", q_.category);
    check(bundle_.FindGround(q_.ground) != nullptr, "grondslag", "ground", q_.ground);
    check(bundle_.KnowsSector(q_.sender.sector), "sector", "sector", q_.sender.sector);
    check(bundle_.KnowsSector(q_.recipient.sector), "sector", "sector", q_.recipient.sector);
    for (const std::string& condition : q_.attested) {
      check(bundle_.KnowsCondition(condition), "voorwaarde", "condition", condition);
    }
    if (q_.addressed && bundle_.Resolve(*q_.addressed) != q_.recipient.oin) {
      Say("De ontvanger vervult " + q_.addressed->str() + " niet.",
          "The recipient does not fulfil " + q_.addressed->str() + ".");
    }
  }

  void Ground() {
    const Code ground = bundle_.Ground(q_.ground);
    const GroundTable& g = t_.ground[ground];
    const std::string name = Name(CodeKind::kGround, q_.ground);
    Say("Grondslag: " + name + ", " + std::string(g.article) + ".",
        "Ground: " + name + ", " + std::string(g.article) + ".");
    About(CodeKind::kGround, q_.ground);
    const auto check = [&](bool holds, const std::string& nl, const std::string& en) {
      if (!holds)
        Say("De grondslag geldt niet voor " + nl + ".", "The ground does not hold for " + en + ".");
    };
    const Code category = bundle_.Category(q_.category);
    check(g.sectors[t_.sectors.Find(q_.sender.sector)], "deze sector", "this sector");
    check(g.signal_types[bundle_.SignalType(q_.signal_type)], "dit signaaltype",
          "this signal type");
    check(g.purposes[bundle_.Purpose(q_.purpose)], "dit doel", "this purpose");
    check(g.categories[category], "dit onderdeel", "this category");
    check(!g.nobody || !q_.subject_linked, "een gekoppelde betrokkene", "a linked subject");
    if (g.nobody) {
      Say("De betrokkene staat voor niemand: dit is proefverkeer.",
          "The subject stands for nobody: this is test traffic.");
    } else if (!q_.subject_linked) {
      Say("De betrokkene is nog niet gekoppeld aan een pseudoniem.",
          "The subject is not linked to a pseudonym yet.");
    }
    if (t_.category_kind[category] == v1::BUNDLE_CATEGORY_KIND_IDENTITY_BSN ||
        (!g.nobody && !q_.subject_linked)) {
      const auto yes = [](bool b, const char* if_true, const char* if_false) {
        return std::string(b ? if_true : if_false);
      };
      Say("BSN-bevoegdheid: afzender " + yes(q_.sender.bsn_authority, "wel", "niet") +
              ", ontvanger " + yes(q_.recipient.bsn_authority, "wel", "niet") + ".",
          "BSN authority: sender " + yes(q_.sender.bsn_authority, "yes", "no") + ", recipient " +
              yes(q_.recipient.bsn_authority, "yes", "no") + ".");
    }
  }

  // What of a rule does not match, in words; empty when it matches.
  std::vector<std::string> Misses(size_t bit, const InternedParty& sender,
                                  const InternedParty& recipient, const Pair& pair) const {
    std::vector<std::string> out;
    const auto check = [&](bool matches, const char* nl, const char* en) {
      if (!matches) out.push_back(dutch_ ? nl : en);
    };
    check(HasBit(sender.as_sender, bit), "afzender", "sender");
    check(HasBit(t_.RecipientBits(recipient, pair.addressed), bit), "ontvanger", "recipient");
    check(HasBit(t_.AreaBits(sender, recipient, pair.addressed), bit), "gebied", "area");
    check(HasBit(t_.by_type[bundle_.SignalType(q_.signal_type)], bit), "signaaltype",
          "signal type");
    check(HasBit(t_.by_purpose[bundle_.Purpose(q_.purpose)], bit), "doel", "purpose");
    check(HasBit(t_.by_category[bundle_.Category(q_.category)], bit), "onderdeel", "category");
    check(HasBit(t_.by_ground[bundle_.Ground(q_.ground)], bit), "grondslag", "ground");
    check(HasBit(t_.by_case[static_cast<size_t>(q_.case_relation)], bit), "casus", "case");
    return out;
  }

  void Rules() {
    const InternedParty sender = bundle_.Intern(q_.sender);
    const InternedParty recipient = bundle_.Intern(q_.recipient);
    const Pair pair = bundle_.Meet(sender, recipient, q_.addressed);
    bool permit = false;
    std::vector<std::string> near;
    for (size_t bit = 0; bit < t_.rule_at.size(); ++bit) {
      if (t_.rule_at[bit] < 0) continue;
      const v1::BundleRule& rule = bundle_.source().rules.rules(t_.rule_at[bit]);
      const bool forbids = rule.effect() == v1::BUNDLE_RULE_EFFECT_FORBID;
      const auto misses = Misses(bit, sender, recipient, pair);
      if (misses.empty()) {
        permit = permit || !forbids;
        const std::string why = rule.why().empty() ? "" : ": " + rule.why();
        Say("Regel " + rule.id() + (forbids ? " verbiedt" : " staat toe") + why + ".",
            "Rule " + rule.id() + (forbids ? " forbids" : " permits") + why + ".");
      } else if (misses.size() == 1 && !forbids) {
        near.push_back((dutch_ ? "Regel " + rule.id() + " past niet op: "
                               : "Rule " + rule.id() + " does not match on: ") +
                       misses[0] + ".");
      }
    }
    if (permit) return;
    const Code type = bundle_.SignalType(q_.signal_type);
    if (!t_.TypeHasPurpose(type, bundle_.Purpose(q_.purpose))) {
      Say("Het signaaltype kent dit doel niet.", "The signal type does not have this purpose.");
    }
    if (!t_.TypeHasCategory(type, bundle_.Category(q_.category))) {
      Say("Het signaaltype kent dit onderdeel niet.",
          "The signal type does not have this category.");
    }
    Say("Geen enkele regel staat dit toe.", "No rule permits this.");
    near.resize(std::min(near.size(), kNearMissesMax));
    steps_.insert(steps_.end(), near.begin(), near.end());
  }

  void Conditions() {
    for (const std::string& condition : bundle_.FindGround(q_.ground)->conditions()) {
      const bool attested =
          std::find(q_.attested.begin(), q_.attested.end(), condition) != q_.attested.end();
      const std::string name = Name(CodeKind::kCondition, condition);
      Say("Voorwaarde " + name + (attested ? ": bevestigd." : ": niet bevestigd."),
          "Condition " + name + (attested ? ": attested." : ": not attested."));
    }
    if (q_.shielded) {
      Say("De betrokkene is afgeschermd: alleen een regel die de ontvanger noemt telt.",
          "The subject is shielded: only a rule that names the recipient counts.");
    }
  }

  void Statements() {
    if (q_.statements.empty()) {
      Say("Geen toestemming of bezwaar bekend.", "No consent or objection is known.");
      return;
    }
    const Pair pair =
        bundle_.Meet(bundle_.Intern(q_.sender), bundle_.Intern(q_.recipient), q_.addressed);
    std::vector<InternedStatement> statements;
    for (const ConsentFact& fact : q_.statements) statements.push_back(bundle_.Intern(fact));
    EnvelopeFacts envelope;
    envelope.signal_type = bundle_.SignalType(q_.signal_type);
    envelope.purpose = bundle_.Purpose(q_.purpose);
    envelope.case_id = q_.case_id;
    envelope.now = q_.now;
    const Resolution resolution =
        ResolveStatements(pair, envelope, bundle_.Category(q_.category), statements);
    const std::string count = std::to_string(q_.statements.size());
    const std::string standing = std::to_string(resolution.consents.size());
    Say("Van " + count + " verklaringen gelden er voor deze uitwisseling " + standing +
            " toestemming(en)" + (resolution.objection ? " en een bezwaar." : " en geen bezwaar."),
        "Of " + count + " statements, " + standing + " consent(s) hold for this exchange" +
            (resolution.objection ? " and an objection." : " and no objection."));
  }

  void Outcome(const Decision& decision) {
    if (decision.permitted) {
      Say("Toegestaan, op regel " + std::string(decision.rule) + ".",
          "Permitted, by rule " + std::string(decision.rule) + ".");
      return;
    }
    Say("Geweigerd: " + std::string(ReasonName(decision.reason)) + ".",
        "Denied: " + std::string(ReasonName(decision.reason)) + ".");
  }

  const CompiledBundle& bundle_;
  const Tables& t_;
  const SectionQuestion& q_;
  const bool dutch_;
  const std::string language_;
  std::vector<std::string> steps_;
};

}  // namespace

Explanation Explain(const CompiledBundle& bundle, const SectionQuestion& question,
                    std::string_view language) {
  return Explainer(bundle, question, language).Run();
}

}  // namespace schakel::policy
