#include "broker/custodian/evaluator.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "broker/base/limits.h"
#include "broker/custodian/log_desk.h"

namespace schakel::custodian {
namespace {

std::string UtcText(Micros at) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(at).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Error EpochUnknown(uint32_t asked, uint32_t held) {
  return MakeError(
      ErrorCode::kNotFound, "EPOCH_UNKNOWN",
      "this custodian holds epoch " + std::to_string(held) + ", not " + std::to_string(asked),
      "epoch");
}

Result<std::vector<crypto::Point>> DecodeElements(const v1::EvaluateRequest& request) {
  std::vector<crypto::Point> blinded;
  blinded.reserve(static_cast<size_t>(request.blinded_elements_size()));
  for (int i = 0; i < request.blinded_elements_size(); ++i) {
    auto point = crypto::Point::Decode(request.blinded_elements(i));
    if (!point) {
      return InvalidArgument("ELEMENT_INVALID", "blinded_elements[" + std::to_string(i) + "]",
                             "expected 32 bytes: the canonical encoding of a ristretto255 element "
                             "other than the identity");
    }
    blinded.push_back(*point);
  }
  return blinded;
}

std::string Budgets(const std::vector<BudgetScope>& scopes) {
  std::string text;
  for (const BudgetScope scope : scopes) {
    if (!text.empty()) text += ", ";
    text += ScopeName(scope);
  }
  return text;
}

Error Exhausted(const ChargeOutcome& outcome, uint32_t count, Micros now) {
  Error error = MakeError(ErrorCode::kResourceExhausted, "BUDGET_EXHAUSTED", {});
  const std::string what = std::to_string(count) + " evaluations do not fit in the budget (" +
                           Budgets(outcome.exceeded) + ")";
  if (!outcome.resets_at) {
    error.message = what + ", not even in a full one; ask for fewer at a time";
    return error;
  }
  error.message = what + "; they fit again at " + UtcText(*outcome.resets_at);
  const auto wait = std::chrono::ceil<Millis>(*outcome.resets_at - now).count();
  error.retry_after_ms = std::max<int64_t>(wait, 1);
  return error;
}

uint32_t Left(uint32_t limit, uint64_t used) {
  return used >= limit ? 0 : limit - static_cast<uint32_t>(used);
}

Error CannotWrite() {
  return MakeError(ErrorCode::kUnavailable, "NOT_SERVING",
                   "the custodian can't write down what is asked; it must be restarted");
}

}  // namespace

Error NoAuthority(const OrganisationId& organisation) {
  return MakeError(ErrorCode::kPermissionDenied, "NO_AUTHORITY",
                   organisation.str() + " has no authority to compute pseudonyms here");
}

Error Evaluator::WriteDown(const Requester& requester, std::string_view rpc, Error refusal) const {
  const Status written =
      parts_.refusals->Refused(requester, refusal.reason, rpc, parts_.clock->Wall());
  if (written.ok()) return refusal;
  parts_.instruments->ChargeFailed(written.error());
  return CannotWrite();
}

Error Evaluator::NoAuthorityFor(const Requester& requester, std::string_view rpc) const {
  if (parts_.log == nullptr) return NoAuthority(requester.organisation);
  return WriteDown(requester, rpc, NoAuthority(requester.organisation));
}

Status Evaluator::Evaluate(const Requester& requester, const v1::EvaluateRequest& request,
                           v1::EvaluateResponse* response) const {
  if (parts_.log == nullptr) return Restored();
  if (request.epoch() == 0) return InvalidArgument("FIELD_MISSING", "epoch", "expected 1 or more");
  const auto count = static_cast<size_t>(request.blinded_elements_size());
  if (count == 0) {
    return InvalidArgument("FIELD_MISSING", "blinded_elements", "expected 1 to 256 elements");
  }
  if (count > limits::kEvaluateBatchMax) {
    return InvalidArgument("TOO_LARGE", "blinded_elements",
                           "expected 1 to 256 elements, found " + std::to_string(count));
  }
  const KeyHolder& holder = *parts_.holder;
  if (request.epoch() != holder.epoch()) return EpochUnknown(request.epoch(), holder.epoch());
  SCHAKEL_ASSIGN(const auto blinded, DecodeElements(request));

  SCHAKEL_ASSIGN(auto receipt, Charge(requester, static_cast<uint32_t>(count)));
  auto evaluation = holder.Evaluate(blinded);
  if (!evaluation.ok()) {
    parts_.instruments->EvaluationFailed(evaluation.error(), requester.trace_id);
    return Internal("the evaluation failed");
  }
  for (const auto& element : evaluation->elements) {
    response->add_evaluated_elements(element.str());
  }
  response->set_proof(evaluation->proof.Encode());
  response->set_share(holder.x());
  *response->mutable_receipt() = std::move(receipt);
  parts_.instruments->Evaluated(requester.organisation, static_cast<uint32_t>(count),
                                requester.trace_id);
  return {};
}

Result<v1::LogReceipt> Evaluator::Charge(const Requester& requester, uint32_t count) const {
  const OrganisationId& organisation = requester.organisation;
  const auto member = parts_.members->FindMember(organisation);
  if (!member || member->disabled) return NoAuthorityFor(requester, "Evaluate");
  // Decided before the write: a write that fails ends the service until a restart.
  if (parts_.storage != nullptr && parts_.storage->LevelFor(0) != store::StorageLevel::kPlenty) {
    Error low = MakeError(ErrorCode::kResourceExhausted, "STORAGE_LOW",
                          "the custodian's disk is nearly full; its operator must make room");
    low.retry_after_ms = 60'000;
    return low;
  }
  const Micros now = parts_.clock->Wall();
  v1::LogReceipt receipt;
  // INVARIANT I1: the charge and its record are in one synced write, before the share is used.
  const auto commit = [&](store::Batch changes, const Remaining& left) -> Status {
    v1::Record record = RecordAbout(v1::RECORD_KIND_EVALUATION, requester);
    record.set_outcome(v1::OUTCOME_PERMITTED);
    auto* facts = record.mutable_facts();
    facts->set_version(parts_.holder->epoch());
    facts->set_count(count);
    facts->set_day_remaining(left.day);
    facts->set_month_remaining(left.window);
    SCHAKEL_ASSIGN(receipt, parts_.log->Append(std::move(changes), std::move(record), now));
    return {};
  };
  const auto outcome =
      parts_.budgets->Charge(organisation, member->limits, parts_.cap_per_day, count, now, commit);
  if (!outcome.ok()) {
    parts_.instruments->ChargeFailed(outcome.error());
    return CannotWrite();
  }
  if (!outcome->granted) {
    parts_.instruments->BudgetExhausted(organisation, count, outcome->exceeded, requester.trace_id);
    return WriteDown(requester, "Evaluate", Exhausted(*outcome, count, now));
  }
  for (const BudgetScope scope : outcome->half_used) {
    parts_.instruments->HalfUsed(organisation, scope);
  }
  return receipt;
}

Status Evaluator::KeyDocument(const v1::GetKeyDocumentRequest& request,
                              v1::GetKeyDocumentResponse* response) const {
  const KeyHolder& holder = *parts_.holder;
  if (request.epoch() != 0 && request.epoch() != holder.epoch()) {
    return EpochUnknown(request.epoch(), holder.epoch());
  }
  *response = holder.document().wire;
  return {};
}

Status Evaluator::Budget(const Requester& requester, v1::GetBudgetResponse* response) const {
  if (parts_.log == nullptr) return Restored();
  const auto member = parts_.members->FindMember(requester.organisation);
  if (!member || member->disabled) return NoAuthorityFor(requester, "GetBudget");
  const BudgetView view = parts_.budgets->View(requester.organisation, parts_.clock->Wall());
  const BudgetLimits& limits = member->limits;
  response->set_day_remaining(Left(limits.per_day, view.day_used));
  response->set_day_limit(limits.per_day);
  response->set_month_remaining(Left(limits.per_30_days, view.window_used));
  response->set_month_limit(limits.per_30_days);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(view.day_resets);
  response->mutable_day_resets()->set_seconds(seconds.count());
  return {};
}

}  // namespace schakel::custodian
