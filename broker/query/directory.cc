#include "broker/query/directory.h"

#include "broker/machine/envelope.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/page_scan.h"
#include "broker/query/reading.h"

namespace schakel::query {

using store::Family;

namespace {

// The entry with the key set of `digest`; empty for none.
Result<v1::OrganisationEntry> Entry(const store::StateReader& state,
                                    const state::v1::OrganisationVersion& version,
                                    const Bytes& digest) {
  v1::OrganisationEntry entry;
  *entry.mutable_organisation() = version.organisation();
  entry.set_version(version.version());
  entry.set_disabled(version.disabled());
  if (digest.empty()) return entry;
  SCHAKEL_ASSIGN(auto stored, machine::FindKeySet(state, *Digest::From(digest)));
  if (!stored || stored->oin() != version.organisation().oin()) {
    return NotFound("the organisation registered no key set of that digest", "key_set_digest");
  }
  *entry.mutable_key_set() = stored->key_set();
  return entry;
}

}  // namespace

Result<v1::GetOrganisationResponse> GetOrganisation(const store::StateReader& state,
                                                    const v1::GetOrganisationRequest& request) {
  SCHAKEL_TRY(machine::CheckOin(request.oin(), "oin"));
  auto oin = OrganisationId::From(request.oin());
  if (!request.key_set_digest().empty() && !Digest::From(request.key_set_digest())) {
    return InvalidArgument("FIELD_INVALID", "key_set_digest", "32 bytes, or none, expected");
  }
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  SCHAKEL_ASSIGN(auto version, machine::FindOrganisation(state, *oin));
  if (!version) return NotFound("no such organisation", "oin");
  v1::GetOrganisationResponse response;
  SCHAKEL_ASSIGN(*response.mutable_entry(),
                 Entry(state, *version,
                       request.key_set_digest().empty() ? version->key_set_digest()
                                                        : request.key_set_digest()));
  response.set_position(meta.position());
  return response;
}

Result<v1::ListOrganisationsResponse> ListOrganisations(
    const store::StateReader& state, const PageTokens& tokens, const OrganisationId& caller,
    const v1::ListOrganisationsRequest& request) {
  SCHAKEL_ASSIGN(uint32_t size, PageSize(request.page_size()));
  ListId list{"ListOrganisations", caller.str(), FilterOf(request)};
  SCHAKEL_ASSIGN(auto cursor, tokens.Open(list, request.page_token()));
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  v1::ListOrganisationsResponse response;
  response.set_position(meta.position());
  const auto entry = [&](BytesView, BytesView value) -> Result<v1::OrganisationEntry> {
    state::v1::OrganisationVersion version;
    if (!version.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return Damaged("a stored value is no OrganisationVersion");
    }
    return Entry(state, version, version.key_set_digest());
  };
  SCHAKEL_ASSIGN(Bytes next, ScanPage(state, Family::kRegistry, machine::keys::OrganisationPrefix(),
                                      cursor.value_or(Bytes()), PageRoom(size), entry,
                                      response.mutable_entries()));
  if (!next.empty()) {
    SCHAKEL_ASSIGN(*response.mutable_next_page_token(), tokens.Seal(list, next));
  }
  return response;
}

Result<v1::ResolveFunctionResponse> ResolveFunction(const store::StateReader& state,
                                                    Bundles& bundles,
                                                    const v1::ResolveFunctionRequest& request) {
  const auto& function = request.function();
  SCHAKEL_TRY(machine::CheckCode(function.function(), "function.function"));
  SCHAKEL_TRY(machine::CheckCode(function.area(), "function.area"));
  auto unresolved = [](const char* what) {
    return MakeError(ErrorCode::kNotFound, "FUNCTION_UNRESOLVED", what, "function");
  };
  SCHAKEL_ASSIGN(auto active, bundles.Active(state));
  auto oin = active.bundle->Resolve({function.function(), function.area()});
  if (!oin) return unresolved("the active bundle gives this function to nobody");
  SCHAKEL_ASSIGN(auto version, machine::FindOrganisation(state, *oin));
  if (!version || version->disabled()) {
    return unresolved("the organisation of this function is not admitted");
  }
  v1::ResolveFunctionResponse response;
  SCHAKEL_ASSIGN(*response.mutable_entry(), Entry(state, *version, version->key_set_digest()));
  response.set_bundle_digest(active.digest.str());
  return response;
}

}  // namespace schakel::query
