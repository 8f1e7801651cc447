// A recipient of a flow: takes what comes on streams and acknowledges it, opening nothing.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "clients/cli/bench/flow_ledger.h"
#include "clients/cli/invocation.h"
#include "clients/sdk/pull_stream.h"

namespace schakel::cli {

class FlowRecipient {
 public:
  // Of a context of the user's file, by its name: flags and environment are the sender's.
  static Result<std::unique_ptr<FlowRecipient>> Open(Invocation& invocation,
                                                     const std::string& context, size_t number,
                                                     FlowLedger& ledger);
  ~FlowRecipient();
  FlowRecipient(const FlowRecipient&) = delete;
  FlowRecipient& operator=(const FlowRecipient&) = delete;

  const std::string& context() const { return context_; }
  const OrganisationId& oin() const { return oin_; }

  // Opens `streams` streams of this window and waits until the broker says that nothing waits.
  // Errors: FAILED_PRECONDITION INBOX_NOT_EMPTY, since what is not of this flow must stay unread;
  // DEADLINE_EXCEEDED; those of the streams.
  Status Listen(const Invocation& invocation, size_t streams, uint32_t window, const Stop& stop);
  // From now on what comes is taken and acknowledged.
  void Start();
  // Items that are none of this flow: left unsettled.
  uint64_t strange() const { return strange_; }

 private:
  FlowRecipient(std::string context, OrganisationId oin, size_t number, FlowLedger& ledger,
                std::unique_ptr<sdk::Session> session)
      : context_(std::move(context)),
        oin_(std::move(oin)),
        number_(number),
        ledger_(ledger),
        session_(std::move(session)) {}
  void Take(sdk::PullStream& stream);

  const std::string context_;
  const OrganisationId oin_;
  const size_t number_;
  FlowLedger& ledger_;
  std::unique_ptr<sdk::Session> session_;
  std::vector<std::unique_ptr<sdk::PullStream>> streams_;
  std::vector<std::thread> threads_;
  std::atomic<bool> ended_ = false;
  std::atomic<uint64_t> strange_ = 0;
};

}  // namespace schakel::cli
