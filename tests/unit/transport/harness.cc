#include "tests/unit/transport/harness.h"

#include <utility>

#include "broker/transport/errors.h"
#include "broker/transport/piece_stream.h"

namespace schakel::transport {
namespace {

crypto::CertificateFacts FactsOf(const testing::TestCertificate& certificate) {
  return crypto::Certificate::Parse(certificate.certificate_pem()).value().facts();
}

// Reads until the client ends its side; ends by the watch.
class PullStream final : public grpc::ServerBidiReactor<v1::PullRequest, v1::PullResponse> {
 public:
  explicit PullStream(StreamPass pass) : pass_(std::move(pass)) {
    pass_.Watch([this](const Error& error) { End(error); });
    StartSendInitialMetadata();
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override { ok ? StartRead(&request_) : End(Status()); }
  void OnCancel() override { End(MakeError(ErrorCode::kCancelled, "CANCELLED", "cancelled")); }
  void OnDone() override { delete this; }

 private:
  void End(const Status& status) {
    if (!ended_.exchange(true)) Finish(pass_.End(status));
  }
  std::atomic<bool> ended_{false};
  v1::PullRequest request_;
  StreamPass pass_;
};

// With entries_only pieces without end, else none.
class ExportStream final : public PieceStream<v1::ExportResponse> {
 public:
  static ExportStream* Start(grpc::CallbackServerContext* context, StreamPass pass, bool endless) {
    std::shared_ptr<ExportStream> stream(new ExportStream(context, std::move(pass), endless));
    stream->Watch();
    stream->WriteNext();
    return stream.get();
  }

