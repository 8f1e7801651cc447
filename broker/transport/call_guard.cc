#include "broker/transport/call_guard.h"

#include <string>

namespace schakel::transport {

grpc::Status CallEnd::Translate(const Status& status) {
  if (!counted_.exchange(true)) {
    const Micros duration = clock_->Steady() - begun_;
    const int code = status.ok()                   ? 0
                     : StaysInside(status.error()) ? static_cast<int>(ErrorCode::kInternal)
                                                   : static_cast<int>(status.error().code);
    if (metrics_ != nullptr) metrics_->Finished(rule_, code, duration);
    if (log_ != nullptr && !status.ok()) {
      const Error& error = status.error();
      const std::string trace = HexEncode(trace_id_);
      const std::string_view method = rule_ == nullptr ? "unknown" : rule_->method;
      if (StaysInside(error)) {
        log_->Failure("call_failed", {{LogKey::kMethod, method},
                                      {LogKey::kReason, error.reason},
                                      {LogKey::kDetail, error.message},
                                      {LogKey::kTraceId, trace}});
      } else {
        log_->Debug("call_refused", {{LogKey::kMethod, method},
                                     {LogKey::kReason, error.reason},
                                     {LogKey::kTraceId, trace}});
      }
    }
  }
  return ToGrpcStatus(status, trace_id_);
}

void UnaryAnswer::State::Finish(const Status& status) {
  if (finished.exchange(true)) return;
  reactor->Finish(end->Translate(status));
}

UnaryAnswer::State::~State() { Finish(Internal("a handler let go of its call without an answer")); }

StreamPass::StreamPass(Caller caller, std::unique_ptr<StreamGuard> guard, StreamWatch* watch,
                       std::shared_ptr<CallEnd> end, CallMetrics* metrics)
    : caller_(std::move(caller)),
      guard_(std::move(guard)),
      watch_(watch),
      end_(std::move(end)),
      metrics_(metrics) {
  if (metrics_ != nullptr) metrics_->StreamOpened(end_->rule());
}

StreamPass::~StreamPass() {
  if (end_ != nullptr && metrics_ != nullptr) metrics_->StreamClosed(end_->rule());
}

void StreamPass::Watch(std::function<void(const Error&)> on_end, std::function<Status()> also) {
  registration_ = watch_->Add(guard_.get(), std::move(on_end), std::move(also));
}

CallGuard::Opening CallGuard::Open(const grpc::ServerContextBase& context, const MethodRule& rule) {
  const CallFacts call = CallFacts::Read(context);
  std::shared_ptr<CallEnd> end = Begin(&rule, call);
  Result<Caller> caller = authenticator_->Authenticate(call, rule);
  if (!caller.ok()) return {std::nullopt, end->Translate(caller.error())};
  Result<RateLimiter::StreamSlot> slot =
      authenticator_->OpenStream(caller->organisation, rule.access);
  if (!slot.ok()) return {std::nullopt, end->Translate(slot.error())};
  // Cached: the same certificate was read a moment ago.
  Result<std::shared_ptr<const PeerIdentity>> identity = authenticator_->Identify(call);
  if (!identity.ok()) return {std::nullopt, end->Translate(identity.error())};
  auto guard = std::make_unique<StreamGuard>(authenticator_, Grant{*std::move(identity), &rule},
                                             std::move(slot).value());
  return {StreamPass(std::move(caller).value(), std::move(guard), watch_, std::move(end), metrics_),
          grpc::Status::OK};
}

CallGuard::PeerCall CallGuard::BeginPeer(const grpc::ServerContextBase& context,
                                         const MethodRule* rule) {
  const CallFacts call = CallFacts::Read(context);
  return {Begin(rule, call), authenticator_->AuthenticatePeer(call)};
}

const MethodRule& CallGuard::RuleFor(const google::protobuf::Descriptor* request) {
  const google::protobuf::FileDescriptor* file = request->file();
  const google::protobuf::MethodDescriptor* found = nullptr;
  for (int s = 0; s < file->service_count(); ++s) {
    for (int m = 0; m < file->service(s)->method_count(); ++m) {
      const google::protobuf::MethodDescriptor* method = file->service(s)->method(m);
      if (method->input_type() != request) continue;
      SCHAKEL_CHECK(found == nullptr, "each RPC has a request type of its own");
      found = method;
    }
  }
  SCHAKEL_CHECK(found != nullptr, "the request type of an RPC in the same file");
  const MethodRule* rule = FindMethod(found->full_name());
  SCHAKEL_CHECK(rule != nullptr && rule->access == Access::kMember,
                "I3: every RPC has an entry in the role table");
  return *rule;
}

}  // namespace schakel::transport
