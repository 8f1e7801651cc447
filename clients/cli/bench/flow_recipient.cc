#include "clients/cli/bench/flow_recipient.h"

#include <algorithm>

#include "clients/sdk/context.h"
#include "schakel/v1/envelope.pb.h"

namespace schakel::cli {
namespace {

// One takes while the other waits for the answer to its acknowledgements.
constexpr size_t kThreadsPerStream = 2;
constexpr std::chrono::milliseconds kItemLookTime{100};

// Where the user's files lie, and nothing that overrides a context.
sdk::Environment WithoutOverrides(const sdk::Environment& environment) {
  return [environment](const char* name) -> std::optional<std::string> {
    if (std::string_view(name).starts_with("SCHAKEL_")) return std::nullopt;
    return environment(name);
  };
}

}  // namespace

Result<std::unique_ptr<FlowRecipient>> FlowRecipient::Open(Invocation& invocation,
                                                           const std::string& context,
                                                           size_t number, FlowLedger& ledger) {
  SCHAKEL_ASSIGN(auto* const sender, invocation.session());
  const auto& environment = invocation.io().environment;
  config::v1::Context named;
  named.set_name(context);
  SCHAKEL_ASSIGN(auto resolved, sdk::ResolveContext(sdk::ContextsFilePath(environment), named,
                                                    WithoutOverrides(environment)));
  if (resolved.language().empty()) resolved.set_language(CodeOf(invocation.language()));
  auto session = std::make_unique<sdk::Session>(std::move(resolved), sender->timeout());
  SCHAKEL_ASSIGN(auto oin, session->self());
  return std::unique_ptr<FlowRecipient>(
      new FlowRecipient(context, std::move(oin), number, ledger, std::move(session)));
}

FlowRecipient::~FlowRecipient() {
  ended_ = true;
  for (const auto& stream : streams_) stream->Close();
  for (auto& thread : threads_) thread.join();
}

Status FlowRecipient::Listen(const Invocation& invocation, size_t streams, uint32_t window,
                             const Stop& stop) {
  SCHAKEL_ASSIGN(const auto first, session_->connection());
  for (size_t i = 0; i < streams; ++i) {
    SCHAKEL_ASSIGN(auto connection, sdk::Connection::Open(first->options()));
    streams_.push_back(
        sdk::PullStream::Open(std::move(connection), {window, std::chrono::seconds(60)}));
  }
  const auto until = BenchClock::now() + session_->timeout();
  for (const auto& stream : streams_) {
    while (!stream->idle() && !stop()) {
      SCHAKEL_ASSIGN(const auto item, stream->Next(kItemLookTime));
      if (item) {
        return MakeError(ErrorCode::kFailedPrecondition, "INBOX_NOT_EMPTY",
                         invocation.Text(Msg::kBenchInboxNotEmpty, {context_}), "--recipient");
      }
      if (BenchClock::now() < until) continue;
      return MakeError(ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                       "the broker did not open the stream of " + context_ + " in time");
    }
  }
  return {};
}

void FlowRecipient::Start() {
  for (const auto& stream : streams_) {
    for (size_t i = 0; i < kThreadsPerStream; ++i) {
      threads_.emplace_back([this, at = stream.get()] { Take(*at); });
    }
  }
}

void FlowRecipient::Take(sdk::PullStream& stream) {
  while (!ended_) {
    // What is here already goes together.
    std::vector<DeliveryId> deliveries;
    std::vector<std::string> signals;
    auto item = stream.Next(kItemLookTime);
    for (; item.ok() && *item; item = stream.Next(std::chrono::milliseconds(0))) {
      const v1::Delivery& delivery = **item;
      const auto id = DeliveryId::From(delivery.delivery_id());
      v1::Header header;
      const bool ours = id && delivery.has_signal() &&
                        header.ParseFromString(delivery.signal().header()) &&
                        ledger_.Delivered(header.signal_id(), number_);
      if (!ours) {
        ++strange_;
        continue;
      }
      deliveries.push_back(*id);
      signals.push_back(header.signal_id());
    }
    if (!item.ok()) return ledger_.Fail(item.error());
    if (deliveries.empty()) continue;
    const auto answers = stream.AcknowledgeAll(deliveries);
    for (size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].ok()) {
        ledger_.Acknowledged(signals[i], number_);
      } else if (!ended_) {
        ledger_.Fail(answers[i].error());
      }
    }
  }
}

}  // namespace schakel::cli
