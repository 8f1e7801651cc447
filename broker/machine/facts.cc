#include "broker/machine/facts.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/policy_format.h"

namespace schakel::machine {

using store::Family;

namespace {
Error Lost(const std::string& what) {
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", what);
}
}  // namespace

Result<Facts::Bundle> Facts::BundleOf(const store::StateReader& state, const Digest& digest) {
  if (auto it = bundles_.find(digest); it != bundles_.end()) return it->second;
  SCHAKEL_ASSIGN(auto raw, state.Get(Family::kRegistry, keys::Bundle(digest)));
  if (!raw) return Lost("a bundle that a record names is missing");
  state::v1::StoredBundle stored;
  if (!stored.ParseFromString(*raw)) return Lost("a stored value is no StoredBundle");
  auto files = crypto::ParsePolicyBundle(stored.bundle());
  if (!files.ok()) return Lost("a stored bundle is no bundle");
  policy::BundleFiles map;
  for (auto& file : *files) map.emplace(std::move(file.path), std::move(file.content));
  auto compiled = policy::CompileFiles(map);
  if (!compiled.ok()) return Lost("a stored bundle does not compile");
  bundles_[digest] = *compiled;
  return *std::move(compiled);
}

Result<Facts::Bundle> Facts::ActiveBundle(Context& ctx) {
  auto digest = Digest::From(ctx.meta().active_bundle());
  if (!digest) return Lost("no bundle is active");
  return BundleOf(ctx.view(), *digest);
}

std::shared_ptr<const policy::InternedParty> Facts::Party(
    const Digest& bundle_digest, const Bundle& bundle,
    const state::v1::OrganisationVersion& organisation) {
  Bytes key = ByteWriter()
                  .Raw(bundle_digest.view())
                  .Raw(organisation.organisation().oin())
                  .U64(organisation.version())
                  .Take();
  auto& slot = parties_[key];
  if (!slot) {
    if (parties_.size() > 2 * limits::kOrganisationsMax) {
      parties_.clear();
      return std::make_shared<policy::InternedParty>(
          bundle->Intern(ToParty(organisation.organisation())));
    }
    slot = std::make_shared<policy::InternedParty>(
        bundle->Intern(ToParty(organisation.organisation())));
  }
  return slot;
}

Result<std::optional<state::v1::OrganisationVersion>> FindOrganisation(
    const store::StateReader& state, const OrganisationId& oin) {
  SCHAKEL_ASSIGN(auto raw, state.Get(Family::kRegistry, keys::Organisation(oin)));
  if (!raw) return std::optional<state::v1::OrganisationVersion>();
  state::v1::OrganisationVersion entry;
  if (!entry.ParseFromString(*raw)) return Lost("a stored value is no OrganisationVersion");
  return std::optional(std::move(entry));
}

Result<std::optional<state::v1::StoredKeySet>> FindKeySet(const store::StateReader& state,
                                                          const Digest& digest) {
  SCHAKEL_ASSIGN(auto raw, state.Get(Family::kRegistry, keys::KeySet(digest)));
  if (!raw) return std::optional<state::v1::StoredKeySet>();
  state::v1::StoredKeySet stored;
  if (!stored.ParseFromString(*raw)) return Lost("a stored value is no StoredKeySet");
  return std::optional(std::move(stored));
}

policy::PartyAxis ToAxis(const v1::PartyAxis& axis) {
  switch (axis.party_case()) {
    case v1::PartyAxis::kSector:
      return policy::PartyAxis::Sector(axis.sector());
    case v1::PartyAxis::kFunction:
      return policy::PartyAxis::Function(axis.function().function(), axis.function().area());
    case v1::PartyAxis::kOrganisation:
      if (auto oin = OrganisationId::From(axis.organisation())) {
        return policy::PartyAxis::Organisation(*oin);
      }
      break;
    case v1::PartyAxis::PARTY_NOT_SET:
      break;
  }
  return policy::PartyAxis::Any();
}

policy::ConsentFact ToConsentFact(const state::v1::StatementState& stored) {
  const v1::Statement& s = stored.parsed();
  policy::ConsentFact fact;
  fact.id = StatementId::From(s.statement_id()).value_or(StatementId{});
  fact.kind = s.kind() == v1::STATEMENT_KIND_OBJECTION ? policy::StatementKind::kObjection
                                                       : policy::StatementKind::kConsent;
  fact.axes.sender = ToAxis(s.sender());
  fact.axes.recipient = ToAxis(s.recipient());
  fact.axes.case_id = CaseId::From(s.case_id());
  fact.axes.category = s.category();
  fact.axes.purpose = s.purpose();
  fact.not_before = Millis(s.not_before_ms());
  fact.not_after = Millis(s.not_after_ms());
  if (stored.withdrawn_us() != 0) fact.withdrawn_at = Millis(stored.withdrawn_us() / 1000);
  return fact;
}

policy::Party ToParty(const v1::Organisation& organisation) {
  return policy::Party{
      .oin = *OrganisationId::From(organisation.oin()),
      .sector = organisation.sector(),
      .functions = {},
      .areas = {organisation.areas().begin(), organisation.areas().end()},
      .bsn_authority = organisation.bsn_authority(),
  };
}

Result<SubjectStatements> FindStatements(const store::StateReader& state,
                                         const policy::CompiledBundle& bundle,
                                         const v1::SubjectRef& subject) {
  SubjectStatements found;
  for (const auto& pair : subject.pairs()) {
    if (pair.epoch() == 0) continue;
    Status scanned = state.ScanPrefix(
        Family::kHot, keys::SubjectStatementPrefix(pair), [&](BytesView key, BytesView) {
          found.ids.push_back(*StatementId::From(key.substr(key.size() - 16)));
          return true;
        });
    if (!scanned.ok()) return scanned.error();
  }
  std::sort(found.ids.begin(), found.ids.end());
  found.ids.erase(std::unique(found.ids.begin(), found.ids.end()), found.ids.end());
  for (const auto& id : found.ids) {
    SCHAKEL_ASSIGN(auto raw, state.Get(Family::kRegistry, keys::Statement(id)));
    state::v1::StatementState stored;
    if (!raw || !stored.ParseFromString(*raw)) return Lost("a statement that is linked is missing");
    found.interned.push_back(bundle.Intern(ToConsentFact(stored)));
    found.states.push_back(std::move(stored));
  }
  return found;
}

Status CheckEpochs(const policy::CompiledBundle& bundle, const v1::SubjectRef& subject,
                   bool linked_only, const FieldPath& field) {
  SCHAKEL_TRY(CheckSubjectRef(subject, field));
  if (!IsLinked(subject)) {
    if (!linked_only) return {};
    return InvalidArgument("UNLINKED_SUBJECT", field.str(), "a linked subject expected");
  }
  auto live = bundle.LiveEpochs();
  std::vector<uint32_t> given;
  for (const auto& pair : subject.pairs()) given.push_back(pair.epoch());
  std::sort(given.begin(), given.end());
  if (given != live) {
    return InvalidArgument("SUBJECT_REF_INVALID", field.str(),
                           "one pair for each live epoch of the active bundle expected");
  }
  return {};
}

}  // namespace schakel::machine
