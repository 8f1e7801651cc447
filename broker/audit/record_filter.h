// What questions about records share, whosever log it is: the fields of a request, and whether a
// record matches a filter.
#pragma once

#include <cstdint>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "schakel/v1/record.pb.h"

namespace google::protobuf {
class Timestamp;
}

namespace schakel::audit {

// 16 bytes. FIELD_MISSING, FIELD_INVALID.
Status CheckRequestId(const Bytes& id);
Status CheckText(const std::string& text, size_t bytes_max, const std::string& field);
// A ground or reference: at most limits::kReferenceBytesMax. FIELD_MISSING, TOO_LARGE.
Status CheckReason(const std::string& text, bool required, const std::string& field);
// From 1970 to 9999, as protobuf lays down. FIELD_INVALID.
Status CheckTimestamp(const google::protobuf::Timestamp& time, const std::string& field);

// Time, organisation, actor, kinds and outcome: what a record of any log has. Field filter.*:
// FIELD_INVALID, TOO_LARGE.
Status CheckRecordFilter(const v1::RecordFilter& filter);

// Those fields of a filter, ready to be asked of each record.
class RecordMatcher {
 public:
  // REQUIRES: CheckRecordFilter. The filter must outlive it.
  explicit RecordMatcher(const v1::RecordFilter& filter);

  // Microseconds UTC; 0 when the filter has no beginning.
  uint64_t from_us() const { return from_us_; }
  // Records are in order of time: none after this one matches.
  bool IsPast(const v1::Record& record) const { return record.time_us() >= until_us_; }
  bool Matches(const v1::Record& record) const;

 private:
  const v1::RecordFilter& filter_;
  uint64_t from_us_ = 0;
  uint64_t until_us_ = UINT64_MAX;
};

}  // namespace schakel::audit
