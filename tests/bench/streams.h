// Loads over streams in batches of kBatch: publishes to a broker, and the null echo of as many
// bytes.
#pragma once

#include <chrono>
#include <string>

#include "clients/cli/bench/histogram.h"
#include "clients/sdk/connection.h"
#include "tests/bench/sealed.h"

namespace schakel::bench {

struct StreamResult {
  std::string error;     // empty when every signal was answered well
  uint64_t signals = 0;  // answered while counted; none when that was too short
  uint64_t with_warm_up = 0;
  Latencies latencies;  // of batches
};

// `streams` at a time, each over a connection of its own, for `warm_up` uncounted and then
// `counted`.
StreamResult RunPublishStreams(const sdk::ConnectionOptions& to, Batches& batches, int streams,
                               std::chrono::milliseconds warm_up,
                               std::chrono::milliseconds counted);

// The same of the echo, whose messages stand for kBatch signals and have `request_bytes`. As many
// batches are unanswered at a time as a broker's window has room for.
StreamResult RunEchoStreams(const sdk::ConnectionOptions& to, size_t request_bytes, int streams,
                            std::chrono::milliseconds warm_up, std::chrono::milliseconds counted);

// Publishes one batch on a stream of its own: the bytes of its request and of its answer. Zeros and
// a word on standard error when it failed.
struct BatchBytes {
  size_t request = 0;
  size_t answer = 0;
};
BatchBytes BatchBytesOf(const sdk::ConnectionOptions& to, Batches& batches);

}  // namespace schakel::bench
