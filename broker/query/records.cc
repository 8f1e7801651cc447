#include "broker/query/records.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/context.h"
#include "broker/machine/keys.h"
#include "broker/query/audit_fields.h"
#include "broker/query/destroyed.h"
#include "broker/query/index_source.h"
#include "broker/query/reading.h"

namespace schakel::query {

namespace {

Status CheckFilter(const v1::RecordFilter& filter) {
  SCHAKEL_TRY(audit::CheckRecordFilter(filter));
  if (filter.has_subject()) SCHAKEL_TRY(CheckLinkedSubject(filter.subject(), "filter.subject"));
  if (!filter.signal_id().empty() && !SignalId::From(filter.signal_id())) {
    return InvalidArgument("FIELD_INVALID", "filter.signal_id", "16 bytes, or none, expected");
  }
  return CheckText(filter.ground(), limits::kCodeBytesMax, "filter.ground");
}

ListId ListOf(const OrganisationId& caller, const v1::QueryRecordsRequest& request) {
  return {"QueryRecords", caller.str(), FilterOf(request)};
}

// Subject and signal are asked by their index as well.
class Matcher : public audit::RecordMatcher {
 public:
  explicit Matcher(const v1::RecordFilter& filter) : RecordMatcher(filter), filter_(filter) {}

  // Whether it asks for nothing that a destroyed record would have to say.
  bool TakesDestroyed() const {
    v1::RecordFilter rest = filter_;
    rest.clear_index();
    return rest.ByteSizeLong() == 0;
  }

  bool Matches(const v1::Record& record, const Bytes& detail) const {
    if (!RecordMatcher::Matches(record)) return false;
    if (!filter_.signal_id().empty() && record.signal_id() != filter_.signal_id()) return false;
    const auto& sections = record.sections();
    if (!filter_.ground().empty() &&
        std::none_of(sections.begin(), sections.end(),
                     [&](const auto& s) { return s.ground() == filter_.ground(); })) {
      return false;
    }
    return !filter_.has_subject() || IsAbout(detail, filter_.subject());
  }

 private:
  const v1::RecordFilter& filter_;
};

// The narrowest list of places that holds every match in scope.
IndexSource Places(const store::StateReader& state, const Scope& scope,
                   const v1::RecordFilter& filter, uint64_t begin, uint64_t end) {
  std::vector<Bytes> prefixes;
  if (filter.has_index()) {
    if (filter.index() >= end) return IndexSource::All(end, end);
    return IndexSource::All(std::max(begin, filter.index()), filter.index() + 1);
  }
  if (filter.has_subject()) {
    for (const auto& pair : filter.subject().pairs()) {
      prefixes.push_back(machine::keys::SubjectIndexPrefix(pair));
    }
  } else if (!filter.signal_id().empty()) {
    prefixes.push_back(machine::keys::SignalIndexPrefix(filter.signal_id()));
  } else if (!filter.organisation().empty()) {
    if (!scope.CoversParty(filter.organisation())) return IndexSource::All(end, end);
    prefixes.push_back(machine::keys::PartyIndexPrefix(filter.organisation()));
  } else if (scope.region()) {
    return IndexSource::All(begin, end);
  } else {
    for (const auto& oin : scope.organisations()) {
      prefixes.push_back(machine::keys::PartyIndexPrefix(oin));
    }
  }
  return IndexSource::Of(state, prefixes, begin, end);
}

Result<v1::AuditedRecord> Audited(uint64_t index, state::v1::StoredRecord stored, bool with_details,
                                  Destroyed* destroyed) {
  v1::AuditedRecord out;
  out.set_index(index);
  if (stored.destroyed_us() != 0) {
    SCHAKEL_ASSIGN(*out.mutable_destroyed(),
                   destroyed->By(stored.destroyed_us(), stored.sweep_index()));
    return out;
  }
  out.set_record(std::move(*stored.mutable_record()));
  out.set_salt(std::move(*stored.mutable_salt()));
  if (stored.detail_destroyed_us() != 0) {
    SCHAKEL_ASSIGN(*out.mutable_detail_destroyed(),
                   destroyed->By(stored.detail_destroyed_us(), stored.detail_sweep_index()));
  } else if (with_details) {
    out.set_detail(std::move(*stored.mutable_detail()));
    out.set_detail_salt(std::move(*stored.mutable_detail_salt()));
  }
  return out;
}

}  // namespace

Status CheckQueryRecords(const PageTokens& tokens, const OrganisationId& caller,
                         const v1::QueryRecordsRequest& request) {
  SCHAKEL_TRY(CheckRequestId(request.request_id()));
  SCHAKEL_TRY(CheckFilter(request.filter()));
  bool required = request.filter().has_subject();
  SCHAKEL_TRY(CheckReason(request.ground(), required, "ground"));
  SCHAKEL_TRY(CheckReason(request.reference(), required, "reference"));
  SCHAKEL_TRY(Failure(PageSize(request.page_size())));
  return Failure(tokens.Open(ListOf(caller, request), request.page_token()));
}

Result<v1::QueryRecordsResponse> QueryRecords(const store::StateReader& state,
                                              const PageTokens& tokens,
                                              const OrganisationId& caller,
                                              const machine::QueryGrant& grant,
                                              const v1::QueryRecordsRequest& request) {
  SCHAKEL_TRY(CheckQueryRecords(tokens, caller, request));
  SCHAKEL_ASSIGN(uint32_t size, PageSize(request.page_size()));
  ListId list = ListOf(caller, request);
  SCHAKEL_ASSIGN(auto place, PagePlace::At(tokens, list, request.page_token(), grant.tree_size));
  Scope scope = Scope::Of(grant);
  Matcher matcher(request.filter());
  if (matcher.from_us() > 0) {
    SCHAKEL_ASSIGN(place.next,
                   FirstNotBefore(state, place.next, place.tree_size, matcher.from_us()));
  }

  v1::QueryRecordsResponse response;
  *response.mutable_receipt() = grant.receipt;
  response.set_tree_size(place.tree_size);
  response.set_scope(scope.name());
  PageRoom room(size);
  Destroyed destroyed(state);
  IndexSource places = Places(state, scope, request.filter(), place.next, place.tree_size);
  for (size_t looked = 0;; ++looked) {
    SCHAKEL_ASSIGN(auto index, places.Next());
    if (!index) break;
    bool full = looked == limits::kScanPerQueryMax;
    if (!full) {
      SCHAKEL_ASSIGN(auto stored, RecordAt(state, *index));
      v1::Record record;
      if (stored.destroyed_us() != 0) {
        if (!scope.region() || !matcher.TakesDestroyed()) continue;
      } else {
        if (!record.ParseFromString(stored.record())) {
          return Damaged("a stored value is no Record");
        }
        if (matcher.IsPast(record)) break;  // records are in order of time
        if (!scope.Covers(record) || !matcher.Matches(record, stored.detail())) continue;
      }
      SCHAKEL_ASSIGN(auto audited,
                     Audited(*index, std::move(stored), request.with_details(), &destroyed));
      full = !room.Take(audited.ByteSizeLong());
      if (!full) *response.add_records() = std::move(audited);
    }
    if (full) {
      PagePlace next{*index, place.tree_size};
      SCHAKEL_ASSIGN(*response.mutable_next_page_token(), tokens.Seal(list, next.Encode()));
      break;
    }
  }
  return response;
}

}  // namespace schakel::query