 private:
  ExportStream(grpc::CallbackServerContext* context, StreamPass pass, bool endless)
      : PieceStream(context, std::move(pass)), endless_(endless) {}
  Result<std::optional<v1::ExportResponse>> Next() override {
    if (!endless_) return std::optional<v1::ExportResponse>();
    v1::ExportResponse piece;
    piece.set_frames(Bytes(100'000, 'f'));
    return std::optional(std::move(piece));
  }

  const bool endless_;
};

}  // namespace

std::optional<MemberFacts> FakeDirectory::Find(const OrganisationId& organisation) const {
  std::lock_guard lock(mutex_);
  const auto at = members_.find(organisation.str());
  if (at == members_.end()) return std::nullopt;
  return at->second;
}

void FakeDirectory::Admit(const testing::TestCertificate& certificate, v1::Role role) {
  const crypto::CertificateFacts facts = FactsOf(certificate);
  MemberFacts member;
  member.role = role;
  member.issuer = facts.issuer;
  member.spki = facts.spki;
  member.entry_version = 7;
  std::lock_guard lock(mutex_);
  members_[facts.oin->str()] = member;
}

void FakeDirectory::Change(const std::string& oin,
                           const std::function<void(MemberFacts&)>& change) {
  std::lock_guard lock(mutex_);
  change(members_.at(oin));
}

grpc::ServerUnaryReactor* TestSignalService::Publish(grpc::CallbackServerContext* context,
                                                     const v1::PublishRequest* request,
                                                     v1::PublishResponse* response) {
  return guard_->Unary(context, request, [=, this](Caller caller, UnaryAnswer answer) {
    ++handled;
    {
      std::lock_guard lock(mutex_);
      last_ = std::move(caller);
    }
    response->set_position(static_cast<uint64_t>(request->envelopes_size()));
    answer.Finish(Status());
  });
}

std::optional<Caller> TestSignalService::last() const {
  std::lock_guard lock(mutex_);
  return last_;
}

grpc::ServerBidiReactor<v1::PullRequest, v1::PullResponse>* TestInboxService::Pull(
    grpc::CallbackServerContext* context) {
  return guard_->Bidi<v1::PullRequest, v1::PullResponse>(
      context, [](StreamPass pass) { return new PullStream(std::move(pass)); });
}

grpc::ServerUnaryReactor* TestAuditService::GetCheckpoint(grpc::CallbackServerContext* context,
                                                          const v1::GetCheckpointRequest* request,
                                                          v1::GetCheckpointResponse* response) {
  return guard_->Unary(context, request, [=, this](const Caller&, UnaryAnswer answer) {
    if (drop) return;
    response->set_checkpoint("checkpoint");
    answer.Finish(failure ? Status(*failure) : Status());
  });
}

grpc::ServerWriteReactor<v1::ExportResponse>* TestAuditService::Export(
    grpc::CallbackServerContext* context, const v1::ExportRequest* request) {
  return guard_->ServerStream<v1::ExportResponse>(
      context, request, [context, endless = request->entries_only()](StreamPass pass) {
        return ExportStream::Start(context, std::move(pass), endless);
      });
}

TestServer::TestServer(ServerSetup setup) {
  own = pki.Issue({.oin = testing::TestOin(1), .name = "broker", .usage = "serverAuth"});
  Result<crypto::TrustAnchors> anchors = crypto::TrustAnchors::Parse(pki.ca_pem());
  crls = crypto::CrlStore::Open(pki.crl(), anchors->certificates()).value();
  Authenticator::Options options;
  options.limits = setup.limits;
  options.on_refused = [this](const Refusal& refusal) {
    std::lock_guard lock(refusals_mutex);
    refusals.push_back(refusal);
  };
  authenticator = std::make_unique<Authenticator>(&directory, crls.get(), &clock, options);
  watch = std::make_unique<StreamWatch>(std::chrono::milliseconds(50));
  guard =
      std::make_unique<CallGuard>(authenticator.get(), watch.get(), &clock, &call_metrics, nullptr);
  health = std::make_unique<HealthService>(guard.get());
  signals = std::make_unique<TestSignalService>(guard.get());
  inbox = std::make_unique<TestInboxService>(guard.get());
  audit = std::make_unique<TestAuditService>(guard.get());
  ServerOptions server_options;
  server_options.address = "127.0.0.1:0";
  server_options.tls = {own.certificate, own.key, pki.ca()};
  server_options.reflection = setup.reflection;
  server_options.message_bytes_max = setup.message_bytes_max;
  server = Server::Start(server_options, guard.get(), health.get(),
                         {NamedService::Of<v1::SignalService>(signals.get()),
                          NamedService::Of<v1::InboxService>(inbox.get()),
                          NamedService::Of<v1::AuditService>(audit.get())})
               .value();
}

TestServer::~TestServer() { server.reset(); }

std::shared_ptr<grpc::Channel> TestServer::Connect(const testing::TestCertificate& certificate) {
  // Connections are not shared between channels, so that each test sees its own handshake.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(
      address(),
      MakeChannelCredentials(pki.ca_pem(), certificate.certificate_pem(), certificate.key_pem()),
      arguments);
}

std::shared_ptr<grpc::Channel> TestServer::ConnectWithout() {
  return grpc::CreateChannel(address(), MakeChannelCredentials(pki.ca_pem()));
}

void TestServer::Prepare(grpc::ClientContext* context, const ClientSetup& client) {
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  if (!client.actor.empty()) context->AddMetadata(kActorKey, client.actor);
  if (!client.actor_role.empty()) context->AddMetadata(kActorRoleKey, client.actor_role);
  if (!client.traceparent.empty()) context->AddMetadata(kTraceparentKey, client.traceparent);
}

grpc::Status TestServer::Publish(const testing::TestCertificate& certificate,
                                 const ClientSetup& client) {
  auto stub = v1::SignalService::NewStub(Connect(certificate));
  grpc::ClientContext context;
  Prepare(&context, client);
  v1::PublishResponse response;
  return stub->Publish(&context, v1::PublishRequest(), &response);
}

std::string ReasonOf(const grpc::Status& status) {
  return status.ok() ? "OK" : ErrorFromStatus(status).reason;
}

}  // namespace schakel::transport
