// grpc.health.v1: whether the broker serves. Open to whoever passed the handshake with a valid,
// unrevoked certificate, without actor. Our own copy of the service, since gRPC's built-in one
// can't be seen by reflection (and stays switched off).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "broker/base/result.h"
#include "broker/transport/call_guard.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace schakel::transport {

// Thread-safe. Must outlive the server that it is registered with.
class HealthService final : public Strict<grpc::health::v1::Health::CallbackService> {
 public:
  using ServingStatus = grpc::health::v1::HealthCheckResponse::ServingStatus;
  static constexpr ServingStatus kServing = grpc::health::v1::HealthCheckResponse::SERVING;
  static constexpr ServingStatus kNotServing = grpc::health::v1::HealthCheckResponse::NOT_SERVING;

  explicit HealthService(CallGuard* guard);  // must outlive it
  ~HealthService() override;

  // "" is the server as a whole; NOT_SERVING until set. Watchers are told of each change; a slow
  // one sees the last, not all. After Stop nothing changes any more.
  void Set(const std::string& service, ServingStatus status);
  // All services that are known, "" included.
  void SetAll(ServingStatus status);
  ServingStatus Get(const std::string& service) const;  // SERVICE_UNKNOWN when not known
  // NOT_SERVING for all, and every Watch ends with UNAVAILABLE NOT_SERVING after telling it.
  void Stop();

  size_t watchers() const;

  // Errors beside those of Authenticator::AuthenticatePeer: NOT_FOUND for a service not known,
  // TOO_LARGE for a name that no service has.
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const grpc::health::v1::HealthListRequest* request,
                                 grpc::health::v1::HealthListResponse* response) override;
  // LIMIT: limits::kHealthWatchersMax, then RATE_LIMITED.
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;
  CallGuard* const guard_;
  mutable std::mutex mutex_;  // guards what follows
  bool stopped_ = false;
  std::map<std::string, ServingStatus> statuses_;
  std::map<Watcher*, std::shared_ptr<Watcher>> watchers_;
};

}  // namespace schakel::transport
