#include "tests/e2e/metrics.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>

namespace schakel::e2e {

std::string MetricsAt(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
    EXPECT_EQ(::write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    char part[4096];
    for (ssize_t n; (n = ::read(fd, part, sizeof part)) > 0;) {
      answer.append(part, static_cast<size_t>(n));
    }
  }
  ::close(fd);
  EXPECT_THAT(answer, ::testing::HasSubstr("200 OK"));
  return answer;
}

std::optional<double> ValueOf(const std::string& text, const std::string& metric) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(metric + " ")) return std::stod(line.substr(metric.size() + 1));
  }
  return std::nullopt;
}

}  // namespace schakel::e2e
