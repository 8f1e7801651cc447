#include "broker/query/state_at.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "broker/machine/context.h"
#include "broker/query/audit_fields.h"
#include "broker/query/reading.h"
#include "broker/query/state_parts.h"
#include "policy/engine/retention.h"

namespace schakel::query {

namespace {

ListId ListOf(const OrganisationId& caller, const v1::GetStateAtRequest& request) {
  return {"GetStateAt", caller.str(), FilterOf(request)};
}

Status CheckMoment(const v1::GetStateAtRequest& request) {
  if (request.has_at() && request.has_index()) {
    return InvalidArgument("FIELD_INVALID", "index", "a moment, or an index, not both");
  }
  if (request.has_at()) return audit::CheckTimestamp(request.at(), "at");
  if (request.has_index()) return {};
  return InvalidArgument("FIELD_MISSING", "at", "a moment, or an index, is required");
}

// Whose, for the part that is asked for.
Status CheckWhose(const v1::GetStateAtRequest& request) {
  if (request.part() == v1::STATE_PART_UNSPECIFIED) {
    return InvalidArgument("FIELD_MISSING", "part", "one part expected");
  }
  if (!v1::StatePart_IsValid(request.part())) {
    return InvalidArgument("FIELD_INVALID", "part", "one part expected");
  }
  const bool statements = request.part() == v1::STATE_PART_STATEMENTS;
  const std::string& organisation = request.organisation();
  if (!organisation.empty() && !OrganisationId::From(organisation)) {
    return InvalidArgument("FIELD_INVALID", "organisation", "an OIN of 20 digits expected");
  }
  if (!organisation.empty() && !statements && request.part() != v1::STATE_PART_DIRECTORY) {
    return InvalidArgument("FIELD_INVALID", "organisation",
                           "only with the directory or with statements");
  }
  if (request.has_subject()) {
    if (!statements) return InvalidArgument("FIELD_INVALID", "subject", "only with statements");
    return CheckLinkedSubject(request.subject(), "subject");
  }
  if (!statements || !organisation.empty()) return {};
  return InvalidArgument("FIELD_MISSING", "subject",
                         "a subject, or the organisation that recorded, is required");
}

// Where a page begins, and the tree that the first one saw.
struct Place {
  uint64_t tree_size = 0;
  Bytes from;

