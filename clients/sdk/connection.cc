#include "clients/sdk/connection.h"

#include <sys/stat.h>

#include <algorithm>
#include <random>
#include <thread>

#include "broker/base/limits.h"
#include "broker/crypto/random.h"
#include "broker/crypto/x509.h"
#include "clients/sdk/files.h"
#include "clients/sdk/status.h"

namespace schakel::sdk {
namespace {

using std::chrono::milliseconds;

// The key's file as gRPC wants it: a string of its own. It is the one secret that can't stay in
// secret memory, since gRPC keeps it for the channel's life.
Result<Bytes> ReadKeyFile(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0) {
    return MakeError(
        ErrorCode::kFailedPrecondition, "KEY_FILE_OPEN",
        "others may read the key " + path.string() + "; run: chmod 600 " + path.string(),
        path.string());
  }
  return ReadFile(path, 1 << 20);
}

Status CheckActor(const ConnectionOptions& options) {
  if (options.actor.empty() || options.actor.size() > limits::kActorBytesMax) {
    return InvalidArgument("ACTOR_MISSING", "actor", "the actor has 1 to 128 bytes");
  }
  if (options.actor_role.empty() || options.actor_role.size() > limits::kActorRoleBytesMax) {
    return InvalidArgument("ACTOR_MISSING", "actor_role", "the actor's role has 1 to 64 bytes");
  }
  for (const std::string* text : {&options.actor, &options.actor_role}) {
    if (!std::all_of(text->begin(), text->end(), [](char c) { return c >= 0x20 && c < 0x7f; })) {
      return InvalidArgument("FIELD_INVALID", "actor",
                             "actor and role are printable ASCII, as gRPC metadata is");
    }
  }
  return {};
}

std::string NewTraceparent() {
  return "00-" + HexEncode(crypto::RandomBytes(16)) + "-" + HexEncode(crypto::RandomBytes(8)) +
         "-01";
}

double Jitter() {
  const Bytes random = crypto::RandomBytes(2);
  return (static_cast<uint8_t>(random[0]) * 256.0 + static_cast<uint8_t>(random[1])) / 65536.0;
}

}  // namespace

std::optional<milliseconds> RetryDelay(const Error& error, int attempt, double jitter) {
  // gRPC cancels what reaches a server in the moment of its stop; who calls here never cancels.
  const bool again = error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kAborted ||
                     error.code == ErrorCode::kCancelled ||
                     (error.code == ErrorCode::kResourceExhausted && error.retry_after_ms > 0);
  if (!again) return std::nullopt;
  if (error.retry_after_ms > 0) return milliseconds(error.retry_after_ms);
  const double full = std::min(2000.0, 50.0 * static_cast<double>(1u << std::min(attempt - 1, 10)));
  return milliseconds(static_cast<int64_t>(full * (0.5 + 0.5 * jitter)));
}

Connection::Connection(std::shared_ptr<grpc::Channel> channel, ConnectionOptions options,
                       std::optional<OrganisationId> peer)
    : channel_(std::move(channel)), options_(std::move(options)), peer_(std::move(peer)) {}

Result<std::shared_ptr<Connection>> Connection::Open(ConnectionOptions options) {
  if (options.address.empty()) {
    return InvalidArgument("FIELD_MISSING", "address", "the server's host:port is missing");
  }
  SCHAKEL_TRY(CheckActor(options));
  grpc::SslCredentialsOptions ssl;
  SCHAKEL_ASSIGN(ssl.pem_root_certs, ReadFile(options.ca_file, 1 << 20));
  SCHAKEL_ASSIGN(ssl.pem_cert_chain, ReadFile(options.certificate_file, 1 << 20));
  SCHAKEL_ASSIGN(ssl.pem_private_key, ReadKeyFile(options.key_file));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits::kMessageBytesMax));
  arguments.SetMaxSendMessageSize(static_cast<int>(limits::kMessageBytesMax));
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // ours knows RetryInfo and the deadline
  // In spite of its name: how long one attempt to connect, with its handshake, may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
  auto channel = grpc::CreateCustomChannel(options.address, grpc::SslCredentials(ssl), arguments);
  crypto::WipeMemory(ssl.pem_private_key);
  return std::shared_ptr<Connection>(
      new Connection(std::move(channel), std::move(options), std::nullopt));
}

std::shared_ptr<Connection> Connection::Over(std::shared_ptr<grpc::Channel> channel,
                                             ConnectionOptions options,
                                             std::optional<OrganisationId> peer) {
  return std::shared_ptr<Connection>(
      new Connection(std::move(channel), std::move(options), std::move(peer)));
}

void Connection::AddMetadata(grpc::ClientContext& context) const {
  context.AddMetadata("schakel-actor", options_.actor);
  context.AddMetadata("schakel-actor-role", options_.actor_role);
  context.AddMetadata("traceparent", NewTraceparent());
}

Error Connection::Translate(const grpc::Status& status) const {
  return ErrorFromGrpc(status, options_.language);
}

Status Connection::Run(const std::function<grpc::Status(grpc::ClientContext&)>& attempt) const {
  const auto deadline = std::chrono::system_clock::now() + options_.timeout;
  const std::string traceparent = NewTraceparent();
  std::optional<Error> unavailable;
  for (int number = 1;; ++number) {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    // gRPC works on a connection only while some call waits for it: one that gave up at once would
    // leave a handshake half done, and so would every later one.
    context.set_wait_for_ready(unavailable.has_value());
    context.AddMetadata("schakel-actor", options_.actor);
    context.AddMetadata("schakel-actor-role", options_.actor_role);
    context.AddMetadata("traceparent", traceparent);
    const grpc::Status status = attempt(context);
    if (status.ok()) return {};
    Error error = Translate(status);
    if (error.code == ErrorCode::kUnavailable) unavailable = error;
    // No connection came: what was wrong with it says more than that the time is over.
    if (error.code == ErrorCode::kDeadlineExceeded && unavailable) error = *unavailable;
    const auto delay = RetryDelay(error, number, Jitter());
    if (!delay || std::chrono::system_clock::now() + *delay >= deadline) {
      if (error.code == ErrorCode::kInternal) {
        error.message += " (trace " + traceparent.substr(3, 32) + ")";
      }
      if (error.code == ErrorCode::kUnavailable) {
        error.message = options_.address + ": " + error.message;
      }
      return error;
    }
    std::this_thread::sleep_for(*delay);
  }
}

Result<OrganisationId> Connection::PeerOf(const grpc::ClientContext& context) const {
  if (peer_) return *peer_;
  const auto auth = context.auth_context();
  if (!auth || !auth->IsPeerAuthenticated()) {
    return MakeError(ErrorCode::kUnauthenticated, "CERTIFICATE_INVALID",
                     "the server showed no certificate");
  }
  const auto found = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (found.size() != 1) {
    return MakeError(ErrorCode::kUnauthenticated, "CERTIFICATE_INVALID",
                     "the server's certificate can't be read");
  }
  SCHAKEL_ASSIGN(const auto certificate,
                 crypto::Certificate::Parse(BytesView(found[0].data(), found[0].size())));
  return crypto::RequireOin(certificate);
}

}  // namespace schakel::sdk
