// Metrics for Prometheus: counts and durations only, never an organisation, actor or subject.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/transport/role_table.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace prometheus {
class Exposer;
}

namespace schakel::transport {

// The registry of one process and its text form. Thread-safe. References stay valid as long as it.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  prometheus::Counter& Counter(const std::string& name, const std::string& help,
                               const prometheus::Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help,
                           const prometheus::Labels& labels = {});
  // `bounds`: upper bounds of the buckets, ascending, in the unit that the name ends with.
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                   std::vector<double> bounds,
                                   const prometheus::Labels& labels = {});

  // Prometheus text format 0.0.4.
  std::string Text() const;
  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
};

// schakel_calls_total{method,code}, schakel_call_seconds{method}, schakel_streams_open{method}.
// Thread-safe; after the first call of a method and code no lock is taken.
class CallMetrics {
 public:
  explicit CallMetrics(Metrics* metrics);  // must outlive it
  // `rule`: an entry of RoleTable(); nullptr for an unknown method. `code`: google.rpc.Code.
  void Finished(const MethodRule* rule, int code, Micros duration);
  void StreamOpened(const MethodRule* rule);
  void StreamClosed(const MethodRule* rule);

 private:
  static constexpr size_t kCodes = 17;
  struct Series {
    std::array<std::atomic<prometheus::Counter*>, kCodes> calls{};
    std::atomic<prometheus::Histogram*> seconds{nullptr};
    std::atomic<prometheus::Gauge*> streams{nullptr};
  };
  Series& Of(const MethodRule* rule);
  static std::string Name(const MethodRule* rule);
  prometheus::Gauge& Streams(const MethodRule* rule);

  Metrics* const metrics_;
  std::vector<Series> series_;  // one for each entry of the role table, and one for the rest
};

// GET /metrics in plain HTTP. Loopback only: the text says how much passes.
class MetricsEndpoint {
 public:
  // `address`: 127.0.0.0/8 or [::1] with a port, such as 127.0.0.1:9464; port 0 takes a free one.
  // Errors: FIELD_INVALID for another address, or one that can't be listened on.
  static Result<std::unique_ptr<MetricsEndpoint>> Start(const std::string& address,
                                                        const Metrics& metrics);
  ~MetricsEndpoint();
  int port() const { return port_; }

 private:
  MetricsEndpoint();
  std::unique_ptr<prometheus::Exposer> exposer_;
  int port_ = 0;
};

}  // namespace schakel::transport
