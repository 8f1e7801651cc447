// gRPC's log function is one for the process and takes no context, so the bridge keeps its Logger
// in a file-local variable. It is apart from log.cc to keep gRPC out of there.
#include <grpc/support/log.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <shared_mutex>

#include "broker/transport/log.h"

namespace schakel::transport {
namespace {

std::shared_mutex bridge_mutex;  // guards bridge_log; held while a line is written
Logger* bridge_log = nullptr;
std::atomic<uint64_t> failed_handshakes{0};

void OnGrpcLog(gpr_log_func_args* args) {
  // SOURCE: grpc 1.51 src/core/tsi/ssl_transport_security.cc
  if (std::strncmp(args->message, "Handshake failed", 16) == 0) {
    failed_handshakes.fetch_add(1, std::memory_order_relaxed);
  }
  std::shared_lock lock(bridge_mutex);
  if (bridge_log == nullptr) return;
  const char* slash = std::strrchr(args->file, '/');
  const std::string source =
      std::string(slash == nullptr ? args->file : slash + 1) + ":" + std::to_string(args->line);
  // gRPC calls much an error that is another's broken connection: nothing here is above a warning.
  switch (args->severity) {
    case GPR_LOG_SEVERITY_ERROR:
      bridge_log->Warning("grpc", {{LogKey::kDetail, args->message}, {LogKey::kSource, source}});
      return;
    case GPR_LOG_SEVERITY_INFO:
    case GPR_LOG_SEVERITY_DEBUG:
      bridge_log->Debug("grpc", {{LogKey::kDetail, args->message}, {LogKey::kSource, source}});
      return;
  }
}

}  // namespace

GrpcLogBridge::GrpcLogBridge(Logger* log) {
  {
    std::unique_lock lock(bridge_mutex);
    SCHAKEL_CHECK(bridge_log == nullptr, "one bridge at a time");
    bridge_log = log;
  }
  gpr_set_log_function(OnGrpcLog);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

GrpcLogBridge::~GrpcLogBridge() {
  gpr_set_log_function(nullptr);
  std::unique_lock lock(bridge_mutex);
  bridge_log = nullptr;
}

uint64_t GrpcLogBridge::FailedHandshakes() {
  return failed_handshakes.load(std::memory_order_relaxed);
}

}  // namespace schakel::transport
