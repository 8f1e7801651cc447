#include "tests/bench/calls.h"

#include <atomic>
#include <iostream>

#include "tests/support/paths.h"

namespace schakel::bench {

namespace {

constexpr char kPublish[] = "/schakel.v1.SignalService/Publish";
constexpr char kTooFew[] = "too few envelopes were sealed";

grpc::ByteBuffer BufferOf(const Bytes& bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size(), grpc::Slice::STATIC_SLICE);
  return grpc::ByteBuffer(&slice, 1);
}

template <typename Response>
struct UnaryCall {
  grpc::ClientContext context;
  Response response;
};

std::string Judge(const grpc::Status& status, const v1::PublishResponse& response) {
  if (!status.ok()) return "publish: " + status.error_message();
  const bool good =
      response.results_size() == 1 && response.results(0).has_accepted() &&
      response.results(0).accepted().outcomes(0).state() == v1::RECIPIENT_STATE_QUEUED;
  return good ? "" : "publish: not accepted";
}

// Hands out the clients in turn, to calls or, as a sender keeps its connection, to threads. Copies
// share the turn.
template <typename Client>
class InTurn {
 public:
  explicit InTurn(std::vector<Client>& clients) : clients_(&clients) {}
  Client& Next() const { return (*clients_)[(*turn_)++ % clients_->size()]; }
  Client& OfThread() const {
    static thread_local const size_t own = (*turn_)++;
    return (*clients_)[own % clients_->size()];
  }

 private:
  std::vector<Client>* clients_;
  std::shared_ptr<std::atomic<size_t>> turn_ = std::make_shared<std::atomic<size_t>>(0);
};

}  // namespace

Publisher::Publisher(std::shared_ptr<sdk::Connection> connection)
    : connection_(std::move(connection)),
      method_(kPublish, grpc::internal::RpcMethod::NORMAL_RPC, connection_->channel()),
      stub_(std::make_unique<Stub>(connection_->channel())) {}

grpc::Status Publisher::Call(grpc::ClientContext* context, const Bytes& request,
                             v1::PublishResponse* response) {
  return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, v1::PublishResponse, grpc::ByteBuffer,
                                           google::protobuf::MessageLite>(
      connection_->channel().get(), method_, context, BufferOf(request), response);
}

void Publisher::Start(grpc::ClientContext* context, const Bytes& request,
                      v1::PublishResponse* response, std::function<void(grpc::Status)> done) {
  // gRPC has serialized the request when UnaryCall returns.
  const grpc::ByteBuffer buffer = BufferOf(request);
  stub_->UnaryCall(context, kPublish, {}, &buffer, response, std::move(done));
}

CallKind PublishCalls(std::vector<Publisher>& over, Requests& requests) {
  const InTurn<Publisher> turn(over);
  return {.start =
              [turn, &requests](const std::function<void(bool, std::string)>& done) {
                const auto* request = requests.Take();
                if (request == nullptr) return done(false, kTooFew);
                auto call = std::make_shared<UnaryCall<v1::PublishResponse>>();
                Publisher& publisher = turn.Next();
                publisher.connection().AddMetadata(call->context);
                publisher.Start(&call->context, *request, &call->response,
                                [call, done](const grpc::Status& status) {
                                  const auto error = Judge(status, call->response);
                                  done(error.empty(), error);
                                });
              },
          .blocking = [turn, &requests]() -> std::string {
            const auto* request = requests.Take();
            if (request == nullptr) return kTooFew;
            UnaryCall<v1::PublishResponse> call;
            Publisher& publisher = turn.OfThread();
            publisher.connection().AddMetadata(call.context);
            const auto status = publisher.Call(&call.context, *request, &call.response);
            return Judge(status, call.response);
          }};
}

CallKind EchoCalls(std::vector<EchoClient>& over, const benchecho::v1::EchoRequest& request,
                   bool verifying) {
  const InTurn<EchoClient> turn(over);
  return {.start =
              [turn, &request, verifying](const std::function<void(bool, std::string)>& done) {
                auto call = std::make_shared<UnaryCall<benchecho::v1::EchoResponse>>();
                EchoClient& client = turn.Next();
                client.connection->AddMetadata(call->context);
                auto end = [call, done](const grpc::Status& status) {
                  done(status.ok(), "echo: " + status.error_message());
                };
                auto* stub = client.stub->async();
                if (verifying) {
                  stub->Verifying(&call->context, &request, &call->response, end);
                } else {
                  stub->Null(&call->context, &request, &call->response, end);
                }
              },
          .blocking = [turn, &request, verifying]() -> std::string {
            UnaryCall<benchecho::v1::EchoResponse> call;
            EchoClient& client = turn.OfThread();
            client.connection->AddMetadata(call.context);
            const auto status = verifying
                                    ? client.stub->Verifying(&call.context, request, &call.response)
                                    : client.stub->Null(&call.context, request, &call.response);
            return status.ok() ? "" : "echo: " + status.error_message();
          }};
}

size_t AnswerBytesOf(std::shared_ptr<sdk::Connection> connection, const Bytes& request) {
  v1::PublishResponse response;
  grpc::ClientContext context;
  connection->AddMetadata(context);
  const auto status = Publisher(std::move(connection)).Call(&context, request, &response);
  if (!status.ok()) std::cerr << "publish: " << status.error_message() << '\n';
  return response.ByteSizeLong();
}

std::unique_ptr<EchoServer> EchoServer::Start(e2e::Region& region,
                                              const sdk::ConnectionOptions& like, Answers answers) {
  const auto& certificate = region.CertificateOf("corporation");
  const auto port_file = region.folder() / "echo.port";
  auto server = std::make_unique<EchoServer>();
  server->process_ = testing::ChildProcess::Start(
      {.program = checkout::BuildPath("bin/schakel_bench_echo"),
       .args = {"--certificate", certificate.certificate.string(), "--key",
                certificate.key.string(), "--ca", region.pki().ca().string(), "--port-file",
                port_file.string(), "--answer-bytes", std::to_string(answers.unary_bytes),
                "--batch-answer-bytes", std::to_string(answers.batch_bytes)}});
  const auto port = server->process_ ? server->process_->WaitForPort(port_file) : std::nullopt;
  if (!port) {
    std::cerr << "the echo did not start\n";
    return nullptr;
  }
  server->options_ = like;
  server->options_.address = "127.0.0.1:" + std::to_string(*port);
  return server;
}

}  // namespace schakel::bench