  Bytes Encode() const { return ByteWriter().U64(tree_size).Raw(from).Take(); }
  static Result<Place> At(const PageTokens& tokens, const ListId& list, const std::string& token,
                          uint64_t granted_size) {
    SCHAKEL_ASSIGN(const auto cursor, tokens.Open(list, token));
    if (!cursor) return Place{granted_size, {}};
    ByteReader reader(*cursor);
    const auto size = reader.U64();
    if (!size) {
      return InvalidArgument("PAGE_TOKEN_INVALID", "page_token", "a token of this list expected");
    }
    return Place{std::min(*size, granted_size), cursor->substr(8)};
  }
};

// The same of statements whomever they are about: what is ended for long is gone.
Status FillGone(const store::StateReader& state, Bundles& bundles, v1::DestroyedBefore* out) {
  SCHAKEL_ASSIGN(const auto active, bundles.Active(state));
  SCHAKEL_ASSIGN(const auto meta, MetaOf(state));
  const auto term = policy::StatementTerm(*active.bundle);
  const auto keep_us = static_cast<uint64_t>(std::chrono::microseconds(term.keep).count());
  machine::SetTimestamp(meta.time_us() > keep_us ? meta.time_us() - keep_us : 0,
                        out->mutable_before());
  out->set_rule(term.rule);
  out->set_bundle_digest(active.digest.str());
  out->set_bundle(active.bundle->name() + " " + active.bundle->version());
  return {};
}

// The part that was asked for; where its next page begins.
Result<Bytes> FillPart(const PastPage& page, Bundles& bundles, const v1::GetStateAtRequest& request,
                       v1::GetStateAtResponse* out) {
  switch (request.part()) {
    case v1::STATE_PART_DIRECTORY: {
      SCHAKEL_ASSIGN(const auto bundle,
                     bundles.Of(page.state, *Digest::From(out->policy().digest())));
      return FillOrganisations(page, *bundle, request.organisation(), out);
    }
    case v1::STATE_PART_STATEMENTS: {
      SCHAKEL_TRY(FillGone(page.state, bundles, out->mutable_destroyed()));
      return FillStatements(page, request, out);
    }
    case v1::STATE_PART_SWEEPS:
      return FillSwept(page, out);
    default:
      return Bytes();  // the bundle stands in every answer
  }
}

}  // namespace

Status CheckStateAt(const PageTokens& tokens, const OrganisationId& caller,
                    const v1::GetStateAtRequest& request) {
  SCHAKEL_TRY(CheckRequestId(request.request_id()));
  SCHAKEL_TRY(CheckMoment(request));
  SCHAKEL_TRY(CheckWhose(request));
  SCHAKEL_TRY(CheckReason(request.ground(), request.has_subject(), "ground"));
  SCHAKEL_TRY(CheckReason(request.reference(), request.has_subject(), "reference"));
  SCHAKEL_TRY(Failure(PageSize(request.page_size())));
  return Failure(tokens.Open(ListOf(caller, request), request.page_token()));
}

machine::PastMoment MomentAsked(const v1::GetStateAtRequest& request) {
  if (request.has_index()) return {0, request.index()};
  return {machine::ToMicros(request.at()), std::nullopt};
}

std::string WordsOf(const v1::GetStateAtRequest& request) {
  std::string what;
  switch (request.part()) {
    case v1::STATE_PART_DIRECTORY:
      what = "the directory";
      break;
    case v1::STATE_PART_POLICY:
      what = "the active policy";
      break;
    case v1::STATE_PART_STATEMENTS:
      what =
          request.has_subject() ? "consents and objections of a person" : "consents and objections";
      break;
    default:
      what = "what had been destroyed";
  }
  if (!request.organisation().empty()) {
    what += (request.part() == v1::STATE_PART_DIRECTORY ? ", organisation " : ", recorded by ") +
            request.organisation();
  }
  if (request.has_index()) return what + ", just after record " + std::to_string(request.index());
  return what + ", at " + google::protobuf::util::TimeUtil::ToString(request.at());
}

Result<v1::GetStateAtResponse> StateAt(const store::StateReader& state, Bundles& bundles,
                                       const PageTokens& tokens, const OrganisationId& caller,
                                       const machine::QueryGrant& grant,
                                       const v1::GetStateAtRequest& request) {
  SCHAKEL_TRY(CheckStateAt(tokens, caller, request));
  SCHAKEL_ASSIGN(const uint32_t size, PageSize(request.page_size()));
  const ListId list = ListOf(caller, request);
  SCHAKEL_ASSIGN(const auto place, Place::At(tokens, list, request.page_token(), grant.tree_size));
  const Scope scope = Scope::Of(grant);
  PastPage page{state, scope, grant.moment, place.tree_size, size, place.from};
  page.moment.end_index = std::min(page.moment.end_index, place.tree_size);

  v1::GetStateAtResponse response;
  machine::SetTimestamp(page.moment.at_us, response.mutable_at());
  *response.mutable_receipt() = grant.receipt;
  response.set_tree_size(place.tree_size);
  response.set_scope(scope.name());
  SCHAKEL_ASSIGN(*response.mutable_policy(), ActiveAt(page, bundles));
  SCHAKEL_ASSIGN(Bytes next, FillPart(page, bundles, request, &response));
  if (!next.empty()) {
    SCHAKEL_ASSIGN(*response.mutable_next_page_token(),
                   tokens.Seal(list, Place{place.tree_size, std::move(next)}.Encode()));
  }
  return response;
}

}  // namespace schakel::query
