#include "broker/custodian/log_query.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>

#include "broker/audit/keys.h"
#include "broker/base/limits.h"
#include "schakel/state/v1/state.pb.h"

namespace schakel::custodian {
namespace {

Error Damaged(const std::string& what) {
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", what);
}

Status CheckRequestId(const Bytes& id) {
  if (id.empty()) return InvalidArgument("FIELD_MISSING", "request_id", "16 bytes are required");
  if (id.size() != 16) return InvalidArgument("FIELD_INVALID", "request_id", "16 bytes expected");
  return {};
}

Status CheckText(const std::string& text, size_t bytes_max, const std::string& field) {
  if (text.size() <= bytes_max) return {};
  return InvalidArgument("TOO_LARGE", field, "at most " + std::to_string(bytes_max) + " bytes");
}

Status CheckTime(const google::protobuf::Timestamp& time, const std::string& field) {
  constexpr int64_t kYear10000 = 253'402'300'800;
  if (time.seconds() >= 0 && time.seconds() < kYear10000 && time.nanos() >= 0 &&
      time.nanos() <= 999'999'999) {
    return {};
  }
  return InvalidArgument("FIELD_INVALID", field, "a moment from 1970 to 9999 expected");
}

// Rounded up, so that "not before" and "before" hold.
uint64_t MicrosUp(const google::protobuf::Timestamp& time) {
  return static_cast<uint64_t>(time.seconds()) * 1'000'000 +
         (static_cast<uint64_t>(time.nanos()) + 999) / 1000;
}

Status CheckFilter(const v1::RecordFilter& filter) {
  if (filter.has_from()) SCHAKEL_TRY(CheckTime(filter.from(), "filter.from"));
  if (filter.has_until()) SCHAKEL_TRY(CheckTime(filter.until(), "filter.until"));
  if (filter.has_from() && filter.has_until() &&
      MicrosUp(filter.until()) <= MicrosUp(filter.from())) {
    return InvalidArgument("FIELD_INVALID", "filter.until", "a moment after from expected");
  }
  if (!filter.organisation().empty() && !OrganisationId::From(filter.organisation())) {
    return InvalidArgument("FIELD_INVALID", "filter.organisation", "an OIN of 20 digits expected");
  }
  SCHAKEL_TRY(CheckText(filter.actor(), limits::kActorBytesMax, "filter.actor"));
  for (const int kind : filter.kinds()) {
    if (kind == v1::RECORD_KIND_UNSPECIFIED || !v1::RecordKind_IsValid(kind)) {
      return InvalidArgument("FIELD_INVALID", "filter.kinds", "kinds of records expected");
    }
  }
  if (!v1::Outcome_IsValid(filter.outcome())) {
    return InvalidArgument("FIELD_INVALID", "filter.outcome", "an outcome expected");
  }
  // An answer without records would read as "nothing happened".
  constexpr const char* kUnknowable = "no record of a custodian has one: it can't know for whom";
  if (filter.has_subject()) return InvalidArgument("FIELD_INVALID", "filter.subject", kUnknowable);
  if (!filter.signal_id().empty()) {
    return InvalidArgument("FIELD_INVALID", "filter.signal_id", kUnknowable);
  }
  if (!filter.ground().empty()) {
    return InvalidArgument("FIELD_INVALID", "filter.ground", kUnknowable);
  }
  return {};
}

bool Matches(const v1::RecordFilter& filter, const v1::Record& record) {
  if (filter.has_from() && record.time_us() < MicrosUp(filter.from())) return false;
  if (!filter.organisation().empty() && record.organisation() != filter.organisation()) {
    return false;
  }
  if (!filter.actor().empty() && record.actor() != filter.actor()) return false;
  const auto& kinds = filter.kinds();
  if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), record.kind()) == kinds.end()) {
    return false;
  }
  return filter.outcome() == v1::OUTCOME_UNSPECIFIED || record.outcome() == filter.outcome();
}

audit::ListId ListOf(const OrganisationId& caller, const v1::QueryLogRequest& request) {
  return {"QueryLog", caller.str(), audit::FilterOf(request)};
}

// Where a page begins, and the tree that all pages of one list keep to.
struct Place {
  uint64_t next = 0;
  uint64_t tree_size = 0;
};

