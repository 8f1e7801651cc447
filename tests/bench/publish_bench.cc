#include "tests/bench/publish_bench.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include <algorithm>
#include <atomic>
#include <iomanip>
#include <iostream>
#include <thread>

#include "broker/crypto/envelope_format.h"
#include "broker/crypto/sign.h"
#include "broker/merkle/batch_tree.h"
#include "echo.grpc.pb.h"
#include "schakel/v1/signal.grpc.pb.h"
#include "tests/bench/load.h"
#include "tests/bench/processor_time.h"
#include "tests/e2e/region.h"
#include "tests/e2e/story.h"
#include "tests/support/paths.h"

namespace schakel::bench {

namespace {

// Requests whose envelopes were sealed beforehand. Each is signed when it is taken, as a sender
// signs while it sends; the rest of its bytes lies ready, as the echo's payload does.
class Requests {
 public:
  Requests(sdk::Session& session, size_t count)
      : keys_(session.keys().value()->Current(sdk::Now()).value()), requests_(count) {
    std::vector<std::thread> sealers;
    for (size_t first = 0; first < kSealers; ++first) {
      sealers.emplace_back([this, first, composer = session.NewComposer().value()] {
        for (size_t i = first; i < requests_.size(); i += kSealers) {
          requests_[i] = Seal(*composer);
        }
      });
    }
    for (auto& sealer : sealers) sealer.join();
  }
  // One that was not taken before, signed; null when all were.
  const Bytes* Take() {
    const size_t i = next_++;
    if (i >= requests_.size()) return nullptr;
    auto& request = requests_[i];
    const Bytes signature = keys_.signing->Sign(request.message);
    std::copy(signature.begin(), signature.end(),
              request.bytes.begin() + static_cast<std::ptrdiff_t>(request.signature));
    return &request.bytes;
  }

 private:
  static constexpr size_t kSealers = 2;  // as many as this project's machines have cores

  struct Request {
    Bytes bytes;           // a PublishRequest
    size_t signature = 0;  // where its 64 bytes begin
    Bytes message;         // what is signed
  };

  Request Seal(sdk::Composer& composer) const {
    // One section of 1 KiB, one recipient, one subject.
    auto draft = e2e::Arrears();
    draft.sections.resize(1);
    const auto composed = composer.Compose(draft, keys_, sdk::Now()).value();
    v1::PublishRequest request;
    request.add_envelopes()->ParseFromString(composed.envelope);
    const Digest entries[] = {composed.envelope_digest};
    const auto tree = merkle::BatchTree::Build(entries).value();
    Request made;
    made.bytes = request.SerializeAsString();
    made.signature = made.bytes.find(request.envelopes(0).proof().signature());
    made.message = crypto::BatchMessage(tree.size(), tree.root());
    return made;
  }

  const sdk::OwnKeySet keys_;
  std::vector<Request> requests_;
  std::atomic<size_t> next_ = 0;
};

grpc::ByteBuffer BufferOf(const Bytes& bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size(), grpc::Slice::STATIC_SLICE);
  return grpc::ByteBuffer(&slice, 1);
}

template <typename Response>
struct Call {
  grpc::ClientContext context;
  Response response;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double ProcessorSeconds(pid_t server) { return OwnProcessorSeconds() + ProcessorSecondsOf(server); }

struct EchoClient {
  explicit EchoClient(const sdk::ConnectionOptions& options)
      : connection(sdk::Connection::Open(options).value()),
        stub(benchecho::v1::EchoService::NewStub(connection->channel())) {}
  std::shared_ptr<sdk::Connection> connection;
  std::unique_ptr<benchecho::v1::EchoService::Stub> stub;
};

// Publishes bytes that are a PublishRequest already.
class Publisher {
 public:
  explicit Publisher(std::shared_ptr<sdk::Connection> connection)
      : connection_(std::move(connection)),
        method_(kPath, grpc::internal::RpcMethod::NORMAL_RPC, connection_->channel()),
        stub_(std::make_unique<Stub>(connection_->channel())) {}
  explicit Publisher(const sdk::ConnectionOptions& options)
      : Publisher(sdk::Connection::Open(options).value()) {}

  grpc::Status Call(grpc::ClientContext* context, const Bytes& request,
                    v1::PublishResponse* response) {
    return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, v1::PublishResponse,
                                             grpc::ByteBuffer, google::protobuf::MessageLite>(
        connection_->channel().get(), method_, context, BufferOf(request), response);
  }
  void Start(grpc::ClientContext* context, const Bytes& request, v1::PublishResponse* response,
             std::function<void(grpc::Status)> done) {
    // gRPC has serialized the request when UnaryCall returns.
    const grpc::ByteBuffer buffer = BufferOf(request);
    stub_->UnaryCall(context, kPath, {}, &buffer, response, std::move(done));
  }

