// The one translation of errors to the wire and back.
// Outwards an Error becomes a google.rpc.Status with exactly one ErrorInfo (reason of
// error_reason.proto without its prefix, domain "schakel"), a BadRequest when a field is named, a
// RetryInfo when a retry helps, and a LocalizedMessage in Dutch. Texts of storage and libraries
// never cross the wire: an Error with code kInternal, kUnknown or kDataLoss, with reason INTERNAL,
// or with a reason that error_reason.proto does not have, becomes INTERNAL with a fixed text and
// the trace id. All functions are pure and thread-safe.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "google/rpc/status.pb.h"

namespace schakel::transport {

inline constexpr std::string_view kErrorDomain = "schakel";

// For values inside a response (PublishResult.error). `trace_id`: 16 raw bytes or empty; in
// ErrorInfo.metadata["trace_id"] as hex.
google::rpc::Status ToRpcStatus(const Error& error, BytesView trace_id = {});

// For the end of a call: the same in the trailer grpc-status-details-bin. LIMIT: message and field
// are cut to limits::kErrorMessageBytesMax and kErrorFieldBytesMax, so that the trailer fits.
grpc::Status ToGrpcStatus(const Error& error, BytesView trace_id = {});
// OK for a success.
grpc::Status ToGrpcStatus(const Status& status, BytesView trace_id = {});

// Ends a call at once, before anything that waits to be written: a write that the peer does not
// take would hold up its end for ever. Such an end has room for code and message only, so the
// reason stands before the message: "READER_STALLED: ...".
void CloseNow(grpc::CallbackServerContext* context, const Error& error);

// Whether the Error's own text stays inside, so that the caller should log it.
bool StaysInside(const Error& error);

// What a client reads from an error.
struct RemoteError {
  Error error;
  std::string dutch;     // text for people, as the server sent it; else from the table, or empty
  std::string trace_id;  // hex, empty when none was sent
};

// REQUIRES: not OK. A status without details of domain "schakel" is one of CloseNow, whose message
// begins with a reason, or else comes from gRPC itself and gets the nearest reason:
// RESOURCE_EXHAUSTED is TOO_LARGE, UNAVAILABLE is NOT_SERVING, CANCELLED and DEADLINE_EXCEEDED are
// CANCELLED, UNIMPLEMENTED is METHOD_UNKNOWN, anything else INTERNAL.
RemoteError RemoteErrorFrom(const grpc::Status& status);
RemoteError RemoteErrorFrom(const google::rpc::Status& status);
Error ErrorFromStatus(const grpc::Status& status);

}  // namespace schakel::transport
