#include "tests/support/notify_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "broker/base/check.h"

namespace schakel::testing {

NotifySocket::NotifySocket(std::filesystem::path path) : path_(std::move(path)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  SCHAKEL_CHECK(path_.string().size() < sizeof address.sun_path,
                "a test's socket has a short path");
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  SCHAKEL_CHECK(
      fd_ >= 0 && ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
      "a test's socket can be bound");
}

NotifySocket::~NotifySocket() { ::close(fd_); }

std::optional<std::string> NotifySocket::Next(std::chrono::milliseconds timeout) {
  pollfd wait{fd_, POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(timeout.count())) != 1) return std::nullopt;
  char text[4096];
  const ssize_t n = ::recv(fd_, text, sizeof text, 0);
  if (n < 0) return std::nullopt;
  return std::string(text, static_cast<size_t>(n));
}

std::optional<std::string> NotifySocket::Await(std::string_view part,
                                               std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + timeout;
  while (Clock::now() < until) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    auto datagram = Next(left);
    if (datagram && datagram->find(part) != std::string::npos) return datagram;
  }
  return std::nullopt;
}

}  // namespace schakel::testing
