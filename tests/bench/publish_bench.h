// Durable unary publish against the echoes, over real processes and mTLS.
#pragma once

#include <ostream>
#include <vector>

namespace schakel::bench {

// How the measuring client makes its calls.
enum class ClientKind {
  kCallback,  // gRPC's callback API, as a server that sends for many would
  kBlocking,  // a thread for each call in flight, as the SDK does
};

struct PublishOptions {
  double seconds = 2;
  int rounds = 5;
  std::vector<int> in_flight = {1, 16, 64, 256};
  // Connections that the calls take in turn: 1 as one busy partner has, 64 as a region of them.
  std::vector<int> channels = {1, 64};
  std::vector<ClientKind> clients = {ClientKind::kCallback, ClientKind::kBlocking};
};

// Prints a row for each kind of client, number of channels and of calls in flight, as soon as it is
// measured. 1 when a call failed.
int RunPublishBench(const PublishOptions& options, std::ostream& out);

}  // namespace schakel::bench
