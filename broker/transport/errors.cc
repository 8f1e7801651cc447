#include "broker/transport/errors.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/transport/error_texts.h"
#include "google/rpc/error_details.pb.h"

namespace schakel::transport {
namespace {

constexpr const char* kTraceIdKey = "trace_id";

// At most `max` bytes, not ending within a character of UTF-8.
std::string Cut(std::string_view text, size_t max) {
  if (text.size() > max) {
    while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
    text = text.substr(0, max);
  }
  return std::string(text);
}

bool IsCode(int code) { return code >= 1 && code <= 16; }

Error InternalOf(const google::rpc::Status& status) {
  Error error;
  error.code = IsCode(status.code()) ? static_cast<ErrorCode>(status.code()) : ErrorCode::kInternal;
  error.message = status.message();
  return error;
}

// The reason that CloseNow put before the message, or the nearest one for a status that gRPC made.
std::string ReasonOfBareStatus(const Error& error) {
  const std::string named = error.message.substr(0, error.message.find(": "));
  if (named.size() < error.message.size() && IsKnownReason(named)) return named;
  switch (error.code) {
    case ErrorCode::kResourceExhausted:
      return "TOO_LARGE";
    case ErrorCode::kUnavailable:
      return "NOT_SERVING";
    case ErrorCode::kCancelled:
    case ErrorCode::kDeadlineExceeded:
      return "CANCELLED";
    case ErrorCode::kUnimplemented:
      return "METHOD_UNKNOWN";
    default:
      return "INTERNAL";
  }
}

}  // namespace

void CloseNow(grpc::CallbackServerContext* context, const Error& error) {
  const google::rpc::Status status = ToRpcStatus(error);
  const std::string reason = StaysInside(error) ? "INTERNAL" : error.reason;
  const std::string message = reason + ": " + status.message();
  grpc_call_cancel_with_status(context->c_call(), static_cast<grpc_status_code>(status.code()),
                               message.c_str(), nullptr);
}

bool StaysInside(const Error& error) {
  return error.code == ErrorCode::kInternal || error.code == ErrorCode::kUnknown ||
         error.code == ErrorCode::kDataLoss || !IsCode(static_cast<int>(error.code)) ||
         error.reason == "INTERNAL" || !IsKnownReason(error.reason);
}

google::rpc::Status ToRpcStatus(const Error& error, BytesView trace_id) {
  const bool inside = StaysInside(error);
  const std::string trace = HexEncode(trace_id);
  const std::string reason = inside ? "INTERNAL" : error.reason;
  std::string dutch(DutchText(reason));
  google::rpc::Status status;
  if (inside) {
    status.set_code(static_cast<int>(ErrorCode::kInternal));
    status.set_message("a failure inside the broker; its operator finds it by the trace id" +
                       (trace.empty() ? std::string() : " " + trace));
    if (!trace.empty()) dutch += " Kenmerk: " + trace + ".";
  } else {
    status.set_code(static_cast<int>(error.code));
    status.set_message(Cut(error.message, limits::kErrorMessageBytesMax));
  }

  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain(std::string(kErrorDomain));
  if (!trace.empty()) (*info.mutable_metadata())[kTraceIdKey] = trace;
  status.add_details()->PackFrom(info);
  if (!inside && !error.field.empty()) {
    google::rpc::BadRequest bad;
    google::rpc::BadRequest::FieldViolation* violation = bad.add_field_violations();
    violation->set_field(Cut(error.field, limits::kErrorFieldBytesMax));
    violation->set_description(status.message());
    status.add_details()->PackFrom(bad);
  }
  if (error.retry_after_ms > 0) {
    google::rpc::RetryInfo retry;
    *retry.mutable_retry_delay() =
        google::protobuf::util::TimeUtil::MillisecondsToDuration(error.retry_after_ms);
    status.add_details()->PackFrom(retry);
  }
  google::rpc::LocalizedMessage localized;
  localized.set_locale("nl");
  localized.set_message(dutch);
  status.add_details()->PackFrom(localized);
  return status;
}

grpc::Status ToGrpcStatus(const Error& error, BytesView trace_id) {
  const google::rpc::Status status = ToRpcStatus(error, trace_id);
  return {static_cast<grpc::StatusCode>(status.code()), status.message(),
          status.SerializeAsString()};
}

grpc::Status ToGrpcStatus(const Status& status, BytesView trace_id) {
  return status.ok() ? grpc::Status::OK : ToGrpcStatus(status.error(), trace_id);
}

RemoteError RemoteErrorFrom(const google::rpc::Status& status) {
  RemoteError remote;
  remote.error = InternalOf(status);
  bool ours = false;
  for (const google::protobuf::Any& detail : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    google::rpc::LocalizedMessage localized;
    if (detail.UnpackTo(&info)) {
      if (info.domain() != kErrorDomain || ours) continue;
      ours = true;
      remote.error.reason = info.reason();
      const auto trace = info.metadata().find(kTraceIdKey);
      if (trace != info.metadata().end()) remote.trace_id = trace->second;
    } else if (detail.UnpackTo(&bad)) {
      if (bad.field_violations_size() > 0) remote.error.field = bad.field_violations(0).field();
    } else if (detail.UnpackTo(&retry)) {
      remote.error.retry_after_ms =
          google::protobuf::util::TimeUtil::DurationToMilliseconds(retry.retry_delay());
    } else if (detail.UnpackTo(&localized)) {
      if (localized.locale() == "nl") remote.dutch = localized.message();
    }
  }
  if (!ours) remote.error.reason = ReasonOfBareStatus(remote.error);
  if (remote.dutch.empty()) remote.dutch = DutchText(remote.error.reason);
  return remote;
}

RemoteError RemoteErrorFrom(const grpc::Status& status) {
  SCHAKEL_CHECK(!status.ok(), "an error is translated, not a success");
  google::rpc::Status rpc;
  if (!rpc.ParseFromString(status.error_details())) rpc.Clear();
  // What gRPC says of the call counts: details come from further away.
  rpc.set_code(static_cast<int>(status.error_code()));
  rpc.set_message(status.error_message());
  return RemoteErrorFrom(rpc);
}

Error ErrorFromStatus(const grpc::Status& status) { return RemoteErrorFrom(status).error; }

}  // namespace schakel::transport
