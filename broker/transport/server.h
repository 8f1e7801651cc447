// The gRPC server: listener, limits, health, reflection, unknown methods, drain.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/limits.h"
#include "broker/base/result.h"
#include "broker/transport/call_guard.h"
#include "broker/transport/health.h"
#include "broker/transport/reflection.h"
#include "broker/transport/server_tls.h"

namespace schakel::transport {

// Debian builds Abseil with its checks: each lock that gRPC takes is noted in a graph of who waited
// for whom, and a cycle there ends the process. Of the whole process; a Server does it by itself.
void DisableDeadlockDetection();

struct ServerOptions {
  std::string address;  // host:port; port 0 takes a free one
  TlsFiles tls;
  bool reflection = false;
  // LIMIT: a larger message is refused by gRPC with RESOURCE_EXHAUSTED before a handler sees it.
  size_t message_bytes_max = limits::kMessageBytesMax;  // of what is received
  size_t answer_bytes_max = limits::kMessageBytesMax;   // of what is sent
  size_t metadata_bytes_max = limits::kMetadataBytesMax;
  size_t memory_bytes_max = limits::kServerMemoryBytesMax;
};

// A service with its full name, as the descriptor has it.
struct NamedService {
  std::string name;
  grpc::Service* service = nullptr;  // must outlive the server

  // NamedService::Of<v1::SignalService>(&impl)
  template <typename S>
  static NamedService Of(grpc::Service* service) {
    return {S::service_full_name(), service};
  }
};

// Callback API only. A method that no service has is answered by UNIMPLEMENTED METHOD_UNKNOWN.
class Server {
 public:
  // Checks the role table against the services (CheckComplete) and listens. Health is added, and
  // reflection when switched on. guard and health must outlive it.
  // Errors: FIELD_INVALID with the field of the configuration ("listen.address", a TLS file), or
  // with the RPC that the role table does not have.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, CallGuard* guard,
                                               HealthService* health,
                                               std::vector<NamedService> services);
  ~Server();  // drains for 0 s when Drain was not called
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  // For who looks after the certificate, once a second: see trust_watch.h.
  ServerTls* tls() const { return tls_.get(); }

  // Stops: health says NOT_SERVING, no call is accepted any more, streams on the guard's
  // StreamWatch end with UNAVAILABLE NOT_SERVING, calls in progress get until `patience` to end and
  // are cancelled then. Returns when the last one ended. Only the first call does something.
  void Drain(std::chrono::milliseconds patience);

 private:
  class UnknownMethods;
  Server();
  CallGuard* guard_ = nullptr;
  HealthService* health_ = nullptr;
  std::unique_ptr<ServerTls> tls_;
  std::unique_ptr<UnknownMethods> unknown_;
  std::unique_ptr<ReflectionService> reflection_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  bool drained_ = false;
};

// Writes the port as decimal digits and a newline, by a temporary file and a rename, so that who
// waits for the file reads it whole. Errors: FIELD_INVALID with the path.
Status WritePortFile(const std::filesystem::path& path, int port);

}  // namespace schakel::transport
