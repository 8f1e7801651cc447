#include "broker/audit/record_filter.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>

#include "broker/base/ids.h"
#include "broker/base/limits.h"

namespace schakel::audit {
namespace {

// Microseconds UTC, rounded up, so that "not before" and "before" hold. REQUIRES: CheckTimestamp.
uint64_t MicrosUp(const google::protobuf::Timestamp& time) {
  return static_cast<uint64_t>(time.seconds()) * 1'000'000 +
         (static_cast<uint64_t>(time.nanos()) + 999) / 1000;
}

}  // namespace

Status CheckRequestId(const Bytes& id) {
  if (id.empty()) return InvalidArgument("FIELD_MISSING", "request_id", "16 bytes are required");
  if (id.size() != 16) return InvalidArgument("FIELD_INVALID", "request_id", "16 bytes expected");
  return {};
}

Status CheckText(const std::string& text, size_t bytes_max, const std::string& field) {
  if (text.size() <= bytes_max) return {};
  return InvalidArgument("TOO_LARGE", field, "at most " + std::to_string(bytes_max) + " bytes");
}

Status CheckReason(const std::string& text, bool required, const std::string& field) {
  if (required && text.empty()) {
    return InvalidArgument("FIELD_MISSING", field, "a question about a subject needs it");
  }
  return CheckText(text, limits::kReferenceBytesMax, field);
}

Status CheckTimestamp(const google::protobuf::Timestamp& time, const std::string& field) {
  constexpr int64_t kYear10000 = 253'402'300'800;
  if (time.seconds() < 0 || time.seconds() >= kYear10000 || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return InvalidArgument("FIELD_INVALID", field, "a moment from 1970 to 9999 expected");
  }
  return {};
}

Status CheckRecordFilter(const v1::RecordFilter& filter) {
  if (filter.has_from()) SCHAKEL_TRY(CheckTimestamp(filter.from(), "filter.from"));
  if (filter.has_until()) SCHAKEL_TRY(CheckTimestamp(filter.until(), "filter.until"));
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
  return {};
}

RecordMatcher::RecordMatcher(const v1::RecordFilter& filter) : filter_(filter) {
  if (filter.has_from()) from_us_ = MicrosUp(filter.from());
  if (filter.has_until()) until_us_ = MicrosUp(filter.until());
}

bool RecordMatcher::Matches(const v1::Record& record) const {
  if (record.time_us() < from_us_ || IsPast(record)) return false;
  if (filter_.has_index() && record.index() != filter_.index()) return false;
  if (!filter_.organisation().empty() && record.organisation() != filter_.organisation()) {
    return false;
  }
  if (!filter_.actor().empty() && record.actor() != filter_.actor()) return false;
  const auto& kinds = filter_.kinds();
  if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), record.kind()) == kinds.end()) {
    return false;
  }
  return filter_.outcome() == v1::OUTCOME_UNSPECIFIED || record.outcome() == filter_.outcome();
}

}  // namespace schakel::audit
