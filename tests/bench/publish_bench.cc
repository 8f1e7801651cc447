#include "tests/bench/publish_bench.h"

#include <algorithm>
#include <iomanip>
#include <iostream>

#include "tests/bench/calls.h"
#include "tests/bench/load.h"
#include "tests/bench/processor_time.h"
#include "tests/bench/sealed.h"
#include "tests/e2e/region.h"

namespace schakel::bench {

namespace {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double ProcessorSeconds(pid_t server) { return OwnProcessorSeconds() + ProcessorSecondsOf(server); }

class Bench {
 public:
  Bench(const PublishOptions& options, std::ostream& out) : options_(options), out_(out) {}

  int Run() {
    auto session = region_.NewSession("corporation", "bench");
    connection_ = session->connection().value();
    Requests probe(*session, 1);
    const Bytes sample = *probe.Take();
    echo_server_ = EchoServer::Start(region_, connection_->options(),
                                     {.unary_bytes = AnswerBytesOf(connection_, sample)});
    if (!echo_server_) return 1;
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
      echo_.emplace_back(echo_server_->options());
    }
  }

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

  Measured Publish(Requests& requests, int in_flight) {
    return Measure(PublishCalls(publish_, requests), in_flight, region_.broker().pid());
  }

  Measured Echo(bool verifying, const benchecho::v1::EchoRequest& request, int in_flight) {
    return Measure(EchoCalls(echo_, request, verifying), in_flight, echo_server_->pid());
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
  std::vector<Publisher> publish_;
  std::vector<EchoClient> echo_;
  std::unique_ptr<EchoServer> echo_server_;
};

}  // namespace

int RunPublishBench(const PublishOptions& options, std::ostream& out) {
  return Bench(options, out).Run();
}

}  // namespace schakel::bench
