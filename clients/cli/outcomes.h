// What became of a signal with each recipient, as tables.
#pragma once

#include "clients/cli/invocation.h"
#include "clients/sdk/composer.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::cli {

// One row a recipient: who, how it stands, what they get, why not the rest.
Table OutcomeTable(Invocation& invocation,
                   const google::protobuf::RepeatedPtrField<v1::RecipientOutcome>& outcomes);
// "2 waiting, 1 denied"
std::string StateSummary(Language language,
                         const google::protobuf::RepeatedPtrField<v1::RecipientOutcome>& outcomes);
// How it stands, in its colour: "acknowledged", or "acknowledged: Help offered" once that was
// reported.
Cell StandingCell(Invocation& invocation, const v1::RecipientOutcome& outcome);
// Why something was not given, in words, with the rule.
std::string DenialText(Invocation& invocation, const v1::RecipientOutcome& outcome);
// What a dry run would seal for whom.
Table PlanTable(Invocation& invocation, const std::vector<sdk::PlannedRecipient>& plan);

}  // namespace schakel::cli
