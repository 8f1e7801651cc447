// SignalService: sending through the outbox, and learning what became of it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "clients/sdk/composer.h"
#include "clients/sdk/connection.h"
#include "clients/sdk/outbox.h"
#include "schakel/v1/signal.grpc.pb.h"

namespace schakel::sdk {

// What became of one signal that was handed to the broker.
struct SendResult {
  client::v1::OutboxEntry entry;  // with the broker's answer
  bool repeated = false;          // the answer was there already: nothing was sent

  bool accepted() const { return entry.answer().has_accepted(); }
  // Whether every recipient has something in its inbox. False also when not accepted.
  bool all_queued() const;
};

// Not thread-safe (the outbox is not).
class SignalClient {
 public:
  SignalClient(std::shared_ptr<Connection> connection, Outbox& outbox);

  // Composes, writes to the outbox, sends, settles. With a `key` that was used before: the answer
  // of then, or the same bytes once more when there was none. An Error means that the broker was
  // not reached or did not answer; the entry waits in the outbox (its id is the Error's field) and
  // Resend(), or the same key, goes on. A refusal of this one envelope is no Error but an answer.
  Result<SendResult> Send(Composer& composer, const SignalDraft& draft, const KeyStore& keys,
                          const std::string& key = {});
  // Sends the bytes of an entry again; of one that has a final answer: that answer.
  Result<SendResult> Resend(const SignalId& id);

  // Several under one signature, through the outbox, in one call. Results in order of the drafts.
  Result<std::vector<SendResult>> SendBatch(Composer& composer, std::span<const SignalDraft> drafts,
                                            const KeyStore& keys);

  Result<v1::PreflightResponse> Preflight(const v1::PreflightRequest& request);
  Result<v1::GetSignalResponse> Get(const SignalId& id, uint64_t at_least_position = 0);
  Result<v1::ListSignalsResponse> List(const v1::ListSignalsRequest& request);
  Result<v1::ReadOutcomesResponse> ReadOutcomes(const v1::ReadOutcomesRequest& request);
  // Attaches a pseudonym to an unlinked subject of a signal that was delivered to the caller.
  Result<v1::AttachSubjectResponse> AttachSubject(const SignalId& id, const OrganisationId& sender,
                                                  const SubjectLabel& label,
                                                  const v1::SubjectRef& subject);

 private:
  Result<std::vector<SendResult>> Publish(std::vector<client::v1::OutboxEntry> entries);

  std::shared_ptr<Connection> connection_;
  Outbox& outbox_;
  std::unique_ptr<v1::SignalService::Stub> stub_;
};

}  // namespace schakel::sdk
