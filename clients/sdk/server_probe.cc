#include "clients/sdk/server_probe.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <netdb.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>

#include "broker/crypto/secret.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {
namespace {

struct Addresses {
  addrinfo* first = nullptr;
  Addresses() = default;
  ~Addresses() {
    if (first != nullptr) freeaddrinfo(first);
  }
  Addresses(const Addresses&) = delete;
  Addresses& operator=(const Addresses&) = delete;
};

Status LookUp(const HostAndPort& server, Addresses& to) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const int code = getaddrinfo(server.host.c_str(), server.port.c_str(), &hints, &to.first);
  if (code == 0) return {};
  return MakeError(ErrorCode::kUnavailable, "NAME_UNKNOWN", server.host + ": " + gai_strerror(code),
                   server.host);
}

// errno of the attempt; 0 when it was accepted.
int TryOne(const addrinfo& address, std::chrono::milliseconds timeout) {
  const int socket_ = socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                             address.ai_protocol);
  if (socket_ < 0) return errno;
  int problem = 0;
  if (connect(socket_, address.ai_addr, address.ai_addrlen) != 0) {
    problem = errno;
    if (problem == EINPROGRESS) {
      pollfd ready{socket_, POLLOUT, 0};
      socklen_t size = sizeof problem;
      if (poll(&ready, 1, static_cast<int>(timeout.count())) != 1) {
        problem = ETIMEDOUT;
      } else if (getsockopt(socket_, SOL_SOCKET, SO_ERROR, &problem, &size) != 0) {
        problem = errno;
      }
    }
  }
  close(socket_);
  return problem;
}

// What the handshake's verifier saw; shared with it, since gRPC owns that one.
struct Handshake {
  std::mutex mutex;  // guards what follows
  std::optional<std::string> chain;
  std::vector<std::string> names;
};

class Witness final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  explicit Witness(std::shared_ptr<Handshake> seen) : seen_(std::move(seen)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* status) override {
    const std::lock_guard lock(seen_->mutex);
    const auto text = [](grpc::string_ref value) {
      return std::string(value.data(), value.size());
    };
    const auto whole = request->peer_cert_full_chain();
    seen_->chain = text(whole.empty() ? request->peer_cert() : whole);
    seen_->names.clear();
    for (const auto& name : request->dns_names()) seen_->names.push_back(text(name));
    for (const auto& name : request->ip_names()) seen_->names.push_back(text(name));
    *status = grpc::Status::OK;
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  std::shared_ptr<Handshake> seen_;
};

}  // namespace

Result<HostAndPort> SplitAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return InvalidArgument("FIELD_INVALID", address, "host:port expected");
  }
  HostAndPort server{address.substr(0, colon), address.substr(colon + 1)};
  if (server.host.front() == '[' && server.host.back() == ']') {
    server.host = server.host.substr(1, server.host.size() - 2);
  }
  if (server.port.find_first_not_of("0123456789") != std::string::npos) {
    return InvalidArgument("FIELD_INVALID", address, "host:port expected, the port in digits");
  }
  return server;
}

Result<std::vector<std::string>> ResolveName(const HostAndPort& server) {
  Addresses found;
  SCHAKEL_TRY(LookUp(server, found));
  std::vector<std::string> texts;
  for (const addrinfo* at = found.first; at != nullptr; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) ==
        0) {
      texts.emplace_back(text);
    }
  }
  return texts;
}

Status ConnectOnce(const HostAndPort& server, std::chrono::milliseconds timeout) {
  Addresses found;
  SCHAKEL_TRY(LookUp(server, found));
  int problem = EADDRNOTAVAIL;
  for (const addrinfo* at = found.first; at != nullptr; at = at->ai_next) {
    problem = TryOne(*at, timeout);
    if (problem == 0) return {};
  }
  return MakeError(ErrorCode::kUnavailable, "NOT_REACHABLE",
                   server.host + ":" + server.port + ": " + std::strerror(problem), server.host);
}

Result<ServerShown> ProbeHandshake(const ConnectionOptions& options) {
  using namespace grpc::experimental;  // NOLINT(google-build-using-namespace)
  SCHAKEL_ASSIGN(const Bytes certificate, ReadFile(options.certificate_file, 1 << 20));
  SCHAKEL_ASSIGN(Bytes key, ReadFile(options.key_file, 1 << 20));
  auto seen = std::make_shared<Handshake>();
  std::vector<IdentityKeyCertPair> own{{key, certificate}};
  crypto::WipeMemory(key);
  TlsChannelCredentialsOptions tls;
  tls.set_certificate_provider(std::make_shared<StaticDataCertificateProvider>(own));
  tls.watch_identity_key_cert_pairs();
  tls.set_verify_server_certs(false);
  tls.set_check_call_host(false);
  tls.set_certificate_verifier(ExternalCertificateVerifier::Create<Witness>(seen));
  grpc::ChannelArguments arguments;
  if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
  // A channel of its own: one that a real call might use must not lack verification.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel(options.address, TlsCredentials(tls), arguments);
  const bool connected =
      channel->WaitForConnected(std::chrono::system_clock::now() + options.timeout);
  const std::lock_guard lock(seen->mutex);
  if (!seen->chain || seen->chain->empty()) {
    return MakeError(ErrorCode::kUnavailable, "TLS_FAILED",
                     options.address + ": " +
                         (connected ? "it showed no certificate" : "there was no TLS handshake"));
  }
  SCHAKEL_ASSIGN(auto chain, crypto::Certificate::ParseChain(*seen->chain));
  return ServerShown{std::move(chain), seen->names};
}

bool NamesHost(const std::vector<std::string>& names, const std::string& host) {
  for (const auto& name : names) {
    if (strcasecmp(name.c_str(), host.c_str()) == 0) return true;
    const size_t dot = host.find('.');
    if (name.starts_with("*.") && dot != std::string::npos && dot > 0 &&
        strcasecmp(name.c_str() + 1, host.c_str() + dot) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace schakel::sdk
