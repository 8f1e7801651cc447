// Trace ids: the caller's from W3C Trace Context, or a fresh one.
#pragma once

#include <string_view>

#include "broker/base/bytes.h"

namespace schakel::transport {

// 16 raw bytes: the trace-id of `traceparent`, or random bytes when it is empty or malformed.
// SOURCE: W3C Trace Context, section 3.2 (version ff, a zero trace-id and upper case are invalid;
// a higher version may have more fields).
Bytes TraceIdFrom(std::string_view traceparent);

}  // namespace schakel::transport
