// schakel_bench_nats: publishes to a NATS JetStream server as it is told on standard input, for
// tests/bench/compare. Built only where libnats is installed.
//
// Each line is "KIND IN_FLIGHT SECONDS", KIND sync (as many threads, each waits for its
// acknowledgement) or async (as many unacknowledged messages of one thread); each is answered by
// one line of JSON: {"per_second", "p50_us", "p99_us"} or {"error"}. The first line that it writes
// is {}, when the stream is there. The end of the input ends it.
#include <nats/nats.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/bench/load.h"

namespace schakel::bench {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using Time = std::chrono::steady_clock;

constexpr auto kWarmUp = milliseconds(300);
constexpr char kSubject[] = "bench";

template <auto Destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* object) const {
    Destroy(object);
  }
};
using Connection = std::unique_ptr<natsConnection, Destroyer<natsConnection_Destroy>>;
using Options = std::unique_ptr<natsOptions, Destroyer<natsOptions_Destroy>>;
using JetStream = std::unique_ptr<jsCtx, Destroyer<jsCtx_Destroy>>;

struct Server {
  std::string url;
  std::string ca;
  std::string certificate;
  std::string key;
};

// nullptr and a word on standard error when it does not succeed.
Connection Connect(const Server& server) {
  natsOptions* made = nullptr;
  if (natsOptions_Create(&made) != NATS_OK) return nullptr;
  const Options options(made);
  natsConnection* connection = nullptr;
  natsStatus status = natsOptions_SetURL(made, server.url.c_str());
  if (status == NATS_OK) status = natsOptions_SetSecure(made, true);
  if (status == NATS_OK) {
    status = natsOptions_LoadCATrustedCertificates(made, server.ca.c_str());
  }
  if (status == NATS_OK) {
    status =
        natsOptions_LoadCertificatesChain(made, server.certificate.c_str(), server.key.c_str());
  }
  // The address is an IP address, the certificate's names are compared with a name.
  if (status == NATS_OK) status = natsOptions_SetExpectedHostname(made, "localhost");
  if (status == NATS_OK) status = natsConnection_Connect(&connection, made);
  if (status != NATS_OK) std::cerr << "nats: " << nats_GetLastError(nullptr) << '\n';
  return Connection(connection);
}

// Counts acknowledgements; each message begins with the time of its sending.
struct Acknowledgements {
  Acknowledgements(Time::time_point from, Time::time_point until) : count_from(from), end(until) {}

  static void Handle(jsCtx*, natsMsg* message, jsPubAck*, jsPubAckErr* error, void* closure) {
    auto& own = *static_cast<Acknowledgements*>(closure);
    const auto now = Time::now();
    Time::rep sent = 0;
    std::memcpy(&sent, natsMsg_GetData(message), sizeof sent);
    natsMsg_Destroy(message);
    if (error != nullptr) {
      ++own.failed;
    } else if (now >= own.count_from && now < own.end) {
      const std::lock_guard lock(own.mutex);
      own.latencies.Add(now - Time::time_point(Time::duration(sent)));
    }
  }

  const Time::time_point count_from;
  const Time::time_point end;
  std::atomic<uint64_t> failed = 0;
  std::mutex mutex;  // guards latencies; one thread takes it, but the one that reads them at last
  Latencies latencies;
};

class Publishers {
 public:
  Publishers(Connection connection, size_t size)
      : connection_(std::move(connection)), message_(size, 'x') {}

  // Makes the stream, on disk.
  bool Begin() {
    const JetStream context = Context(nullptr);
    if (!context) return false;
    const char* subjects[] = {kSubject};
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    config.Name = "BENCH";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    jsErrCode error{};
    if (js_AddStream(nullptr, context.get(), &config, nullptr, &error) == NATS_OK) return true;
    std::cerr << "nats: no stream: " << nats_GetLastError(nullptr) << '\n';
    return false;
  }

