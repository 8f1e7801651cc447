// A real server on loopback with a directory that the test sets, and clients for it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/crypto/crl.h"
#include "broker/transport/server.h"
#include "schakel/v1/audit.grpc.pb.h"
#include "schakel/v1/directory.grpc.pb.h"
#include "schakel/v1/inbox.grpc.pb.h"
#include "schakel/v1/signal.grpc.pb.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_pki.h"

namespace schakel::transport {

inline Millis WallNow() { return std::chrono::floor<Millis>(SystemClock().Wall()); }

// Time that stands still until the test moves it.
class ManualClock final : public Clock {
 public:
  Micros Wall() const override { return Micros(wall.load()); }
  Micros Steady() const override { return Micros(steady.load()); }
  std::atomic<int64_t> wall{SystemClock().Wall().count()};
  std::atomic<int64_t> steady{0};
};

class FakeDirectory final : public DirectoryReader {
 public:
  std::optional<MemberFacts> Find(const OrganisationId& organisation) const override;
  // Admits by the certificate's issuer and key.
  void Admit(const testing::TestCertificate& certificate, v1::Role role);
  void Change(const std::string& oin, const std::function<void(MemberFacts&)>& change);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, MemberFacts> members_;
};

// Publish answers with the number of envelopes as position, and remembers its caller.
class TestSignalService final : public v1::SignalService::CallbackService {
 public:
  explicit TestSignalService(CallGuard* guard) : guard_(guard) {}
  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context,
                                    const v1::PublishRequest* request,
                                    v1::PublishResponse* response) override;
  std::optional<Caller> last() const;
  std::atomic<int> handled{0};

 private:
  CallGuard* const guard_;
  mutable std::mutex mutex_;
  std::optional<Caller> last_;
};

// Streams that stay open until the watch ends them or the client leaves.
class TestInboxService final : public v1::InboxService::CallbackService {
 public:
  explicit TestInboxService(CallGuard* guard) : guard_(guard) {}
  grpc::ServerBidiReactor<v1::PullRequest, v1::PullResponse>* Pull(
      grpc::CallbackServerContext* context) override;

 private:
  CallGuard* const guard_;
};

// GetCheckpoint lets go of its answer when `drop` is set, fails when `failure` is.
class TestAuditService final : public v1::AuditService::CallbackService {
 public:
  explicit TestAuditService(CallGuard* guard) : guard_(guard) {}
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context,
                                          const v1::GetCheckpointRequest* request,
                                          v1::GetCheckpointResponse* response) override;
  grpc::ServerWriteReactor<v1::ExportResponse>* Export(grpc::CallbackServerContext* context,
                                                       const v1::ExportRequest* request) override;
  std::atomic<bool> drop{false};
  std::optional<Error> failure;  // set before the call

 private:
  CallGuard* const guard_;
};

struct ServerSetup {
  OrganisationLimits limits = {};
  bool reflection = true;
  size_t message_bytes_max = limits::kMessageBytesMax;
};

// What a client says of itself.
struct ClientSetup {
  std::string actor = "u-17";
  std::string actor_role = "wijkteam";
  std::string traceparent = {};
};

class TestServer {
 public:
  explicit TestServer(ServerSetup setup = {});
  ~TestServer();

  std::shared_ptr<grpc::Channel> Connect(const testing::TestCertificate& certificate);
  std::shared_ptr<grpc::Channel> ConnectWithout();
  static void Prepare(grpc::ClientContext* context, const ClientSetup& client = {});
  // Publishes an empty batch over a new connection.
  grpc::Status Publish(const testing::TestCertificate& certificate, const ClientSetup& client = {});
  std::string address() const { return "127.0.0.1:" + std::to_string(server->port()); }

  testing::TempDir folder{"transport"};
  testing::TestPki pki{folder.path()};
  FakeDirectory directory;
  SystemClock clock;
  Metrics metrics;
  CallMetrics call_metrics{&metrics};
  std::mutex refusals_mutex;
  std::vector<Refusal> refusals;
  testing::TestCertificate own;  // the server's
  std::unique_ptr<crypto::CrlStore> crls;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<StreamWatch> watch;
  std::unique_ptr<CallGuard> guard;
  std::unique_ptr<HealthService> health;
  std::unique_ptr<TestSignalService> signals;
  std::unique_ptr<TestInboxService> inbox;
  std::unique_ptr<TestAuditService> audit;
  std::unique_ptr<Server> server;
};

// The reason of a status, for EXPECT_EQ; "OK" for a success.
std::string ReasonOf(const grpc::Status& status);

}  // namespace schakel::transport
