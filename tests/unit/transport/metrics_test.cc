#include "broker/transport/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace schakel::transport {
namespace {

// A plain HTTP/1.0 request; the whole answer.
std::string HttpGet(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
    EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    char part[4096];
    for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;)
      answer.append(part, static_cast<size_t>(n));
  }
  close(fd);
  return answer;
}

TEST(Metrics, SerialiseAsText) {
  Metrics metrics;
  metrics.Counter("schakel_records_total", "Records.", {{"kind", "publish"}}).Increment(3);
  metrics.Gauge("schakel_queue_commands", "Commands that wait.").Set(5);
  metrics.Histogram("schakel_batch_seconds", "A batch.", {0.01, 0.1}).Observe(0.05);
  const std::string text = metrics.Text();
  EXPECT_NE(text.find("schakel_records_total{kind=\"publish\"} 3"), std::string::npos) << text;
  EXPECT_NE(text.find("schakel_queue_commands 5"), std::string::npos);
  EXPECT_NE(text.find("schakel_batch_seconds_bucket{le=\"0.1\"} 1"), std::string::npos);
}

TEST(CallMetrics, CountByMethodAndCodeFromSeveralThreads) {
  Metrics metrics;
  CallMetrics calls(&metrics);
  const MethodRule* rule = FindMethod("schakel.v1.SignalService.Publish");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) calls.Finished(rule, 0, std::chrono::milliseconds(2));
    });
  }
  for (std::thread& thread : threads) thread.join();
  calls.Finished(rule, 7, std::chrono::milliseconds(1));
  calls.Finished(nullptr, 12, std::chrono::milliseconds(1));
  calls.Finished(rule, 4711, std::chrono::milliseconds(1));
  calls.StreamOpened(FindMethod("schakel.v1.InboxService.Pull"));
  const std::string text = metrics.Text();
  const std::string publish = "method=\"schakel.v1.SignalService.Publish\"";
  EXPECT_NE(text.find("schakel_calls_total{code=\"0\"," + publish + "} 400"), std::string::npos)
      << text;
  EXPECT_NE(text.find("schakel_calls_total{code=\"7\"," + publish + "} 1"), std::string::npos);
  EXPECT_NE(text.find("schakel_calls_total{code=\"2\"," + publish + "} 1"), std::string::npos);
  EXPECT_NE(text.find("schakel_calls_total{code=\"12\",method=\"unknown\"} 1"), std::string::npos);
  EXPECT_NE(text.find("schakel_call_seconds_count{" + publish + "} 402"), std::string::npos);
  EXPECT_NE(text.find("schakel_streams_open{method=\"schakel.v1.InboxService.Pull\"} 1"),
            std::string::npos);
}

TEST(MetricsEndpoint, ServesTheTextOnLoopback) {
  Metrics metrics;
  metrics.Counter("schakel_heads_total", "Heads.").Increment(2);
  const auto endpoint = MetricsEndpoint::Start("127.0.0.1:0", metrics);
  ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
  EXPECT_GT((*endpoint)->port(), 0);
  const std::string answer = HttpGet((*endpoint)->port(), "/metrics");
  EXPECT_NE(answer.find("200 OK"), std::string::npos) << answer;
  EXPECT_NE(answer.find("schakel_heads_total 2"), std::string::npos) << answer;
  EXPECT_EQ(HttpGet((*endpoint)->port(), "/other").find("schakel_heads_total"), std::string::npos);
}

TEST(MetricsEndpoint, RefusesOtherAddressesThanLoopback) {
  const Metrics metrics;
  for (const char* address :
       {"0.0.0.0:0", "[::]:0", "10.0.0.1:9464", "localhost:9464", ":9464", "9464", "127.0.0.1",
        "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "128.0.0.1:9464", "127.0.0.1:1,0.0.0.0:2",
        "0.0.0.0:1,127.0.0.1:2", ""}) {
    const auto endpoint = MetricsEndpoint::Start(address, metrics);
    ASSERT_FALSE(endpoint.ok()) << address;
    EXPECT_EQ(endpoint.error().reason, "FIELD_INVALID");
    EXPECT_EQ(endpoint.error().field, "metrics_address");
  }
}

TEST(MetricsEndpoint, SaysWhenThePortIsTaken) {
  const Metrics metrics;
  const auto first = MetricsEndpoint::Start("127.0.0.1:0", metrics);
  ASSERT_TRUE(first.ok());
  const auto second =
      MetricsEndpoint::Start("127.0.0.1:" + std::to_string((*first)->port()), metrics);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().field, "metrics_address");
}

}  // namespace
}  // namespace schakel::transport