 private:
  using Stub = grpc::TemplatedGenericStub<grpc::ByteBuffer, v1::PublishResponse>;
  static constexpr char kPath[] = "/schakel.v1.SignalService/Publish";

  std::shared_ptr<sdk::Connection> connection_;
  grpc::internal::RpcMethod method_;
  std::unique_ptr<Stub> stub_;
};

class Bench {
 public:
  Bench(const PublishOptions& options, std::ostream& out) : options_(options), out_(out) {}

  int Run() {
    auto session = region_.NewSession("corporation", "bench");
    connection_ = session->connection().value();
    Requests probe(*session, 1);
    const Bytes sample = *probe.Take();
    if (!StartEcho(ProbeAnswerBytes(sample))) return 1;
    out_ << "\n\"cost\" is processor time of both sides for one call.\n\n"
            "| client | channels | in flight | publish/s | p50 us | p99 us | cost us | null echo/s "
            "| its cost us | of it | verifying echo/s | of it |\n"
            "|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (auto client : options_.clients) {
      client_ = client;
      for (int channels : options_.channels) {
        OpenChannels(channels);
        for (int in_flight : options_.in_flight) {
          if (in_flight >= channels && !Level(*session, sample, in_flight)) return 1;
        }
      }
    }
    return 0;
  }

 private:
  // To broker and echo as many connections each, with a handshake of its own.
  void OpenChannels(int count) {
    publish_.clear();
    echo_.clear();
    for (int i = 0; i < count; ++i) {
      publish_.emplace_back(connection_->options());
      echo_.emplace_back(echo_options_);
    }
  }

  size_t ProbeAnswerBytes(const Bytes& request) {
    v1::PublishResponse response;
    grpc::ClientContext context;
    connection_->AddMetadata(context);
    const auto status = Publisher(connection_).Call(&context, request, &response);
    if (!status.ok()) std::cerr << "publish: " << status.error_message() << '\n';
    return response.ByteSizeLong();
  }

  bool StartEcho(size_t answer_bytes) {
    const auto& certificate = region_.CertificateOf("corporation");
    auto port_file = region_.folder() / "echo.port";
    testing::ChildOptions child;
    child.program = checkout::BuildPath("bin/schakel_bench_echo");
    child.args = {
        "--certificate",  certificate.certificate.string(), "--key",       certificate.key.string(),
        "--ca",           region_.pki().ca().string(),      "--port-file", port_file.string(),
        "--answer-bytes", std::to_string(answer_bytes)};
    echo_process_ = testing::ChildProcess::Start(std::move(child));
    auto port = echo_process_ ? echo_process_->WaitForPort(port_file) : std::nullopt;
    if (!port) {
      std::cerr << "the echo did not start\n";
      return false;
    }
    echo_options_ = connection_->options();
    echo_options_.address = "127.0.0.1:" + std::to_string(*port);
    return true;
  }

  // One kind of call, made in either way.
  struct CallKind {
    StartCall start;
    BlockingCall blocking;
  };

  // What the calls of one kind came to, and what one cost both sides together.
  struct Measured {
    LoadResult load;
    double processor_us = 0;
  };

  Measured Measure(const CallKind& kind, int in_flight, pid_t server) {
    constexpr auto kWarmUp = std::chrono::milliseconds(300);
    auto counted = std::chrono::milliseconds(static_cast<int>(options_.seconds * 1000));
    const double before = ProcessorSeconds(server);
    Measured measured;
    measured.load = client_ == ClientKind::kCallback
                        ? RunLoad(kind.start, in_flight, kWarmUp, counted)
                        : RunBlockingLoad(kind.blocking, in_flight, kWarmUp, counted);
    measured.processor_us = (ProcessorSeconds(server) - before) * 1e6 /
                            static_cast<double>(std::max<uint64_t>(1, measured.load.with_warm_up));
    return measured;
  }

  static std::string Judge(const grpc::Status& status, const v1::PublishResponse& response) {
    if (!status.ok()) return "publish: " + status.error_message();
    bool good = response.results_size() == 1 && response.results(0).has_accepted() &&
                response.results(0).accepted().outcomes(0).state() == v1::RECIPIENT_STATE_QUEUED;
    return good ? "" : "publish: not accepted";
  }

