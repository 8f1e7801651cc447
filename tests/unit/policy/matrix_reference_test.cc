// The reference bundle's matrix says what Decide() says: for every row, and for everything that
// stands in no row.
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "tests/unit/policy/matrix_reading.h"

namespace schakel::policy {
namespace {

// Both work for a neighbourhood: every area relation holds.
bool Always(v1::BundleAreaRelation, const SectionQuestion&) { return true; }

// A made-up organisation of a kind, or the one that is named.
Party PartyOf(const std::string& sector, const std::string& function, const std::string& oin,
              int number) {
  Party party{
      oin.empty() ? Oin(number) : *OrganisationId::From(oin), sector, {}, {"wielwijk"}, true};
  if (!function.empty()) party.functions.push_back({function, "wielwijk"});
  return party;
}

SectionQuestion QuestionOf(const CompiledBundle& bundle, const MatrixRow& row,
                           const std::string& sender, const std::string& recipient) {
  SectionQuestion q{
      .sender = PartyOf(sender, row.sender.function, row.sender.organisation, 990'001),
      .recipient = PartyOf(recipient, row.recipient.function, row.recipient.organisation, 990'002)};
  if (!row.recipient.function.empty()) {
    q.addressed = FunctionAtArea{row.recipient.function, "wielwijk"};
  }
  q.signal_type = row.signal_type;
  q.purpose = row.purposes.front();
  q.category = row.category;
  q.ground = row.ground;
  q.attested = AllConditions(bundle);
  q.case_relation = CaseRelation::kParticipants;
  q.statements = std::span(&kConsent, 1);
  q.subject_linked = !row.nobody;
  return q;
}

TEST(Matrix, OfTheReferenceBundleHoldsRowByRow) {
  const auto bundle = ReferenceBundle();
  const auto rows = Matrix(*bundle, {});
  EXPECT_GT(rows.size(), 500u);
  for (const MatrixRow& row : rows) {
    for (const std::string& sender : row.sender.sectors) {
      for (const std::string& recipient : row.recipient.sectors) {
        SectionQuestion q = QuestionOf(*bundle, row, sender, recipient);
        for (const std::string& purpose : row.purposes) {
          q.purpose = purpose;
          const Decision decision = Decide(*bundle, q);
          ASSERT_TRUE(decision.permitted)
              << row.rule << " " << row.category << " " << row.ground << " " << sender << " to "
              << recipient << ": " << ReasonName(decision.reason) << " " << decision.rule;
          ASSERT_EQ(decision.article, bundle->FindGround(row.ground)->article());
        }
      }
    }
  }
}

DenyReason ReasonOf(const CompiledBundle& bundle, const SectionQuestion& q) {
  return Decide(bundle, q).reason;
}

// What a row asks for is needed, each for itself; what it does not ask for is not.
TEST(Matrix, OfTheReferenceBundleAsksForWhatIsNeededOnly) {
  const auto bundle = ReferenceBundle();
  for (const MatrixRow& row : Matrix(*bundle, {})) {
    SectionQuestion q =
        QuestionOf(*bundle, row, row.sender.sectors.front(), row.recipient.sectors.front());
    q.attested = row.conditions;
    if (!row.consent) q.statements = {};
    q.sender.bsn_authority = q.recipient.bsn_authority = row.bsn_authority;
    ASSERT_EQ(ReasonOf(*bundle, q), DenyReason::kNone) << row.rule;
    for (size_t i = 0; i < row.conditions.size(); ++i) {
      SectionQuestion without = q;
      without.attested.erase(without.attested.begin() + static_cast<long>(i));
      ASSERT_EQ(ReasonOf(*bundle, without), DenyReason::kConditionNotAttested) << row.rule;
    }
    if (row.bsn_authority) {
      SectionQuestion without = q;
      without.sender.bsn_authority = false;
      ASSERT_EQ(ReasonOf(*bundle, without), DenyReason::kBsnAuthorityMissing) << row.rule;
    }
    if (row.consent) {
      SectionQuestion without = q;
      without.statements = {};
      ASSERT_EQ(ReasonOf(*bundle, without), DenyReason::kNoConsent) << row.rule;
    }
    SectionQuestion objected = q;
    objected.statements = std::span(&kObjection, 1);
    const std::map<v1::BundleObjectionEffect, DenyReason> effects = {
        {v1::BUNDLE_OBJECTION_EFFECT_BLOCKS, DenyReason::kObjection},
        {v1::BUNDLE_OBJECTION_EFFECT_REVIEW, DenyReason::kObjectionReview},
        {v1::BUNDLE_OBJECTION_EFFECT_NO_EFFECT, DenyReason::kNone}};
    ASSERT_EQ(ReasonOf(*bundle, objected), effects.at(row.objection)) << row.rule;
    SectionQuestion shielded = q;
    shielded.shielded = true;
    ASSERT_EQ(ReasonOf(*bundle, shielded) == DenyReason::kNone, !row.recipient.organisation.empty())
        << row.rule;
    if (row.case_relation > v1::BUNDLE_CASE_RELATION_ANY) {
      SectionQuestion without = q;
      without.case_relation = CaseRelation::kNone;
      ASSERT_NE(ReasonOf(*bundle, without), DenyReason::kNone) << row.rule;
    }
    if (row.area > v1::BUNDLE_AREA_RELATION_ANY) {
      SectionQuestion without = q;
      without.sender.areas.clear();
      ASSERT_NE(ReasonOf(*bundle, without), DenyReason::kNone) << row.rule;
    }
  }
}

// Kinds of party that the reference bundle tells apart: each sector, each function in one of them,
// each organisation that a rule names.
struct Kind {
  std::string sector, function, organisation;
};

std::vector<Kind> KindsOf(const CompiledBundle& bundle) {
  std::vector<Kind> kinds;
  const auto& manifest = bundle.source().manifest;
  for (const auto& sector : manifest.sectors()) kinds.push_back({sector.code(), "", ""});
  for (int i = 0; i < manifest.functions_size(); ++i) {
    const auto& sector = manifest.sectors(i % manifest.sectors_size());
    kinds.push_back({sector.code(), manifest.functions(i).code(), ""});
    // Many rules want a function of this sector.
    if (sector.code() != "care") kinds.push_back({"care", manifest.functions(i).code(), ""});
  }
  for (const auto& rule : bundle.source().rules.rules()) {
    for (const auto& oin : rule.to().organisations()) kinds.push_back({"care", "", oin});
  }
  return kinds;
}

// All that may be asked of two parties, in numbers, with the rows that may speak of it.
struct Asked {
  std::string type, purpose, category, ground;
  EnvelopeFacts envelope;
  Code category_code, ground_code;
  std::vector<MatrixRow> rows;
};

std::vector<Asked> EverythingAsked(const CompiledBundle& bundle) {
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<MatrixRow>> by_cell;
  for (const auto& row : Matrix(bundle, {})) {
    by_cell[{row.signal_type, row.category, row.ground}].push_back(row);
  }
  std::vector<Asked> all;
  for (const auto& type : bundle.source().signal_types.signal_types()) {
    for (const std::string& purpose : type.purposes()) {
      EnvelopeFacts envelope;
      envelope.signal_type = bundle.SignalType(type.code());
      envelope.purpose = bundle.Purpose(purpose);
      envelope.case_relation = CaseRelation::kParticipants;
      for (const auto& entry : type.categories()) {
        for (const auto& ground : bundle.source().grounds.grounds()) {
          all.push_back({type.code(), purpose, entry.category(), ground.code(), envelope,
                         bundle.Category(entry.category()), bundle.Ground(ground.code()),
                         by_cell[{type.code(), entry.category(), ground.code()}]});
        }
      }
    }
  }
  return all;
}

TEST(Matrix, OfTheReferenceBundleMissesNothingThatDecidePermits) {
  const auto bundle = ReferenceBundle();
  const auto everything = EverythingAsked(*bundle);
  const auto kinds = KindsOf(*bundle);
  const ConditionSet attested = bundle->Conditions(AllConditions(*bundle));
  const InternedStatement consent = bundle->Intern(kConsent);
  const SubjectFacts subject{true, false, std::span(&consent, 1)};
  size_t permitted = 0;
  for (const Kind& from : kinds) {
    for (const Kind& to : kinds) {
      SectionQuestion q{.sender = PartyOf(from.sector, from.function, from.organisation, 990'001),
                        .recipient = PartyOf(to.sector, to.function, to.organisation, 990'002)};
      if (!to.function.empty()) q.addressed = FunctionAtArea{to.function, "wielwijk"};
      q.case_relation = CaseRelation::kParticipants;
      const Pair pair =
          bundle->Meet(bundle->Intern(q.sender), bundle->Intern(q.recipient), q.addressed);
      for (const Asked& asked : everything) {
        const Decision decision = Decide(*bundle, pair, asked.envelope, asked.category_code,
                                         asked.ground_code, attested, subject);
        if (!decision.permitted && asked.rows.empty()) continue;
        q.signal_type = asked.type;
        q.purpose = asked.purpose;
        q.category = asked.category;
        q.ground = asked.ground;
        const MatrixRow* const row = Reading(*bundle, q, Always).First(asked.rows);
        ASSERT_EQ(decision.permitted, row != nullptr)
            << from.sector << " " << from.function << " to " << to.sector << " " << to.function
            << to.organisation << ": " << q.signal_type << " " << q.category << " " << q.ground
            << " " << q.purpose << " " << decision.rule;
        if (row == nullptr) continue;
        ++permitted;
        ASSERT_EQ(decision.rule, row->rule);
        ASSERT_EQ(decision.obligations == nullptr, !row->obligations.has_value());
        if (row->obligations) {
          ASSERT_EQ(*decision.obligations, *row->obligations);
        }
      }
    }
  }
  EXPECT_GT(permitted, 1000u);
}

}  // namespace
}  // namespace schakel::policy
