// grpc.reflection.v1 on the callback API, for tools such as `buf curl`. Open like health.
// gRPC's own plugin would bring synchronous threads and pass by the call guard.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "broker/transport/call_guard.h"
#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"

namespace schakel::transport {

// Thread-safe. Must outlive the server that it is registered with.
class ReflectionService final : public grpc::reflection::v1::ServerReflection::CallbackService {
 public:
  // Lists `services` (full names); answers for every file of `pool` that they need.
  ReflectionService(CallGuard* guard, const google::protobuf::DescriptorPool* pool,
                    std::vector<std::string> services);

  // LIMIT: limits::kReflectionStreamsMax streams at a time and kReflectionRequestsMax requests on
  // each, then RATE_LIMITED.
  grpc::ServerBidiReactor<grpc::reflection::v1::ServerReflectionRequest,
                          grpc::reflection::v1::ServerReflectionResponse>*
  ServerReflectionInfo(grpc::CallbackServerContext* context) override;

  // The answer to one request: pure.
  grpc::reflection::v1::ServerReflectionResponse Answer(
      const grpc::reflection::v1::ServerReflectionRequest& request) const;

 private:
  class Stream;
  bool Serves(const google::protobuf::FileDescriptor* file) const;
  CallGuard* const guard_;
  const google::protobuf::DescriptorPool* const pool_;
  const std::vector<std::string> services_;
  std::atomic<size_t> streams_{0};
};

}  // namespace schakel::transport
