// Fields that the auditors' requests share, and where a page of records goes on.
#pragma once

#include <cstdint>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/query/page_token.h"
#include "schakel/v1/common.pb.h"

namespace google::protobuf {
class Timestamp;
}

namespace schakel::query {

// 16 bytes. FIELD_MISSING, FIELD_INVALID.
Status CheckRequestId(const Bytes& id);
// A ground or reference: at most limits::kReferenceBytesMax. FIELD_MISSING, TOO_LARGE.
Status CheckReason(const std::string& text, bool required, const std::string& field);
Status CheckText(const std::string& text, size_t bytes_max, const std::string& field);
// From 1970 to 9999, as protobuf lays down. FIELD_INVALID.
Status CheckTimestamp(const google::protobuf::Timestamp& time, const std::string& field);
// Microseconds UTC, rounded up, so that "not before" and "before" hold. REQUIRES: CheckTimestamp.
uint64_t MicrosUp(const google::protobuf::Timestamp& time);
// 1 or 2 pairs of live or former epochs. SUBJECT_REF_INVALID, UNLINKED_SUBJECT.
Status CheckLinkedSubject(const v1::SubjectRef& subject, const std::string& field);

// Whether a stored detail names the subject by one of its pairs.
bool IsAbout(const Bytes& detail, const v1::SubjectRef& subject);

// Only the failure of a result whose value comes later.
template <typename T>
Status Failure(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

// Where a list of records goes on: later pages keep to the tree that the first one saw.
struct PagePlace {
  uint64_t next = 0;
  uint64_t tree_size = 0;

  Bytes Encode() const { return ByteWriter().U64(next).U64(tree_size).Take(); }
  // PAGE_TOKEN_INVALID.
  static Result<PagePlace> Parse(BytesView raw);
  // Where a page begins: as its token says, or at the beginning. Never beyond the tree that was
  // granted. PAGE_TOKEN_INVALID.
  static Result<PagePlace> At(const PageTokens& tokens, const ListId& list,
                              const std::string& page_token, uint64_t granted_size);
};

}  // namespace schakel::query
