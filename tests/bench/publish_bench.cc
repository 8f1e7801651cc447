#include "tests/bench/publish_bench.h"

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
#include "tests/e2e/region.h"
#include "tests/e2e/story.h"
#include "tests/support/paths.h"

namespace schakel::bench {

namespace {

// Envelopes sealed beforehand; each is signed when it is taken, as a sender signs while it sends.
class Envelopes {
 public:
  Envelopes(sdk::Session& session, size_t count)
      : keys_(session.keys().value()->Current(sdk::Now()).value()),
        requests_(count),
        messages_(count) {
    const auto& own = keys_;
    std::vector<std::thread> sealers;
    for (size_t first = 0; first < kSealers; ++first) {
      sealers.emplace_back([this, &own, first, composer = session.NewComposer().value()] {
        for (size_t i = first; i < requests_.size(); i += kSealers) {
          auto composed = composer->Compose(Draft(), own, sdk::Now());
          requests_[i].add_envelopes()->ParseFromString(composed.value().envelope);
          const Digest entries[] = {composed.value().envelope_digest};
          auto tree = merkle::BatchTree::Build(entries).value();
          messages_[i] = crypto::BatchMessage(tree.size(), tree.root());
        }
      });
    }
    for (auto& sealer : sealers) sealer.join();
  }
  // One that was not taken before; null when all were.
  const v1::PublishRequest* Take() {
    size_t i = next_++;
    if (i >= requests_.size()) return nullptr;
    requests_[i].mutable_envelopes(0)->mutable_proof()->set_signature(
        keys_.signing->Sign(messages_[i]));
    return &requests_[i];
  }
  const v1::PublishRequest& first() const { return requests_.front(); }

 private:
  static constexpr size_t kSealers = 2;  // as many as this project's machines have cores

  // One section of 1 KiB, one recipient, one subject.
  static sdk::SignalDraft Draft() {
    auto draft = e2e::Arrears();
    draft.sections.resize(1);
    return draft;
  }
  const sdk::OwnKeySet keys_;
  std::vector<v1::PublishRequest> requests_;
  std::vector<Bytes> messages_;  // what is signed of each
  std::atomic<size_t> next_ = 0;
};

template <typename Response>
struct Call {
  grpc::ClientContext context;
  Response response;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <typename Service>
struct Client {
  explicit Client(const sdk::ConnectionOptions& options)
      : connection(sdk::Connection::Open(options).value()),
        stub(Service::NewStub(connection->channel())) {}
  std::shared_ptr<sdk::Connection> connection;
  std::unique_ptr<typename Service::Stub> stub;
};

class Bench {
 public:
  Bench(const PublishOptions& options, std::ostream& out) : options_(options), out_(out) {}

