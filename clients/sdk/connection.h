// One mTLS channel to a broker or a custodian, with the metadata, deadline and retries that every
// call gets.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/base/ids.h"
#include "broker/base/result.h"

namespace schakel::sdk {

struct ConnectionOptions {
  std::string address;                     // host:port
  std::string server_name;                 // in the server's certificate; empty: the address's host
  std::filesystem::path ca_file;           // PEM trust anchors
  std::filesystem::path certificate_file;  // PEM, leaf first
  std::filesystem::path key_file;          // PEM, mode 0600
  std::string actor;                       // schakel-actor: opaque user id of the own system
  std::string actor_role;                  // schakel-actor-role
  std::chrono::milliseconds timeout{10'000};  // of a call, its retries included
  std::string language = "en";                // of messages in Errors: nl or en
};

// Thread-safe. Every call carries schakel-actor, schakel-actor-role and a W3C traceparent.
//
// A call is tried again within its deadline on UNAVAILABLE, ABORTED and CANCELLED (which a server
// that stops gives), and on RESOURCE_EXHAUSTED when the server says when (RetryInfo): after that
// time, or else with exponential backoff and jitter from 50 ms to 2 s. That is safe for mutations
// too, since each carries an id that the client chose. When the wait would pass the deadline the
// last error is returned at once.
class Connection {
 public:
  // Reads the files; connects at the first call. Errors: FILE_MISSING, KEY_FILE_OPEN when others
  // may read the key, FIELD_INVALID for an empty address or actor.
  static Result<std::shared_ptr<Connection>> Open(ConnectionOptions options);
  // Over a channel that exists, such as an in-process one without TLS; `peer` is then taken as the
  // server's organisation.
  static std::shared_ptr<Connection> Over(std::shared_ptr<grpc::Channel> channel,
                                          ConnectionOptions options,
                                          std::optional<OrganisationId> peer = std::nullopt);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const ConnectionOptions& options() const { return options_; }

  // Metadata for a call that does not go through Run(): streams. Sets no deadline.
  void AddMetadata(grpc::ClientContext& context) const;
  Error Translate(const grpc::Status& status) const;

  // One blocking call with retries. `attempt` gets a fresh context each time.
  Status Run(const std::function<grpc::Status(grpc::ClientContext&)>& attempt) const;

  // Call(*stub, &v1::SignalService::Stub::GetSignal, request)
  template <typename Stub, typename Request, typename Response>
  Result<Response> Call(Stub& stub,
                        grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const Request& request) const {
    Response response;
    auto status = Run([&](grpc::ClientContext& context) {
      response.Clear();
      return (stub.*method)(&context, request, &response);
    });
    if (!status.ok()) return status.error();
    return response;
  }

  // Organisation of the server that answered, from its TLS certificate. Errors:
  // CERTIFICATE_INVALID.
  Result<OrganisationId> PeerOf(const grpc::ClientContext& context) const;

 private:
  Connection(std::shared_ptr<grpc::Channel> channel, ConnectionOptions options,
             std::optional<OrganisationId> peer);

  std::shared_ptr<grpc::Channel> channel_;
  ConnectionOptions options_;
  std::optional<OrganisationId> peer_;
};

// How long to wait before another attempt; nullopt when the call must not be tried again.
// `attempt` counts from 1. `jitter` in [0, 1).
std::optional<std::chrono::milliseconds> RetryDelay(const Error& error, int attempt, double jitter);

}  // namespace schakel::sdk
