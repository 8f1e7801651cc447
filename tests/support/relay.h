// A relay on loopback between clients and a server. It sees bytes only, TLS runs through it, and it
// can hold the server's answers back.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <thread>

namespace schakel::testing {

class Relay {
 public:
  // Listens on a free port and connects each client to `server_port`. `hold` is asked, on the
  // relay's thread, before bytes of a client go on to the server: from its first true on nothing of
  // the server reaches any client.
  Relay(int server_port, std::function<bool()> hold);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  int port() const { return port_; }
  bool holding() const { return holding_; }

 private:
  struct Pair {
    int client;
    int server;
  };
  void Run();
  void Accept();
  // Passes what waits on; false when one side has ended.
  bool Forward(const Pair& pair, bool from_client, bool from_server);

  const int server_port_;
  const std::function<bool()> hold_;
  int listener_ = -1;
  int port_ = 0;
  int stop_[2] = {-1, -1};
  std::atomic<bool> holding_ = false;
  std::list<Pair> pairs_;  // of the thread
  std::thread thread_;
};

}  // namespace schakel::testing
