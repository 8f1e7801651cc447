#include "tests/e2e/bad_input/noise.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "broker/base/limits.h"
#include "tests/e2e/bad_input/check.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

constexpr size_t kMebibyte = 1024 * 1024;
constexpr int kConnections = 100;
constexpr size_t kNoiseBytesMax = 64 * 1024;

// A connection to a port of this machine, closed at the end.
class Socket {
 public:
  explicit Socket(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SCHAKEL_CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0,
                  "the port takes connections");
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }
  // As much as the other side takes: it may end the connection at any byte.
  void Send(const Bytes& bytes) const {
    (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

 private:
  int fd_;
};

// A TLS client with a member's certificate that speaks whatever it likes.
class TlsClient {
 public:
  TlsClient(World& world, const std::string& name)
      : context_(::SSL_CTX_new(::TLS_client_method())) {
    const auto& certificate = world.region().CertificateOf(name);
    SCHAKEL_CHECK(
        ::SSL_CTX_use_certificate_chain_file(context_, certificate.certificate.c_str()) == 1 &&
            ::SSL_CTX_use_PrivateKey_file(context_, certificate.key.c_str(), SSL_FILETYPE_PEM) == 1,
        "the member's certificate");
    constexpr unsigned char kHttp2[] = {2, 'h', '2'};
    (void)::SSL_CTX_set_alpn_protos(context_, kHttp2, sizeof(kHttp2));
  }
  ~TlsClient() { ::SSL_CTX_free(context_); }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Whether the handshake passed; then the bytes were sent as far as they were taken.
  bool Send(int port, const Bytes& bytes) const {
    const Socket socket(port);
    SSL* ssl = ::SSL_new(context_);
    ::SSL_set_fd(ssl, socket.fd());
    const bool shaken = ::SSL_connect(ssl) == 1;
    if (shaken) (void)::SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
    ::SSL_free(ssl);
    return shaken;
  }

 private:
  SSL_CTX* context_;
};

size_t MemoryOf(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) * 1024;
  }
  ADD_FAILURE() << "the memory of " << pid << " can't be read";
  return 0;
}

void SendNoise(World& world, int port, uint64_t seed) {
  // So that frames of HTTP/2 are read as such before the noise begins.
  const Bytes preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  testing::SeededBytes random(seed);
  const TlsClient tls(world, "police");
  for (int i = 0; i < kConnections; ++i) {
    const size_t size = static_cast<size_t>(i + 1) * kNoiseBytesMax / kConnections;
    const Bytes noise = random.Take(size);
    Socket(port).Send(noise);
    // As the beginning of a handshake that goes on as it likes.
    Socket(port).Send(Bytes("\x16\x03\x01", 3) + noise);
    const Bytes inside = i % 2 == 0 ? noise : preface + Bytes("\0\0\0\4\0\0\0\0\0", 9) + noise;
    EXPECT_TRUE(tls.Send(port, inside));
  }
}

// Who may make the call: what is refused for its role leaves a record.
std::string WhoMay(const std::string& method) {
  if (method.starts_with("AuditService.")) return "region-auditor";
  if (method.starts_with("FlowService.")) return "chain-director";
  if (method.starts_with("DirectoryService.") || method.starts_with("PolicyService.")) {
    return "registrar";
  }
  return "police";
}

// A message of more bytes than any RPC takes, to each of them.
void SendTooLarge(const ConnectionFor& connection_for, const std::vector<std::string>& methods) {
  const Bytes message(limits::kMessageBytesMax + 1, '\0');
  for (const auto& method : methods) {
    const auto answer = CallRaw(connection_for(WhoMay(method)), "schakel.v1." + method, {message});
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << method;
  }
}

}  // namespace

void ExpectNoiseDoesNothing(World& world) {
  // OpenSSL writes to connections that the other side has closed.
  ::signal(SIGPIPE, SIG_IGN);
  const auto to_broker = [&](const std::string& name) -> const sdk::Connection& {
    return world.ConnectionOf(name);
  };
  const auto to_custodian = [&](const std::string& name) -> const sdk::Connection& {
    return world.ToCustodian(name);
  };
  const std::string address = world.region().ContextOf("police").custodians(0).address();
  const int custodian_port = std::stoi(address.substr(address.rfind(':') + 1));
  // Buffers of connections that were never used before are not growth.
  SendNoise(world, world.region().port(), 1);
  SendTooLarge(to_broker, MethodsOfTheBroker());

  const StateSeen before = LookAtBroker(world);
  const uint64_t tree_size = TreeSizeOf(world);
  const uint64_t position = PositionOf(world);
  const size_t memory = MemoryOf(world.region().broker().pid());
  for (uint64_t seed = 2; seed < 5; ++seed) {
    SendNoise(world, world.region().port(), seed);
    SendTooLarge(to_broker, MethodsOfTheBroker());
  }
  // 30 MiB of noise and 400 MiB of messages were sent.
  EXPECT_LT(MemoryOf(world.region().broker().pid()), memory + 64 * kMebibyte);
  EXPECT_LE(PositionOf(world), position + 10) << "more than the ticks of some minutes";
  ExpectOnlyAttempts(world, tree_size, {});
  EXPECT_EQ(LookAtBroker(world), before);

  SendNoise(world, custodian_port, 5);
  SendTooLarge(to_custodian, MethodsOfACustodian());
  const auto alive =
      CallRaw(to_custodian("police"), "schakel.v1.CustodianService.GetBudget", {Bytes()});
  EXPECT_TRUE(alive.status.ok()) << alive.status.error_message();
}

}  // namespace schakel::e2e
