#include "clients/sdk/directory_client.h"

#include "broker/base/limits.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {

Result<policy::Party> PartyOf(const v1::Organisation& organisation) {
  auto oin = OrganisationId::From(organisation.oin());
  if (!oin) return InvalidArgument("FIELD_INVALID", "oin", "an OIN has 20 digits");
  return policy::Party{std::move(*oin),
                       organisation.sector(),
                       {},
                       {organisation.areas().begin(), organisation.areas().end()},
                       organisation.bsn_authority()};
}

DirectoryClient::DirectoryClient(std::shared_ptr<Connection> connection,
                                 std::shared_ptr<const KeySetVerifier> verifier, KeySetPins pins,
                                 std::chrono::seconds cache_time)
    : connection_(std::move(connection)),
      verifier_(std::move(verifier)),
      pins_(std::move(pins)),
      cache_time_(cache_time),
      stub_(v1::DirectoryService::NewStub(connection_->channel())) {}

Result<v1::GetOrganisationResponse> DirectoryClient::GetRaw(const OrganisationId& oin,
                                                            BytesView digest) {
  v1::GetOrganisationRequest request;
  request.set_oin(oin.str());
  request.set_key_set_digest(Bytes(digest));
  SCHAKEL_ASSIGN(auto response,
                 connection_->Call(*stub_, &v1::DirectoryService::Stub::GetOrganisation, request));
  if (response.entry().organisation().oin() != oin.str()) {
    return MakeError(ErrorCode::kDataLoss, "INTERNAL",
                     "the broker answered with another organisation's entry", oin.str());
  }
  return response;
}

Result<Member> DirectoryClient::Get(const OrganisationId& oin) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard guard(mutex_);
    const auto cached = current_.find(oin);
    if (cached != current_.end() && now - cached->second.fetched < cache_time_) {
      return cached->second.member;
    }
  }
  SCHAKEL_ASSIGN(const auto response, GetRaw(oin));
  Member member{response.entry().organisation(), response.entry().disabled(), std::nullopt};
  if (response.entry().has_key_set()) {
    const Millis at = Now();
    SCHAKEL_ASSIGN(auto key_set, verifier_->Verify(response.entry().key_set(), oin, at, at));
    SCHAKEL_TRY(pins_.CheckAndRaise(key_set));
    member.key_set = std::move(key_set);
  }
  const std::lock_guard guard(mutex_);
  current_[oin] = {member, now};
  return member;
}

Result<VerifiedKeySet> DirectoryClient::KeySetAt(const OrganisationId& oin, const Digest& digest,
                                                 Millis created) {
  const std::pair key(oin, digest);
  std::optional<v1::SignedKeySet> signed_set;
  {
    const std::lock_guard guard(mutex_);
    if (const auto known = by_digest_.find(key); known != by_digest_.end()) {
      signed_set = known->second;
    }
  }
  if (!signed_set) {
    SCHAKEL_ASSIGN(const auto response, GetRaw(oin, digest.view()));
    if (!response.entry().has_key_set() ||
        crypto::KeySetDigest(response.entry().key_set().key_set()) != digest) {
      return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INVALID",
                       "the broker answered with another key set of " + oin.str(), oin.str());
    }
    signed_set = response.entry().key_set();
  }
  SCHAKEL_ASSIGN(auto verified, verifier_->Verify(*signed_set, oin, created, Now()));
  const std::lock_guard guard(mutex_);
  by_digest_.emplace(key, std::move(*signed_set));
  return verified;
}

Result<std::vector<v1::OrganisationEntry>> DirectoryClient::List() {
  std::vector<v1::OrganisationEntry> all;
  v1::ListOrganisationsRequest request;
  request.set_page_size(limits::kPageSizeMax);
  do {
    SCHAKEL_ASSIGN(
        const auto response,
        connection_->Call(*stub_, &v1::DirectoryService::Stub::ListOrganisations, request));
    all.insert(all.end(), response.entries().begin(), response.entries().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

Result<v1::ResolveFunctionResponse> DirectoryClient::Resolve(
    const policy::FunctionAtArea& function) {
  v1::ResolveFunctionRequest request;
  request.mutable_function()->set_function(function.function);
  request.mutable_function()->set_area(function.area);
  return connection_->Call(*stub_, &v1::DirectoryService::Stub::ResolveFunction, request);
}

}  // namespace schakel::sdk
