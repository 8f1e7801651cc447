#include "clients/cli/bench/outcome.h"

#include "clients/sdk/status.h"

namespace schakel::cli {

PublishOutcome OutcomeOf(const Result<v1::PublishResult>& answer) {
  PublishOutcome outcome;
  if (!answer.ok()) {
    outcome.reasons.push_back(answer.error().reason);
    return outcome;
  }
  if (!answer->has_accepted()) {
    outcome.reasons.push_back(sdk::ErrorFromRpcStatus(answer->error(), "en").reason);
    return outcome;
  }
  outcome.decided = true;
  for (const auto& recipient : answer->accepted().outcomes()) {
    switch (recipient.state()) {
      case v1::RECIPIENT_STATE_QUEUED:
      case v1::RECIPIENT_STATE_DELIVERED:
      case v1::RECIPIENT_STATE_ACKNOWLEDGED:
        ++outcome.queued;
        break;
      default:
        outcome.reasons.push_back(recipient.reason().empty()
                                      ? v1::RecipientState_Name(recipient.state())
                                      : recipient.reason());
    }
  }
  return outcome;
}

}  // namespace schakel::cli