  Measured Publish(Requests& requests, int in_flight) {
    static constexpr char kTooFew[] = "too few envelopes were sealed";
    return Measure({.start =
                        [&](std::function<void(bool, std::string)> done) {
                          const auto* request = requests.Take();
                          if (request == nullptr) return done(false, kTooFew);
                          auto call = std::make_shared<Call<v1::PublishResponse>>();
                          connection_->AddMetadata(call->context);
                          Next(publish_).Start(&call->context, *request, &call->response,
                                               [call, done](const grpc::Status& status) {
                                                 const auto error = Judge(status, call->response);
                                                 done(error.empty(), error);
                                               });
                        },
                    .blocking = [&]() -> std::string {
                      const auto* request = requests.Take();
                      if (request == nullptr) return kTooFew;
                      Call<v1::PublishResponse> call;
                      connection_->AddMetadata(call.context);
                      const auto status =
                          Next(publish_).Call(&call.context, *request, &call.response);
                      return Judge(status, call.response);
                    }},
                   in_flight, region_.broker().pid());
  }

  Measured Echo(bool verifying, const benchecho::v1::EchoRequest& request, int in_flight) {
    return Measure({.start =
                        [&, verifying](std::function<void(bool, std::string)> done) {
                          auto call = std::make_shared<Call<benchecho::v1::EchoResponse>>();
                          connection_->AddMetadata(call->context);
                          auto end = [call, done](const grpc::Status& status) {
                            done(status.ok(), "echo: " + status.error_message());
                          };
                          auto* stub = Next(echo_).stub->async();
                          if (verifying) {
                            stub->Verifying(&call->context, &request, &call->response, end);
                          } else {
                            stub->Null(&call->context, &request, &call->response, end);
                          }
                        },
                    .blocking = [&, verifying]() -> std::string {
                      Call<benchecho::v1::EchoResponse> call;
                      connection_->AddMetadata(call.context);
                      auto& stub = Next(echo_).stub;
                      const auto status =
                          verifying ? stub->Verifying(&call.context, request, &call.response)
                                    : stub->Null(&call.context, request, &call.response);
                      return status.ok() ? "" : "echo: " + status.error_message();
                    }},
                   in_flight, echo_process_->pid());
  }

  template <typename Client>
  Client& Next(std::vector<Client>& clients) {
    return clients[turn_++ % clients.size()];
  }

  bool Level(sdk::Session& session, const Bytes& sample, int in_flight) {
    benchecho::v1::EchoRequest echo;
    echo.set_payload(sample);
    // Sealed before the first round, so that what is compared is measured within seconds: as many
    // as if a publish were as fast as the echo.
    auto trial = Echo(false, echo, in_flight).load;
    auto count = static_cast<size_t>(trial.per_second * 1.2 * (options_.seconds + 0.4)) + 512;
    Requests requests(session, count * static_cast<size_t>(options_.rounds));
    std::vector<double> publish, p50, p99, cost, null, null_cost, verifying, to_null, to_verifying;
    for (int round = 0; round < options_.rounds; ++round) {
      auto null_result = Echo(false, echo, in_flight);
      auto publish_result = Publish(requests, in_flight);
      auto verifying_result = Echo(true, echo, in_flight);
      for (const auto* result : {&null_result.load, &publish_result.load, &verifying_result.load}) {
        if (result->failed > 0 || result->calls == 0) {
          std::cerr << "a call failed: " << result->first_error << '\n';
          return false;
        }
      }
      publish.push_back(publish_result.load.per_second);
      p50.push_back(publish_result.load.p50_us);
      p99.push_back(publish_result.load.p99_us);
      cost.push_back(publish_result.processor_us);
      null.push_back(null_result.load.per_second);
      null_cost.push_back(null_result.processor_us);
      verifying.push_back(verifying_result.load.per_second);
      to_null.push_back(publish.back() / null.back());
      to_verifying.push_back(publish.back() / verifying.back());
    }
    out_ << std::fixed << std::setprecision(0) << "| "
         << (client_ == ClientKind::kCallback ? "callback" : "blocking") << " | " << publish_.size()
         << " | " << in_flight << " | " << Median(publish) << " | " << Median(p50) << " | "
         << Median(p99) << " | " << Median(cost) << " | " << Median(null) << " | "
         << Median(null_cost) << " | " << std::setprecision(2) << Median(to_null) << " | "
         << std::setprecision(0) << Median(verifying) << " | " << std::setprecision(2)
         << Median(to_verifying) << " |" << std::endl;
    return true;
  }

  const PublishOptions options_;
  std::ostream& out_;
  ClientKind client_ = ClientKind::kCallback;
  e2e::Region region_{{.as_deployed = true}};
  std::shared_ptr<sdk::Connection> connection_;
  sdk::ConnectionOptions echo_options_;
  std::vector<Publisher> publish_;
  std::vector<EchoClient> echo_;
  std::atomic<size_t> turn_ = 0;
  std::unique_ptr<testing::ChildProcess> echo_process_;
};

}  // namespace

int RunPublishBench(const PublishOptions& options, std::ostream& out) {
  return Bench(options, out).Run();
}

}  // namespace schakel::bench
