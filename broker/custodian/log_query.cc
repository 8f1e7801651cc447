#include "broker/custodian/log_query.h"

#include "broker/audit/keys.h"
#include "broker/audit/record_filter.h"
#include "broker/base/limits.h"
#include "schakel/state/v1/state.pb.h"

namespace schakel::custodian {
namespace {

Error Damaged(const std::string& what) {
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", what);
}

Status CheckFilter(const v1::RecordFilter& filter) {
  SCHAKEL_TRY(audit::CheckRecordFilter(filter));
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

audit::ListId ListOf(const OrganisationId& caller, const v1::QueryLogRequest& request) {
  return {"QueryLog", caller.str(), audit::FilterOf(request)};
}

// No record of a custodian is about a subject, so nobody has to say why it looks.
Status CheckReasons(const std::string& ground, const std::string& reference) {
  SCHAKEL_TRY(audit::CheckReason(ground, false, "ground"));
  return audit::CheckReason(reference, false, "reference");
}

}  // namespace

Status CheckQuery(const audit::PageTokens& tokens, const OrganisationId& caller,
                  const v1::QueryLogRequest& request) {
  SCHAKEL_TRY(audit::CheckRequestId(request.request_id()));
  SCHAKEL_TRY(CheckFilter(request.filter()));
  SCHAKEL_TRY(CheckReasons(request.ground(), request.reference()));
  const auto size = audit::PageSize(request.page_size());
  if (!size.ok()) return size.error();
  const auto place = audit::PagePlace::At(tokens, ListOf(caller, request), request.page_token(), 0);
  return place.ok() ? Status() : Status(place.error());
}

Status CheckExport(const v1::ExportLogRequest& request) {
  SCHAKEL_TRY(audit::CheckRequestId(request.request_id()));
  return CheckReasons(request.ground(), request.reference());
}

Result<v1::QueryLogResponse> QueryLog(const store::StateReader& state,
                                      const audit::PageTokens& tokens, const LogScope& scope,
                                      const v1::LogReceipt& receipt,
                                      const v1::QueryLogRequest& request) {
  SCHAKEL_TRY(CheckQuery(tokens, scope.organisation, request));
  SCHAKEL_ASSIGN(const uint32_t size, audit::PageSize(request.page_size()));
  const audit::ListId list = ListOf(scope.organisation, request);
  SCHAKEL_ASSIGN(auto place,
                 audit::PagePlace::At(tokens, list, request.page_token(), scope.tree_size));
  const audit::RecordMatcher wanted(request.filter());

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
    if (wanted.IsPast(record)) return false;
    bool full = looked++ == limits::kScanPerQueryMax;
    if (!full && scope.Covers(record) && wanted.Matches(record)) {
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
    const audit::PagePlace next{*next_page, place.tree_size};
    SCHAKEL_ASSIGN(*response.mutable_next_page_token(), tokens.Seal(list, next.Encode()));
  }
  return response;
}

}  // namespace schakel::custodian
