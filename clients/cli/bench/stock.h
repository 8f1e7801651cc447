// Signals that were sealed beforehand, so that sealing is no part of what is measured.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "clients/sdk/session.h"

namespace schakel::cli {

// Whether to end early.
using Stop = std::function<bool()>;

class Stock {
 public:
  // Copies of `draft`, each about an unlinked subject of its own. The session outlives it.
  static Result<std::unique_ptr<Stock>> Open(sdk::Session& session, sdk::SignalDraft draft);

  // Seals until `count` lie ready, or `stop`. `progress` is called from this thread. Not to be
  // called by two threads at a time. Errors: those of Composer.
  Status Fill(size_t count, const Stop& stop, const sdk::Progress& progress);

  // Thread-safe.
  std::optional<sdk::ComposedSignal> Take();
  size_t size() const;

  const sdk::OwnKeySet& keys() const { return keys_; }
  const std::vector<OrganisationId>& recipients() const { return recipients_; }
  // Of one sealed envelope.
  size_t envelope_bytes() const { return envelope_bytes_; }

 private:
  struct Sealer {
    std::unique_ptr<sdk::Composer> composer;
    sdk::SignalDraft draft;
  };

  explicit Stock(sdk::OwnKeySet keys) : keys_(std::move(keys)) {}
  Status SealOne(Sealer& sealer);

  const sdk::OwnKeySet keys_;
  std::vector<Sealer> sealers_;  // one a core
  std::vector<OrganisationId> recipients_;
  size_t envelope_bytes_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<sdk::ComposedSignal> ready_;
};

}  // namespace schakel::cli
