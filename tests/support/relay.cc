#include "tests/support/relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>
#include <vector>

#include "broker/base/check.h"

namespace schakel::testing {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SCHAKEL_CHECK(fd >= 0, "a socket");
  return fd;
}

bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

Relay::Relay(int server_port, std::function<bool()> hold)
    : server_port_(server_port), hold_(std::move(hold)), listener_(Socket()) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  SCHAKEL_CHECK(bind(listener_, raw, size) == 0 && listen(listener_, 16) == 0 &&
                    getsockname(listener_, raw, &size) == 0 && pipe(stop_) == 0,
                "a relay listens");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

Relay::~Relay() {
  close(stop_[1]);
  thread_.join();
  for (const Pair& pair : pairs_) {
    close(pair.client);
    close(pair.server);
  }
  close(listener_);
  close(stop_[0]);
}

void Relay::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = Socket();
  const sockaddr_in address = Loopback(server_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(client);
    close(server);
    return;
  }
  pairs_.push_back({client, server});
}

bool Relay::Forward(const Pair& pair, bool from_client, bool from_server) {
  char buffer[65536];
  if (from_client) {
    const ssize_t got = recv(pair.client, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    // Decided before the server has these bytes, so before it can answer them.
    if (!holding_ && hold_()) holding_ = true;
    if (!SendAll(pair.server, {buffer, static_cast<size_t>(got)})) return false;
  }
  if (from_server) {
    const ssize_t got = recv(pair.server, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    if (!holding_ && !SendAll(pair.client, {buffer, static_cast<size_t>(got)})) return false;
  }
  return true;
}

void Relay::Run() {
  while (true) {
    std::vector<pollfd> watched = {{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      watched.push_back({pair.client, POLLIN, 0});
      watched.push_back({pair.server, POLLIN, 0});
    }
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents != 0) return;
    size_t at = 2;
    for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
      if (Forward(*pair, watched[at].revents != 0, watched[at + 1].revents != 0)) {
        ++pair;
        continue;
      }
      close(pair->client);
      close(pair->server);
      pair = pairs_.erase(pair);
    }
    if (watched[1].revents != 0) Accept();
  }
}

}  // namespace schakel::testing
