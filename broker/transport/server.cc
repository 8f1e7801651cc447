#include "broker/transport/server.h"

#include <absl/synchronization/mutex.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/resource_quota.h>

#include <charconv>
#include <fstream>
#include <utility>

namespace schakel::transport {
namespace {

template <typename Duration>
int Millis32(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

// host:port with a port of 0 to 65535; gRPC also takes other schemes, which mTLS is not for.
bool IsHostPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) return false;
  const std::string host = address.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string::npos) return false;
  uint16_t port = 0;
  const char* const end = address.data() + address.size();
  const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
  return error == std::errc() && stop == end;
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  builder->SetMaxSendMessageSize(static_cast<int>(options.answer_bytes_max));
  grpc::ResourceQuota quota("schakel");
  quota.Resize(options.memory_bytes_max);
  builder->SetResourceQuota(quota);
  // INVARIANT I10: a message of 4 MiB could unpack to 4 GiB, so compressed ones are refused.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                              static_cast<int>(options.metadata_bytes_max));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              static_cast<int>(limits::kStreamsPerConnectionMax));
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                              Millis32(limits::kHandshakeTimeout));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                              Millis32(limits::kConnectionIdleMax));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Millis32(limits::kKeepaliveInterval));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Millis32(limits::kKeepaliveTimeout));
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              Millis32(limits::kPingIntervalMin));
  // Else a second broker on the same port would silently get half of the connections.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

class Server::UnknownMethods final : public grpc::CallbackGenericService {
 public:
  explicit UnknownMethods(CallGuard* guard) : guard_(guard) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    CallGuard::PeerCall call = guard_->BeginPeer(*context, nullptr);
    const Error error = call.identity.ok() ? MakeError(ErrorCode::kUnimplemented, "METHOD_UNKNOWN",
                                                       "no such method here")
                                           : call.identity.error();
    return new RefusedBidi<grpc::ByteBuffer, grpc::ByteBuffer>(call.end->Translate(error));
  }

 private:
  CallGuard* const guard_;
};

void DisableDeadlockDetection() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

Server::Server() = default;

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, CallGuard* guard,
                                              HealthService* health,
                                              std::vector<NamedService> services) {
  DisableDeadlockDetection();
  services.push_back(NamedService::Of<grpc::health::v1::Health>(health));
  std::vector<std::string> names;
  for (const NamedService& service : services) names.push_back(service.name);
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  std::unique_ptr<Server> server(new Server());
  if (options.reflection) {
    const char* const reflection = grpc::reflection::v1::ServerReflection::service_full_name();
    names.push_back(reflection);
    server->reflection_ = std::make_unique<ReflectionService>(guard, pool, names);
    services.push_back({reflection, server->reflection_.get()});
  }
  SCHAKEL_TRY(CheckComplete(*pool, names));
  if (!IsHostPort(options.address)) {
    return InvalidArgument("FIELD_INVALID", "listen.address",
                           "expected host:port, such as 127.0.0.1:7443");
  }
  SCHAKEL_ASSIGN(server->tls_,
                 ServerTls::Open(options.tls, std::chrono::floor<Millis>(SystemClock().Wall())));
  grpc::ServerBuilder builder;
  SetLimits(options, &builder);
  int port = 0;
  builder.AddListeningPort(options.address, server->tls_->credentials(), &port);
  for (const NamedService& service : services) builder.RegisterService(service.service);
  server->unknown_ = std::make_unique<UnknownMethods>(guard);
  builder.RegisterCallbackGenericService(server->unknown_.get());
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || port <= 0) {
    return InvalidArgument("FIELD_INVALID", "listen.address", "can't listen on " + options.address);
  }
  server->guard_ = guard;
  server->health_ = health;
  server->port_ = port;
  return server;
}

Server::~Server() { Drain(std::chrono::milliseconds(0)); }

void Server::Drain(std::chrono::milliseconds patience) {
  if (drained_ || server_ == nullptr) return;
  drained_ = true;
  Error error = MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "the server stops");
  error.retry_after_ms = 1000;
  health_->Stop();
  guard_->watch()->EndAll(error);
  server_->Shutdown(std::chrono::system_clock::now() + patience);
  server_->Wait();
}

Status WritePortFile(const std::filesystem::path& path, int port) {
  const std::filesystem::path temporary = path.string() + ".new";
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << port << '\n';
    out.flush();
    if (!out) {
      return InvalidArgument("FIELD_INVALID", path.string(), "the port file can't be written");
    }
  }
  std::error_code failed;
  std::filesystem::rename(temporary, path, failed);
  if (failed) {
    return InvalidArgument("FIELD_INVALID", path.string(), "the port file can't be written");
  }
  return {};
}

}  // namespace schakel::transport
