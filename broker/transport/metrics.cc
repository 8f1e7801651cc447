#include "broker/transport/metrics.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <exception>

#include "prometheus/exposer.h"
#include "prometheus/text_serializer.h"

namespace schakel::transport {
namespace {

// Whether `address` is a literal loopback address with a port.
bool IsLoopback(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) return false;
  const char* const end = address.data() + address.size();
  uint16_t port = 0;
  const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end) return false;
  const std::string host = address.substr(0, colon);
  if (host == "[::1]") return true;
  in_addr ipv4{};
  return inet_pton(AF_INET, host.c_str(), &ipv4) == 1 && (ntohl(ipv4.s_addr) >> 24) == 127;
}

}  // namespace

Metrics::Metrics() : registry_(std::make_shared<prometheus::Registry>()) {}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help,
                                      const prometheus::Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help,
                                  const prometheus::Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add(labels);
}

prometheus::Histogram& Metrics::Histogram(const std::string& name, const std::string& help,
                                          std::vector<double> bounds,
                                          const prometheus::Labels& labels) {
  return prometheus::BuildHistogram()
      .Name(name)
      .Help(help)
      .Register(*registry_)
      .Add(labels, prometheus::Histogram::BucketBoundaries(std::move(bounds)));
}

std::string Metrics::Text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

CallMetrics::CallMetrics(Metrics* metrics) : metrics_(metrics), series_(RoleTable().size() + 1) {}

CallMetrics::Series& CallMetrics::Of(const MethodRule* rule) {
  const std::span<const MethodRule> table = RoleTable();
  if (rule == nullptr) return series_[table.size()];
  const auto index = static_cast<size_t>(rule - table.data());
  SCHAKEL_CHECK(index < table.size(), "a rule of the one table");
  return series_[index];
}

std::string CallMetrics::Name(const MethodRule* rule) {
  return rule == nullptr ? "unknown" : std::string(rule->method);
}

void CallMetrics::Finished(const MethodRule* rule, int code, Micros duration) {
  Series& series = Of(rule);
  const size_t slot = code >= 0 && code < int{kCodes} ? static_cast<size_t>(code) : 2;
  prometheus::Counter* calls = series.calls[slot].load(std::memory_order_acquire);
  if (calls == nullptr) {
    // The registry gives the same counter to whoever asks for the same labels.
    calls = &metrics_->Counter("schakel_calls_total",
                               "Calls that ended, by method and gRPC code. Unit: calls. "
                               "Alert: SchakelCallsFailInside.",
                               {{"method", Name(rule)}, {"code", std::to_string(slot)}});
    series.calls[slot].store(calls, std::memory_order_release);
  }
  calls->Increment();
  prometheus::Histogram* seconds = series.seconds.load(std::memory_order_acquire);
  if (seconds == nullptr) {
    seconds = &metrics_->Histogram(
        "schakel_call_seconds",
        "From the call's begin to its answer. Unit: seconds. Alert: SchakelCallsSlow.",
        {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5},
        {{"method", Name(rule)}});
    series.seconds.store(seconds, std::memory_order_release);
  }
  seconds->Observe(std::chrono::duration<double>(duration).count());
}

prometheus::Gauge& CallMetrics::Streams(const MethodRule* rule) {
  Series& series = Of(rule);
  prometheus::Gauge* streams = series.streams.load(std::memory_order_acquire);
  if (streams == nullptr) {
    streams = &metrics_->Gauge("schakel_streams_open",
                               "Open streams, by method. Unit: streams. Do: nothing; near "
                               "limits.streams for each member, raise it or ask that member.",
                               {{"method", Name(rule)}});
    series.streams.store(streams, std::memory_order_release);
  }
  return *streams;
}

void CallMetrics::StreamOpened(const MethodRule* rule) { Streams(rule).Increment(); }
void CallMetrics::StreamClosed(const MethodRule* rule) { Streams(rule).Decrement(); }

MetricsEndpoint::MetricsEndpoint() = default;
MetricsEndpoint::~MetricsEndpoint() = default;

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const std::string& address,
                                                                const Metrics& metrics) {
  if (!IsLoopback(address)) {
    return InvalidArgument("FIELD_INVALID", "metrics_address",
                           "expected a loopback address with a port, such as 127.0.0.1:9464; "
                           "metrics are not protected by TLS");
  }
  std::unique_ptr<MetricsEndpoint> endpoint(new MetricsEndpoint());
  try {
    endpoint->exposer_ = std::make_unique<prometheus::Exposer>(address, /*num_threads=*/2);
    endpoint->exposer_->RegisterCollectable(metrics.registry());
    const std::vector<int> ports = endpoint->exposer_->GetListeningPorts();
    endpoint->port_ = ports.empty() ? 0 : ports[0];
  } catch (const std::exception&) {
    return InvalidArgument("FIELD_INVALID", "metrics_address", "can't listen on " + address);
  }
  return endpoint;
}

}  // namespace schakel::transport
