// schakel_bench_echo: the echo that a benchmark compares the broker with. Same TLS, same messages.
#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <mutex>

#include "broker/crypto/sign.h"
#include "broker/transport/server.h"
#include "broker/transport/server_tls.h"
#include "echo.grpc.pb.h"

namespace schakel::bench {
namespace {

// One stream: an answer for each message, while further messages are read.
class BatchEcho final
    : public grpc::ServerBidiReactor<benchecho::v1::EchoRequest, benchecho::v1::EchoResponse> {
 public:
  explicit BatchEcho(const Bytes& answer) {
    response_.set_payload(answer);
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    if (!ok) {
      read_all_ = true;
      if (unanswered_ == 0) Finish(grpc::Status::OK);
      return;
    }
    if (++unanswered_ == 1) StartWrite(&response_);
    StartRead(&request_);
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    // After a failed write nothing more is written; the read that is under way fails too.
    unanswered_ = ok ? unanswered_ - 1 : 0;
    if (unanswered_ > 0) {
      StartWrite(&response_);
    } else if (read_all_) {
      Finish(grpc::Status::OK);
    }
  }
  void OnDone() override { delete this; }

 private:
  benchecho::v1::EchoRequest request_;
  benchecho::v1::EchoResponse response_;
  std::mutex mutex_;  // guards what follows
  size_t unanswered_ = 0;
  bool read_all_ = false;
};

class Echo final : public benchecho::v1::EchoService::CallbackService {
 public:
  Echo(size_t answer_bytes, size_t batch_answer_bytes)
      : answer_(answer_bytes, 'x'),
        batch_answer_(batch_answer_bytes, 'x'),
        key_(crypto::SigningKey::Generate()),
        message_(53, 'm'),
        signature_(key_.Sign(message_)) {}

  grpc::ServerUnaryReactor* Null(grpc::CallbackServerContext* context,
                                 const benchecho::v1::EchoRequest*,
                                 benchecho::v1::EchoResponse* response) override {
    return Answer(context, response, true);
  }
  grpc::ServerUnaryReactor* Verifying(grpc::CallbackServerContext* context,
                                      const benchecho::v1::EchoRequest*,
                                      benchecho::v1::EchoResponse* response) override {
    return Answer(context, response,
                  crypto::VerifyEd25519(key_.public_key(), message_, signature_));
  }
  grpc::ServerBidiReactor<benchecho::v1::EchoRequest, benchecho::v1::EchoResponse>* Batches(
      grpc::CallbackServerContext*) override {
    return new BatchEcho(batch_answer_);
  }

 private:
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                   benchecho::v1::EchoResponse* response, bool good) {
    response->set_payload(answer_);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(good ? grpc::Status::OK
                         : grpc::Status(grpc::StatusCode::INTERNAL, "signature"));
    return reactor;
  }

  const Bytes answer_;
  const Bytes batch_answer_;
  const crypto::SigningKey key_;
  const Bytes message_;
  const Bytes signature_;
};

}  // namespace
}  // namespace schakel::bench

int main(int argc, char** argv) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  schakel::transport::TlsFiles tls;
  std::string port_file;
  size_t answer_bytes = 0;
  size_t batch_answer_bytes = 0;
  CLI::App app("Echo with mTLS, for comparison");
  app.add_option("--certificate", tls.certificate)->required();
  app.add_option("--key", tls.key)->required();
  app.add_option("--ca", tls.ca)->required();
  app.add_option("--port-file", port_file)->required();
  app.add_option("--answer-bytes", answer_bytes)->required();
  app.add_option("--batch-answer-bytes", batch_answer_bytes);
  CLI11_PARSE(app, argc, argv);
  schakel::transport::DisableDeadlockDetection();  // as the broker's server does
  schakel::SystemClock clock;
  auto now = std::chrono::duration_cast<schakel::Millis>(clock.Wall());
  auto secured = schakel::transport::ServerTls::Open(tls, now);
  if (!secured.ok()) return 78;
  schakel::bench::Echo echo(answer_bytes, batch_answer_bytes);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", (*secured)->credentials(), &port);
  builder.RegisterService(&echo);
  auto server = builder.BuildAndStart();
  if (!server || !schakel::transport::WritePortFile(port_file, port).ok()) return 70;
  int signal = 0;
  ::sigwait(&stop, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}
