// Fields that the auditors' requests share: beside those of any log (broker/audit/record_filter.h)
// those about a subject.
#pragma once

#include <string>

#include "broker/audit/page_token.h"
#include "broker/audit/record_filter.h"
#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "schakel/v1/common.pb.h"

namespace schakel::query {

using audit::CheckReason;
using audit::CheckRequestId;
using audit::CheckText;
using audit::PagePlace;

// 1 or 2 pairs of live or former epochs. SUBJECT_REF_INVALID, UNLINKED_SUBJECT.
Status CheckLinkedSubject(const v1::SubjectRef& subject, const std::string& field);

// Whether a stored detail names the subject by one of its pairs.
bool IsAbout(const Bytes& detail, const v1::SubjectRef& subject);

// Only the failure of a result whose value comes later.
template <typename T>
Status Failure(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

}  // namespace schakel::query
