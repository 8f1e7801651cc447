// Calls below the stubs: any bytes to any method, and what the end of a call says, read strictly.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/bytes.h"
#include "clients/sdk/connection.h"
#include "google/rpc/status.pb.h"

namespace schakel::e2e {

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  grpc::Status status;
  std::vector<Bytes> messages;
};
// Sends the messages, closes its side and reads to the end; DEADLINE_EXCEEDED after the patience,
// which no row expects. `method` as descriptors name it: schakel.v1.InboxService.Fetch.
Answer CallRaw(const sdk::Connection& connection, const std::string& method,
               const std::vector<Bytes>& messages,
               std::chrono::milliseconds patience = std::chrono::seconds(20));
// The same with other metadata than the connection's own.
Answer CallWith(const sdk::Connection& connection, const std::string& method,
                const std::vector<Bytes>& messages, const Metadata& metadata);

// What an error tells.
struct Told {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string reason;
  std::string field;   // of the one violation; empty when there is none
  bool retry = false;  // with RetryInfo
  std::string flaw;    // empty when its details are as they must be, else what is wrong with them
};
// Exactly one ErrorInfo, of domain schakel, one LocalizedMessage in Dutch, at most one BadRequest
// with one violation, at most one RetryInfo of more than no time.
Told Read(const google::rpc::Status& status);
Told Read(const grpc::Status& status);

}  // namespace schakel::e2e