  json Answer(const std::string& line) {
    std::istringstream words(line);
    std::string kind;
    int in_flight = 0;
    double seconds = 0;
    words >> kind >> in_flight >> seconds;
    if (words.fail() || in_flight < 1 || !(seconds >= 0.1 && seconds <= 60)) {
      return {{"error", "expected KIND IN_FLIGHT SECONDS: " + line}};
    }
    const auto counted = milliseconds(static_cast<int>(seconds * 1000));
    if (kind == "sync") return Sync(in_flight, counted);
    if (kind == "async") return Async(in_flight, counted);
    return {{"error", "unknown kind: " + kind}};
  }

 private:
  JetStream Context(jsOptions* options) {
    jsCtx* context = nullptr;
    if (natsConnection_JetStream(&context, connection_.get(), options) != NATS_OK) {
      std::cerr << "nats: " << nats_GetLastError(nullptr) << '\n';
    }
    return JetStream(context);
  }

  json Sync(int threads, milliseconds counted) {
    const JetStream context = Context(nullptr);
    if (!context) return {{"error", "no context"}};
    const auto load = RunBlockingLoad(
        [&]() -> std::string {
          const natsStatus status = js_Publish(nullptr, context.get(), kSubject, message_.data(),
                                               static_cast<int>(message_.size()), nullptr, nullptr);
          return status == NATS_OK ? "" : natsStatus_GetText(status);
        },
        threads, kWarmUp, counted);
    if (load.failed > 0) return {{"error", load.first_error}};
    if (load.calls == 0) return {{"error", "nothing was acknowledged while it was counted"}};
    return {{"per_second", load.per_second}, {"p50_us", load.p50_us}, {"p99_us", load.p99_us}};
  }

  json Async(int unacknowledged, milliseconds counted) {
    const auto begin = Time::now();
    Acknowledgements seen(begin + kWarmUp, begin + kWarmUp + counted);
    jsOptions options;
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = unacknowledged;
    options.PublishAsync.StallWait = 5000;
    options.PublishAsync.AckHandler = Acknowledgements::Handle;
    options.PublishAsync.AckHandlerClosure = &seen;
    const JetStream context = Context(&options);
    if (!context) return {{"error", "no context"}};
    std::string message = message_;
    for (auto now = begin; now < seen.end; now = Time::now()) {
      const Time::rep sent = now.time_since_epoch().count();
      std::memcpy(message.data(), &sent, sizeof sent);
      const natsStatus status = js_PublishAsync(context.get(), kSubject, message.data(),
                                                static_cast<int>(message.size()), nullptr);
      if (status != NATS_OK) return {{"error", natsStatus_GetText(status)}};
    }
    jsPubOptions wait;
    jsPubOptions_Init(&wait);
    wait.MaxWait = 30'000;
    const natsStatus status = js_PublishAsyncComplete(context.get(), &wait);
    if (status != NATS_OK) return {{"error", natsStatus_GetText(status)}};
    const std::lock_guard lock(seen.mutex);
    if (seen.failed > 0) return {{"error", "a message was not acknowledged"}};
    if (seen.latencies.size() == 0) return {{"error", "nothing was acknowledged in time"}};
    return {{"per_second", static_cast<double>(seen.latencies.size()) /
                               std::chrono::duration<double>(counted).count()},
            {"p50_us", seen.latencies.Micros(0.50)},
            {"p99_us", seen.latencies.Micros(0.99)}};
  }

  const Connection connection_;
  const std::string message_;
};

}  // namespace
}  // namespace schakel::bench

int main(int argc, char** argv) {
  schakel::bench::Server server;
  size_t size = 1024;
  CLI::App app("Publishes to NATS JetStream, for comparison");
  app.add_option("--url", server.url)->required();
  app.add_option("--ca", server.ca)->required();
  app.add_option("--certificate", server.certificate)->required();
  app.add_option("--key", server.key)->required();
  app.add_option("--size", size, "Bytes of a message")->check(CLI::Range(16, 1 << 20));
  CLI11_PARSE(app, argc, argv);
  auto connection = schakel::bench::Connect(server);
  if (!connection) return 1;
  schakel::bench::Publishers publishers(std::move(connection), size);
  if (!publishers.Begin()) return 1;
  std::cout << "{}" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << publishers.Answer(line).dump() << std::endl;
  }
  return 0;
}
