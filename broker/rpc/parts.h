// What the services share. Nothing here decides: a service reads a request, hands a command to the
// sequencer or a question to a query, and writes the answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "broker/crypto/crl.h"
#include "broker/crypto/x509.h"
#include "broker/delivery/inbox_hub.h"
#include "broker/delivery/write_gate.h"
#include "broker/query/bundles.h"
#include "broker/query/page_token.h"
#include "broker/rpc/key_sets.h"
#include "broker/sequencer/sequencer.h"
#include "broker/transport/call_guard.h"

namespace schakel::rpc {

// All must outlive the services. Thread-safe parts.
struct Parts {
  transport::CallGuard* guard = nullptr;
  const Clock* clock = nullptr;
  store::StateStore* store = nullptr;
  sequencer::Sequencer* sequencer = nullptr;  // null: `halted` says why
  std::optional<Error> halted;
  delivery::WriteGate* gate = nullptr;
  delivery::InboxHub* hub = nullptr;
  KeySets* key_sets = nullptr;
  query::Bundles* bundles = nullptr;
  const query::PageTokens* tokens = nullptr;
  const crypto::TrustAnchors* anchors = nullptr;
  crypto::CrlStore* crls = nullptr;

  // INVARIANT I1: after a failed write nothing is answered OK, also no look at what is there.
  Status Serving() const {
    if (sequencer == nullptr) return *halted;
    if (auto failure = sequencer->failure()) return sequencer::ToCaller(*failure);
    return {};
  }
  // RESTORED: checkpoints, tiles and proofs may still be read.
  Status MayProve() const {
    if (sequencer == nullptr && halted->reason == "RESTORED") return {};
    return Serving();
  }
};

// What a command carries of a caller.
machine::Caller ToMachine(const transport::Caller& caller);

// Submits and calls `on_answer` with the answer of kind T when it is durable; an error ends the
// call.
template <typename T>
void SubmitFor(const Parts& parts, machine::Request request, const transport::Caller& caller,
               transport::UnaryAnswer answer, std::function<void(uint64_t position, T)> on_answer) {
  if (Status serving = parts.Serving(); !serving.ok()) return answer.Finish(serving);
  parts.sequencer->Submit(std::move(request), ToMachine(caller),
                          [answer = std::move(answer),
                           on_answer = std::move(on_answer)](Result<machine::Outcome> outcome) {
                            if (!outcome.ok()) return answer.Finish(outcome.error());
                            if (outcome->refused) return answer.Finish(*outcome->refused);
                            on_answer(outcome->position, std::get<T>(std::move(outcome->answer)));
                          });
}

// The commonest case: the answer is the response.
template <typename T>
void SubmitTo(const Parts& parts, machine::Request request, const transport::Caller& caller,
              transport::UnaryAnswer answer, T* response) {
  SubmitFor<T>(parts, std::move(request), caller, answer, [answer, response](uint64_t, T value) {
    *response = std::move(value);
    answer.Finish({});
  });
}

// Whether a refusal before the queue is a denied attempt, which the log keeps: the request was well
// formed and somebody else's, or nobody's, signature or key set stood under it.
bool IsDeniedAttempt(const Error& error);
// Calls `refuse` with the error when the attempt, if it is one, is on disk (I1).
void Recorded(const Parts& parts, const Error& error, const char* rpc,
              const transport::Caller& caller, std::function<void(const Error&)> refuse);
inline void RefuseRecorded(const Parts& parts, const Error& error, const char* rpc,
                           const transport::Caller& caller,
                           const transport::UnaryAnswer& answer) {
  Recorded(parts, error, rpc, caller, [answer](const Error& told) { answer.Finish(told); });
}

// Reads on a durable snapshot into `response`.
template <typename T, typename Read>
void Answer(const Parts& parts, const transport::UnaryAnswer& answer, T* response, Read&& read) {
  if (Status serving = parts.Serving(); !serving.ok()) return answer.Finish(serving);
  auto snapshot = parts.store->TakeSnapshot();
  Result<T> value = std::forward<Read>(read)(*snapshot);
  if (!value.ok()) return answer.Finish(value.error());
  *response = std::move(value).value();
  answer.Finish({});
}

}  // namespace schakel::rpc
