// The unary calls that a load makes: a publish, and the echoes that it is compared with.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include <memory>
#include <vector>

#include "clients/sdk/connection.h"
#include "echo.grpc.pb.h"
#include "schakel/v1/signal.pb.h"
#include "tests/bench/load.h"
#include "tests/bench/sealed.h"
#include "tests/e2e/region.h"

namespace schakel::bench {

// Publishes bytes that are a PublishRequest already, over a connection.
class Publisher {
 public:
  explicit Publisher(std::shared_ptr<sdk::Connection> connection);
  explicit Publisher(const sdk::ConnectionOptions& options)
      : Publisher(sdk::Connection::Open(options).value()) {}

  const sdk::Connection& connection() const { return *connection_; }
  grpc::Status Call(grpc::ClientContext* context, const Bytes& request,
                    v1::PublishResponse* response);
  // `request` may go when this returns.
  void Start(grpc::ClientContext* context, const Bytes& request, v1::PublishResponse* response,
             std::function<void(grpc::Status)> done);

 private:
  using Stub = grpc::TemplatedGenericStub<grpc::ByteBuffer, v1::PublishResponse>;

  std::shared_ptr<sdk::Connection> connection_;
  grpc::internal::RpcMethod method_;
  std::unique_ptr<Stub> stub_;
};

struct EchoClient {
  explicit EchoClient(const sdk::ConnectionOptions& options)
      : connection(sdk::Connection::Open(options).value()),
        stub(benchecho::v1::EchoService::NewStub(connection->channel())) {}
  std::shared_ptr<sdk::Connection> connection;
  std::unique_ptr<benchecho::v1::EchoService::Stub> stub;
};

// One kind of call, made in either way.
struct CallKind {
  StartCall start;
  BlockingCall blocking;
};

// Each call takes the next connection in turn; a blocking client keeps one for each thread. What
// they are given must outlive them.
CallKind PublishCalls(std::vector<Publisher>& over, Requests& requests);
CallKind EchoCalls(std::vector<EchoClient>& over, const benchecho::v1::EchoRequest& request,
                   bool verifying);

// Publishes once: what the answer of an echo has to be as large as. 0 and a word on standard error
// when it failed.
size_t AnswerBytesOf(std::shared_ptr<sdk::Connection> connection, const Bytes& request);

// schakel_bench_echo beside a region, with a certificate of it.
class EchoServer {
 public:
  struct Answers {
    size_t unary_bytes = 0;
    size_t batch_bytes = 0;
  };
  // `like` reaches the region's broker. nullptr and a word on standard error when it did not start.
  static std::unique_ptr<EchoServer> Start(e2e::Region& region, const sdk::ConnectionOptions& like,
                                           Answers answers);
  const sdk::ConnectionOptions& options() const { return options_; }
  pid_t pid() const { return process_->pid(); }

 private:
  std::unique_ptr<testing::ChildProcess> process_;
  sdk::ConnectionOptions options_;
};

}  // namespace schakel::bench
