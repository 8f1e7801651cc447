// Facts that decisions are made from: organisations, key sets, bundles, statements. Read from the
// state; what is costly to prepare is kept by version, so that a cache never changes an answer
// (I6).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "broker/machine/context.h"
#include "policy/engine/compile.h"
#include "policy/engine/decide.h"

namespace schakel::machine {

// A subject's statements as the engine wants them, with their ids in the same order.
struct SubjectStatements {
  std::vector<policy::InternedStatement> interned;
  std::vector<StatementId> ids;
  std::vector<state::v1::StatementState> states;
};

// For the thread that applies (or reads: one object a thread).
class Facts {
 public:
  using Bundle = std::shared_ptr<const policy::CompiledBundle>;

  // The bundle of a digest, compiled. DATA_LOSS when it is not in the state or does not compile.
  Result<Bundle> BundleOf(const store::StateReader& state, const Digest& digest);
  Result<Bundle> ActiveBundle(Context& ctx);
  // What rpc compiled already.
  void Remember(const Digest& digest, Bundle bundle) { bundles_[digest] = std::move(bundle); }

  // A party in the numbers of `bundle`.
  std::shared_ptr<const policy::InternedParty> Party(
      const Digest& bundle_digest, const Bundle& bundle,
      const state::v1::OrganisationVersion& organisation);

 private:
  std::map<Digest, Bundle> bundles_;
  // By bundle digest, OIN and entry version. LIMIT: emptied when it holds twice the organisations.
  std::unordered_map<std::string, std::shared_ptr<const policy::InternedParty>> parties_;
};

// The current entry; nullopt when the OIN was never admitted.
Result<std::optional<state::v1::OrganisationVersion>> FindOrganisation(
    const store::StateReader& state, const OrganisationId& oin);
Result<std::optional<state::v1::StoredKeySet>> FindKeySet(const store::StateReader& state,
                                                          const Digest& digest);

// All statements about a subject, under any of its pairs, in order of id. `bundle` makes the
// numbers.
Result<SubjectStatements> FindStatements(const store::StateReader& state,
                                         const policy::CompiledBundle& bundle,
                                         const v1::SubjectRef& subject);

// A statement as the engine reads it.
policy::ConsentFact ToConsentFact(const state::v1::StatementState& statement);
policy::PartyAxis ToAxis(const v1::PartyAxis& axis);
policy::Party ToParty(const v1::Organisation& organisation);

// SUBJECT_REF_INVALID unless the reference is unlinked, or has one pair for each live epoch of the
// bundle. `linked_only` refuses unlinked ones too.
Status CheckEpochs(const policy::CompiledBundle& bundle, const v1::SubjectRef& subject,
                   bool linked_only, const FieldPath& field);

}  // namespace schakel::machine