  int Run() {
    auto session = region_.NewSession("corporation", "bench");
    connection_ = session->connection().value();
    auto probe = std::make_unique<Envelopes>(*session, 1);
    if (!StartEcho(ProbeAnswerBytes(probe->first()))) return 1;
    out_ << "\n| client | channels | in flight | publish/s | p50 us | p99 us | null echo/s | of it "
            "| "
            "verifying echo/s | "
            "of it |\n|---|---|---|---|---|---|---|---|---|---|\n";
    for (auto client : options_.clients) {
      client_ = client;
      for (int channels : options_.channels) {
        OpenChannels(channels);
        for (int in_flight : options_.in_flight) {
          if (in_flight >= channels && !Level(*session, probe->first(), in_flight)) return 1;
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

  size_t ProbeAnswerBytes(const v1::PublishRequest& request) {
    v1::PublishResponse response;
    grpc::ClientContext context;
    connection_->AddMetadata(context);
    auto stub = v1::SignalService::NewStub(connection_->channel());
    auto status = stub->Publish(&context, request, &response);
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

  LoadResult Measure(const CallKind& kind, int in_flight) {
    constexpr auto kWarmUp = std::chrono::milliseconds(300);
    auto counted = std::chrono::milliseconds(static_cast<int>(options_.seconds * 1000));
    return client_ == ClientKind::kCallback
               ? RunLoad(kind.start, in_flight, kWarmUp, counted)
               : RunBlockingLoad(kind.blocking, in_flight, kWarmUp, counted);
  }

  static std::string Judge(const grpc::Status& status, const v1::PublishResponse& response) {
    if (!status.ok()) return "publish: " + status.error_message();
    bool good = response.results_size() == 1 && response.results(0).has_accepted() &&
                response.results(0).accepted().outcomes(0).state() == v1::RECIPIENT_STATE_QUEUED;
    return good ? "" : "publish: not accepted";
  }

  LoadResult Publish(Envelopes& envelopes, int in_flight) {
    static constexpr char kTooFew[] = "too few envelopes were sealed";
    return Measure({.start =
                        [&](std::function<void(bool, std::string)> done) {
                          const auto* request = envelopes.Take();
                          if (request == nullptr) return done(false, kTooFew);
                          auto call = std::make_shared<Call<v1::PublishResponse>>();
                          connection_->AddMetadata(call->context);
                          Next(publish_).stub->async()->Publish(
                              &call->context, request, &call->response,
                              [call, done](const grpc::Status& status) {
                                const auto error = Judge(status, call->response);
                                done(error.empty(), error);
                              });
                        },
                    .blocking = [&]() -> std::string {
                      const auto* request = envelopes.Take();
                      if (request == nullptr) return kTooFew;
                      Call<v1::PublishResponse> call;
                      connection_->AddMetadata(call.context);
                      const auto status =
                          Next(publish_).stub->Publish(&call.context, *request, &call.response);
                      return Judge(status, call.response);
                    }},
                   in_flight);
  }

  LoadResult Echo(bool verifying, const benchecho::v1::EchoRequest& request, int in_flight) {
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
                   in_flight);
  }

  template <typename Service>
  Client<Service>& Next(std::vector<Client<Service>>& clients) {
    return clients[turn_++ % clients.size()];
  }

  bool Level(sdk::Session& session, const v1::PublishRequest& sample, int in_flight) {
    benchecho::v1::EchoRequest echo;
    echo.set_payload(sample.SerializeAsString());
    std::vector<double> publish, p50, p99, null, verifying, to_null, to_verifying;
    for (int round = 0; round < options_.rounds; ++round) {
      auto null_result = Echo(false, echo, in_flight);
      // Enough for a publish as fast as the echo.
      auto count = static_cast<size_t>(null_result.per_second * (options_.seconds + 0.8)) + 512;
      Envelopes envelopes(session, count);
      auto publish_result = Publish(envelopes, in_flight);
      auto verifying_result = Echo(true, echo, in_flight);
      for (const auto* result : {&null_result, &publish_result, &verifying_result}) {
        if (result->failed > 0 || result->calls == 0) {
          std::cerr << "a call failed: " << result->first_error << '\n';
          return false;
        }
      }
      publish.push_back(publish_result.per_second);
      p50.push_back(publish_result.p50_us);
      p99.push_back(publish_result.p99_us);
      null.push_back(null_result.per_second);
      verifying.push_back(verifying_result.per_second);
      to_null.push_back(publish.back() / null.back());
      to_verifying.push_back(publish.back() / verifying.back());
    }
    out_ << std::fixed << std::setprecision(0) << "| "
         << (client_ == ClientKind::kCallback ? "callback" : "blocking") << " | " << publish_.size()
         << " | " << in_flight << " | " << Median(publish) << " | " << Median(p50) << " | "
         << Median(p99) << " | " << Median(null) << " | " << std::setprecision(2) << Median(to_null)
         << " | " << std::setprecision(0) << Median(verifying) << " | " << std::setprecision(2)
         << Median(to_verifying) << " |" << std::endl;
    return true;
  }

  const PublishOptions options_;
  std::ostream& out_;
  ClientKind client_ = ClientKind::kCallback;
  e2e::Region region_{{.as_deployed = true}};
  std::shared_ptr<sdk::Connection> connection_;
  sdk::ConnectionOptions echo_options_;
  std::vector<Client<v1::SignalService>> publish_;
  std::vector<Client<benchecho::v1::EchoService>> echo_;
  std::atomic<size_t> turn_ = 0;
  std::unique_ptr<testing::ChildProcess> echo_process_;
};

}  // namespace

int RunPublishBench(const PublishOptions& options, std::ostream& out) {
  return Bench(options, out).Run();
}

}  // namespace schakel::bench
