// schakel_bench_contest: a region and the echoes, which measure what they are told on standard
// input: the part of tests/bench/compare that needs Schakel's own client.
//
// Each line is "KIND IN_FLIGHT SECONDS", KIND one of publish, null, verifying, stream, batch-echo;
// each is answered by one line of JSON: {"per_second", "p50_us", "p99_us"} or {"error"}. The first
// line that it writes says where the region's certificates are and how large its messages are. The
// end of the input ends it.
#include <algorithm>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/bench/calls.h"
#include "tests/bench/load.h"
#include "tests/bench/sealed.h"
#include "tests/bench/streams.h"
#include "tests/e2e/region.h"

namespace schakel::bench {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr auto kWarmUp = milliseconds(300);
// LIMIT: so many seconds of envelopes fit in memory.
constexpr double kSecondsMax = 60;
constexpr auto kPatience = milliseconds(5000);
constexpr int kInFlightMax = 1024;
constexpr int kStreamsMax = 16;

bool Nothing(const LoadResult& load) { return load.calls == 0 && load.failed == 0; }
bool Nothing(const StreamResult& result) { return result.signals == 0 && result.error.empty(); }

// A busy machine may answer nothing within a short time: then it gets more. The result, and its
// time.
template <typename Run>
auto Patiently(milliseconds counted, Run run) {
  auto result = run(counted);
  while (Nothing(result) && counted < kPatience) {
    counted *= 4;
    result = run(counted);
  }
  return std::pair(std::move(result), counted);
}

class Contest {
 public:
  // False and a word on standard error when the region does not work.
  bool Begin() {
    session_ = region_.NewSession("corporation", "bench");
    connection_ = session_->connection().value();
    Requests probe(*session_, 1);
    const Bytes sample = *probe.Take();
    const size_t answer = AnswerBytesOf(connection_, sample);
    Batches batch(*session_, 1);
    batch_bytes_ = BatchBytesOf(connection_->options(), batch);
    if (answer == 0 || batch_bytes_.request == 0) return false;
    echo_server_ = EchoServer::Start(region_, connection_->options(),
                                     {.unary_bytes = answer, .batch_bytes = batch_bytes_.answer});
    if (!echo_server_) return false;
    echo_request_.set_payload(sample);
    publish_.emplace_back(connection_->options());
    echo_.emplace_back(echo_server_->options());
    const auto& certificate = region_.CertificateOf("corporation");
    Say({{"ca", region_.pki().ca().string()},
         {"certificate", certificate.certificate.string()},
         {"key", certificate.key.string()},
         {"request_bytes", sample.size()},
         {"answer_bytes", answer},
         {"batch_request_bytes", batch_bytes_.request},
         {"batch_answer_bytes", batch_bytes_.answer}});
    return true;
  }

  void Answer(const std::string& line) {
    std::istringstream words(line);
    std::string kind;
    int in_flight = 0;
    double seconds = 0;
    words >> kind >> in_flight >> seconds;
    std::string rest;
    if (words.fail() || words >> rest) return Fail("expected KIND IN_FLIGHT SECONDS: " + line);
    if (!(seconds >= 0.1 && seconds <= kSecondsMax)) return Fail("seconds: 0.1 to 60");
    const bool streams = kind == "stream" || kind == "batch-echo";
    if (in_flight < 1 || in_flight > (streams ? kStreamsMax : kInFlightMax)) {
      return Fail("in flight: 1 to 1024 calls, or 1 to 16 streams");
    }
    const auto counted = milliseconds(static_cast<int>(seconds * 1000));
    if (kind == "publish") return Publish(in_flight, counted);
    if (kind == "null") return Told(Echo(false, in_flight, counted));
    if (kind == "verifying") return Told(Echo(true, in_flight, counted));
    if (kind == "stream") return Stream(in_flight, counted);
    if (kind == "batch-echo") {
      return Told(Patiently(counted, [&](milliseconds time) {
        return RunEchoStreams(echo_server_->options(), batch_bytes_.request, in_flight, kWarmUp,
                              time);
      }));
    }
    Fail("unknown kind: " + kind);
  }

 private:
  static void Say(const json& value) { std::cout << value.dump() << std::endl; }
  static void Fail(const std::string& error) { Say({{"error", error}}); }
  static void Say(double per_second, double p50_us, double p99_us) {
    Say({{"per_second", per_second}, {"p50_us", p50_us}, {"p99_us", p99_us}});
  }
  static void Told(const LoadResult& load) {
    if (load.failed > 0) return Fail(load.first_error);
    if (load.calls == 0) return Fail("no call ended while it was counted");
    Say(load.per_second, load.p50_us, load.p99_us);
  }
  static void Told(std::pair<StreamResult, milliseconds> measured) {
    auto& result = measured.first;
    if (!result.error.empty()) return Fail(result.error);
    if (result.signals == 0) return Fail("no batch was answered while it was counted");
    Say(PerSecond(result, measured.second), result.latencies.Micros(0.50),
        result.latencies.Micros(0.99));
  }
  static double PerSecond(const StreamResult& result, milliseconds counted) {
    return static_cast<double>(result.signals) / std::chrono::duration<double>(counted).count();
  }
  // So many may be needed in the time, at half as fast again as ever before.
  static size_t Enough(double per_second, milliseconds counted) {
    const double seconds = std::chrono::duration<double>(kWarmUp + counted).count();
    return static_cast<size_t>(per_second * 1.5 * (seconds + 0.2)) + 2 * kInFlightMax;
  }

  LoadResult Load(const StartCall& start, int in_flight, milliseconds counted) {
    return Patiently(counted,
                     [&](milliseconds time) { return RunLoad(start, in_flight, kWarmUp, time); })
        .first;
  }
  LoadResult Echo(bool verifying, int in_flight, milliseconds counted) {
    return Load(EchoCalls(echo_, echo_request_, verifying).start, in_flight, counted);
  }

  void Publish(int in_flight, milliseconds counted) {
    double& fastest = publish_fastest_[in_flight];
    // A publish does more than an echo.
    if (fastest == 0) fastest = Echo(false, in_flight, milliseconds(200)).per_second / 1.5;
    Requests requests(*session_, Enough(fastest, counted));
    const auto load = Load(PublishCalls(publish_, requests).start, in_flight, counted);
    fastest = std::max(fastest, load.per_second);
    Told(load);
  }

  void Stream(int streams, milliseconds counted) {
    double& fastest = stream_fastest_[streams];
    if (fastest == 0) fastest = 40'000;
    Batches batches(*session_, Enough(fastest, counted) / kBatch + 1);
    auto measured = Patiently(counted, [&](milliseconds time) {
      return RunPublishStreams(connection_->options(), batches, streams, kWarmUp, time);
    });
    fastest = std::max(fastest, PerSecond(measured.first, measured.second));
    Told(std::move(measured));
  }

  e2e::Region region_{{.as_deployed = true}};
  std::unique_ptr<sdk::Session> session_;
  std::shared_ptr<sdk::Connection> connection_;
  std::unique_ptr<EchoServer> echo_server_;
  benchecho::v1::EchoRequest echo_request_;
  BatchBytes batch_bytes_;
  std::vector<Publisher> publish_;
  std::vector<EchoClient> echo_;
  std::map<int, double> publish_fastest_;  // signals a second, by calls in flight
  std::map<int, double> stream_fastest_;   // by streams
};

}  // namespace
}  // namespace schakel::bench

int main() {
  schakel::bench::Contest contest;
  if (!contest.Begin()) return 1;
  for (std::string line; std::getline(std::cin, line);) contest.Answer(line);
  return 0;
}
