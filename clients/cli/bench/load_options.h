// The flags of a load: what is sent, how, and for how long.
#pragma once

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "clients/cli/draft_options.h"
#include "clients/cli/verb.h"

namespace schakel::cli {

// How a load goes.
struct LoadSettings {
  size_t senders = 1;    // connections
  size_t in_flight = 0;  // signals, of all senders together
  size_t batch = 1;      // 1: a call a signal; more: streams, so many under one signature
  std::optional<uint64_t> signals;  // counted ones after which it ends
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds warm_up{0};
  bool on_a_real_chain = false;
};

// As typed.
struct LoadOptions {
  static constexpr uint64_t kUnset = std::numeric_limits<uint64_t>::max();

  DraftOptions draft;
  uint64_t size = kUnset;
  uint64_t sections = 1;
  uint64_t senders = 1;
  uint64_t in_flight = kUnset;
  uint64_t batch = 1;
  uint64_t signals = kUnset;
  std::string duration = "10s";
  std::string warm_up = "1s";
  bool on_a_real_chain = false;
};

void AddLoadOptions(Verb& verb, LoadOptions& options);

// Everything that can be judged without a broker. Errors: USAGE.
Result<LoadSettings> CheckLoad(const Invocation& invocation, const LoadOptions& options);

// A duration from 1 ms to 24 h. Errors: USAGE.
Result<std::chrono::nanoseconds> BenchDuration(const Invocation& invocation,
                                               const std::string& text, const char* option);
// USAGE unless least <= number <= most.
Status NumberBetween(const Invocation& invocation, uint64_t number, uint64_t least, uint64_t most,
                     const char* option);

// The signal of which each that is sent is a copy. Without a type it is a test signal to whoever
// answers those by the active bundle, which is about nobody; with one, the flags are those of
// signal send. `recipients`: when no flag names any. Errors: those of MakeDraft; USAGE for content
// that is longer than --size.
Result<sdk::SignalDraft> LoadDraft(Invocation& invocation, const LoadOptions& options,
                                   const std::vector<OrganisationId>& recipients = {});

sdk::DraftSection CopyOfSection(const sdk::DraftSection& section);

}  // namespace schakel::cli