Result<Place> PlaceOf(const audit::PageTokens& tokens, const OrganisationId& caller,
                      const v1::QueryLogRequest& request, uint64_t tree_size) {
  SCHAKEL_ASSIGN(const auto cursor, tokens.Open(ListOf(caller, request), request.page_token()));
  if (!cursor) return Place{0, tree_size};
  ByteReader reader(*cursor);
  const auto next = reader.U64();
  const auto size = reader.U64();
  if (!reader.Done()) {
    return InvalidArgument("PAGE_TOKEN_INVALID", "page_token", "a token of this list expected");
  }
  return Place{*next, std::min(*size, tree_size)};
}

Status CheckReasons(const std::string& ground, const std::string& reference) {
  SCHAKEL_TRY(CheckText(ground, limits::kReferenceBytesMax, "ground"));
  return CheckText(reference, limits::kReferenceBytesMax, "reference");
}

}  // namespace

Status CheckQuery(const audit::PageTokens& tokens, const OrganisationId& caller,
                  const v1::QueryLogRequest& request) {
  SCHAKEL_TRY(CheckRequestId(request.request_id()));
  SCHAKEL_TRY(CheckFilter(request.filter()));
  SCHAKEL_TRY(CheckReasons(request.ground(), request.reference()));
  const auto size = audit::PageSize(request.page_size());
  if (!size.ok()) return size.error();
  const auto place = PlaceOf(tokens, caller, request, 0);
  return place.ok() ? Status() : Status(place.error());
}

Status CheckExport(const v1::ExportLogRequest& request) {
  SCHAKEL_TRY(CheckRequestId(request.request_id()));
  return CheckReasons(request.ground(), request.reference());
}

Result<v1::QueryLogResponse> QueryLog(const store::StateReader& state,
                                      const audit::PageTokens& tokens, const LogScope& scope,
                                      const v1::LogReceipt& receipt,
                                      const v1::QueryLogRequest& request) {
  SCHAKEL_TRY(CheckQuery(tokens, scope.organisation, request));
  SCHAKEL_ASSIGN(const uint32_t size, audit::PageSize(request.page_size()));
  SCHAKEL_ASSIGN(Place place, PlaceOf(tokens, scope.organisation, request, scope.tree_size));
  const v1::RecordFilter& filter = request.filter();
  const uint64_t until_us = filter.has_until() ? MicrosUp(filter.until()) : UINT64_MAX;

  v1::QueryLogResponse response;
  *response.mutable_receipt() = receipt;
  response.set_tree_size(place.tree_size);
  response.set_scope(scope.name());
  audit::PageRoom room(size);
  Status failed;
  std::optional<uint64_t> next_page;
  size_t looked = 0;
  const auto look = [&](BytesView value) -> Result<bool> {
    state::v1::StoredRecord stored;
    v1::Record record;
    if (!stored.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
        !record.ParseFromString(stored.record())) {
      return Damaged("a stored value is no record");
    }
    if (record.index() != place.next) return Damaged("a record is missing");
    if (record.time_us() >= until_us) return false;  // records are in order of time
    bool full = looked++ == limits::kScanPerQueryMax;
    if (!full && scope.Covers(record) && Matches(filter, record)) {
      v1::AuditedRecord audited;
      audited.set_index(record.index());
      audited.set_record(std::move(*stored.mutable_record()));
      audited.set_salt(std::move(*stored.mutable_salt()));
      full = !room.Take(audited.ByteSizeLong());
      if (!full) *response.add_records() = std::move(audited);
    }
    if (full) next_page = place.next;
    ++place.next;
    return !full;
  };
  if (place.next < place.tree_size) {
    SCHAKEL_TRY(state.Scan(store::Family::kRecords, audit::keys::Record(place.next),
                           audit::keys::Record(place.tree_size), [&](BytesView, BytesView value) {
                             auto on = look(value);
                             if (!on.ok()) failed = on.error();
                             return on.ok() && *on;
                           }));
    SCHAKEL_TRY(std::move(failed));
  }
  if (next_page) {
    const Bytes cursor = ByteWriter().U64(*next_page).U64(place.tree_size).Take();
    SCHAKEL_ASSIGN(*response.mutable_next_page_token(),
                   tokens.Seal(ListOf(scope.organisation, request), cursor));
  }
  return response;
}

}  // namespace schakel::custodian
