#include "clients/sdk/signal_client.h"

#include <algorithm>

#include "clients/sdk/files.h"
#include "clients/sdk/inbox_client.h"

namespace schakel::sdk {
namespace {

using client::v1::OutboxEntry;

bool InInbox(const v1::RecipientOutcome& outcome) {
  return outcome.state() == v1::RECIPIENT_STATE_QUEUED ||
         outcome.state() == v1::RECIPIENT_STATE_DELIVERED ||
         outcome.state() == v1::RECIPIENT_STATE_ACKNOWLEDGED;
}

bool Prepared(const OutboxEntry& entry) {
  return entry.state() == client::v1::OUTBOX_STATE_PREPARED;
}

}  // namespace

bool SendResult::all_queued() const {
  if (!accepted()) return false;
  const auto& outcomes = entry.answer().accepted().outcomes();
  return std::all_of(outcomes.begin(), outcomes.end(), InInbox);
}

SignalClient::SignalClient(std::shared_ptr<Connection> connection, Outbox& outbox)
    : connection_(std::move(connection)),
      outbox_(outbox),
      stub_(v1::SignalService::NewStub(connection_->channel())) {}

Result<std::vector<SendResult>> SignalClient::Publish(std::vector<OutboxEntry> entries) {
  v1::PublishRequest request;
  for (const auto& entry : entries) {
    // Header, routing and metas are bytes within the envelope, so what was signed stays as it is.
    if (!request.add_envelopes()->ParseFromString(entry.envelope())) {
      return MakeError(
          ErrorCode::kDataLoss, "OUTBOX_DAMAGED",
          "the sealed bytes of signal " + UuidText(entry.signal_id()) + " are damaged");
    }
  }
  auto response = connection_->Call(*stub_, &v1::SignalService::Stub::Publish, request);
  if (!response.ok()) {
    Error error = response.error();
    const std::string id = UuidText(entries.front().signal_id());
    error.message += "; the signal waits in the outbox as " + id;
    if (error.field.empty()) error.field = id;
    return error;
  }
  if (static_cast<size_t>(response->results_size()) != entries.size()) {
    return MakeError(ErrorCode::kDataLoss, "INTERNAL",
                     "the broker answered for another number of signals");
  }
  std::vector<SendResult> results;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto& answer = response->results(static_cast<int>(i));
    if (answer.has_accepted() && answer.accepted().signal_id() != entries[i].signal_id()) {
      return MakeError(ErrorCode::kDataLoss, "INTERNAL", "the broker answered for another signal");
    }
    SCHAKEL_ASSIGN(auto entry, outbox_.Settle(*SignalId::From(entries[i].signal_id()), answer));
    results.push_back({std::move(entry), false});
  }
  return results;
}

Result<SendResult> SignalClient::Send(Composer& composer, const SignalDraft& draft,
                                      const KeyStore& keys, const std::string& key) {
  const Digest input = outbox_.InputDigest(draft);
  SCHAKEL_ASSIGN(auto entry, outbox_.FindByKey(key, input));
  if (!entry) {
    const Millis now = Now();
    SCHAKEL_ASSIGN(const auto own, keys.Current(now));
    SCHAKEL_ASSIGN(const auto signal, composer.Compose(draft, own, now));
    SCHAKEL_ASSIGN(entry, outbox_.Prepare(signal, key, input));
  }
  if (!Prepared(*entry)) return SendResult{std::move(*entry), true};
  SCHAKEL_ASSIGN(auto results, Publish({std::move(*entry)}));
  return std::move(results.front());
}

Result<SendResult> SignalClient::Resend(const SignalId& id) {
  SCHAKEL_ASSIGN(auto entry, outbox_.Get(id));
  if (!Prepared(entry)) return SendResult{std::move(entry), true};
  SCHAKEL_ASSIGN(auto results, Publish({std::move(entry)}));
  return std::move(results.front());
}

Result<std::vector<SendResult>> SignalClient::SendBatch(Composer& composer,
                                                        std::span<const SignalDraft> drafts,
                                                        const KeyStore& keys) {
  const Millis now = Now();
  SCHAKEL_ASSIGN(const auto own, keys.Current(now));
  SCHAKEL_ASSIGN(const auto signals, composer.ComposeBatch(drafts, own, now));
  std::vector<OutboxEntry> entries;
  for (size_t i = 0; i < signals.size(); ++i) {
    SCHAKEL_ASSIGN(auto entry, outbox_.Prepare(signals[i], "", outbox_.InputDigest(drafts[i])));
    entries.push_back(std::move(entry));
  }
  return Publish(std::move(entries));
}

Result<v1::PreflightResponse> SignalClient::Preflight(const v1::PreflightRequest& request) {
  return connection_->Call(*stub_, &v1::SignalService::Stub::Preflight, request);
}

Result<v1::GetSignalResponse> SignalClient::Get(const SignalId& id, uint64_t at_least_position) {
  v1::GetSignalRequest request;
  request.set_signal_id(id.str());
  request.set_at_least_position(at_least_position);
  return connection_->Call(*stub_, &v1::SignalService::Stub::GetSignal, request);
}

Result<v1::ListSignalsResponse> SignalClient::List(const v1::ListSignalsRequest& request) {
  return connection_->Call(*stub_, &v1::SignalService::Stub::ListSignals, request);
}

Result<v1::ReadOutcomesResponse> SignalClient::ReadOutcomes(
    const v1::ReadOutcomesRequest& request) {
  return connection_->Call(*stub_, &v1::SignalService::Stub::ReadOutcomes, request);
}

Result<v1::AttachSubjectResponse> SignalClient::AttachSubject(const SignalId& id,
                                                              const OrganisationId& sender,
                                                              const SubjectLabel& label,
                                                              const v1::SubjectRef& subject) {
  v1::AttachSubjectRequest request;
  request.set_request_id(NewRequestId().str());
  request.set_signal_id(id.str());
  request.set_sender(sender.str());
  request.set_subject_label(label.str());
  *request.mutable_subject() = subject;
  return connection_->Call(*stub_, &v1::SignalService::Stub::AttachSubject, request);
}

}  // namespace schakel::sdk
