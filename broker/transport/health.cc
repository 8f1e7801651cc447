#include "broker/transport/health.h"

#include <utility>
#include <vector>

#include "broker/base/limits.h"

namespace schakel::transport {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

const MethodRule* Rule(std::string_view method) {
  const MethodRule* rule = FindMethod(method);
  SCHAKEL_CHECK(rule != nullptr && rule->access == Access::kAnyPeer, "health is in the role table");
  return rule;
}

Error Stopping() {
  Error error = MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "the server stops");
  error.retry_after_ms = 1000;
  return error;
}

// INVARIANT I10: a watcher keeps the name as long as it watches.
Status CheckRequest(const HealthCheckRequest& request) {
  if (IsMalformed(request)) return MalformedMessage(request);
  if (request.service().size() <= limits::kServiceNameBytesMax) return {};
  return InvalidArgument("TOO_LARGE", "service", "at most 200 bytes expected");
}

}  // namespace

// One Watch. At most one operation of gRPC is under way (busy_), so that Finish never crosses a
// write.
class HealthService::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(HealthService* service, std::string name, std::shared_ptr<CallEnd> end, StreamGuard guard)
      : service_(service), name_(std::move(name)), end_(std::move(end)), guard_(std::move(guard)) {}

  void Begin(StreamWatch* watch, ServingStatus status) {
    registration_ = watch->Add(&guard_, [this](const Error& error) { End(error); });
    Tell(status);
  }
  void Tell(ServingStatus status) {
    {
      std::lock_guard lock(mutex_);
      wanted_ = status;
    }
    Step();
  }
  void End(const Error& error) {
    {
      std::lock_guard lock(mutex_);
      if (!ending_) ending_ = error;
    }
    Step();
  }
  const std::string& name() const { return name_; }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      busy_ = false;
      if (!ok && !ending_) ending_ = Cancelled();
    }
    Step();
  }
  void OnCancel() override { End(Cancelled()); }
  void OnDone() override {
    // Outlives the lock; with it goes this object.
    std::shared_ptr<Watcher> self;
    std::lock_guard lock(service_->mutex_);
    if (auto node = service_->watchers_.extract(this)) self = std::move(node.mapped());
  }

 private:
  static Error Cancelled() {
    return MakeError(ErrorCode::kCancelled, "CANCELLED", "the caller ended the call");
  }
  void Step();

  HealthService* const service_;
  const std::string name_;
  const std::shared_ptr<CallEnd> end_;
  StreamGuard guard_;
  std::mutex mutex_;  // guards what follows, up to response_
  bool busy_ = false;
  bool finished_ = false;
  std::optional<Error> ending_;
  ServingStatus wanted_ = kNotServing;
  std::optional<ServingStatus> told_;
  HealthCheckResponse response_;  // of the write under way
  StreamWatch::Registration registration_;
};

void HealthService::Watcher::Step() {
  std::optional<Error> finish;
  {
    std::lock_guard lock(mutex_);
    if (busy_ || finished_) return;
    if (told_ != wanted_) {
      // Also when the end is near: a watcher hears NOT_SERVING before its stream ends.
      busy_ = !ending_ || ending_->reason != "CANCELLED";
    }
    if (busy_) {
      told_ = wanted_;
      response_.set_status(wanted_);
    } else if (ending_) {
      finished_ = true;
      finish = ending_;
    } else {
      return;
    }
  }
  // Outside the lock: gRPC may call back on this thread. Nothing else starts an operation now,
  // since busy_ or finished_ is set.
  if (finish) {
    Finish(end_->Translate(*finish));
  } else {
    StartWrite(&response_);
  }
}

HealthService::HealthService(CallGuard* guard) : guard_(guard) {
  statuses_[""] = kNotServing;
  RegisterStrict(&HealthService::Check, &HealthService::List, &HealthService::Watch);
}

HealthService::~HealthService() {
  std::lock_guard lock(mutex_);
  SCHAKEL_CHECK(watchers_.empty(), "the server ends before its health service");
}

void HealthService::Set(const std::string& service, ServingStatus status) {
  std::vector<std::shared_ptr<Watcher>> told;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    statuses_[service] = status;
    for (const auto& [raw, watcher] : watchers_) {
      if (watcher->name() == service) told.push_back(watcher);
    }
  }
  for (const std::shared_ptr<Watcher>& watcher : told) watcher->Tell(status);
}

void HealthService::SetAll(ServingStatus status) {
  std::vector<std::string> names;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, old] : statuses_) names.push_back(name);
  }
  for (const std::string& name : names) Set(name, status);
}

HealthService::ServingStatus HealthService::Get(const std::string& service) const {
  std::lock_guard lock(mutex_);
  const auto at = statuses_.find(service);
  return at == statuses_.end() ? HealthCheckResponse::SERVICE_UNKNOWN : at->second;
}

void HealthService::Stop() {
  SetAll(kNotServing);
  std::vector<std::shared_ptr<Watcher>> ended;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& [raw, watcher] : watchers_) ended.push_back(watcher);
  }
  for (const std::shared_ptr<Watcher>& watcher : ended) watcher->End(Stopping());
}

size_t HealthService::watchers() const {
  std::lock_guard lock(mutex_);
  return watchers_.size();
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  static const MethodRule* const rule = Rule("grpc.health.v1.Health.Check");
  CallGuard::PeerCall call = guard_->BeginPeer(*context, rule);
  Status status;
  if (!call.identity.ok()) {
    status = call.identity.error();
  } else if (Status shape = CheckRequest(*request); !shape.ok()) {
    status = shape;
  } else {
    const ServingStatus now = Get(request->service());
    if (now == HealthCheckResponse::SERVICE_UNKNOWN) {
      status = MakeError(ErrorCode::kNotFound, "NOT_FOUND", "no such service", "service");
    } else {
      response->set_status(now);
    }
  }
  reactor->Finish(call.end->Translate(status));
  return reactor;
}

grpc::ServerUnaryReactor* HealthService::List(grpc::CallbackServerContext* context,
                                              const grpc::health::v1::HealthListRequest* request,
                                              grpc::health::v1::HealthListResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  static const MethodRule* const rule = Rule("grpc.health.v1.Health.List");
  CallGuard::PeerCall call = guard_->BeginPeer(*context, rule);
  Status status;
  if (!call.identity.ok()) {
    status = call.identity.error();
  } else if (IsMalformed(*request)) {
    status = MalformedMessage(*request);
  } else {
    std::lock_guard lock(mutex_);
    for (const auto& [name, serving] : statuses_) {
      (*response->mutable_statuses())[name].set_status(serving);
    }
  }
  reactor->Finish(call.end->Translate(status));
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext* context, const HealthCheckRequest* request) {
  static const MethodRule* const rule = Rule("grpc.health.v1.Health.Watch");
  CallGuard::PeerCall call = guard_->BeginPeer(*context, rule);
  const auto refuse = [&](const Error& error) {
    return new RefusedWrites<HealthCheckResponse>(call.end->Translate(error));
  };
  if (!call.identity.ok()) return refuse(call.identity.error());
  if (Status shape = CheckRequest(*request); !shape.ok()) return refuse(shape.error());
  Authenticator* authenticator = guard_->authenticator();
  Result<RateLimiter::StreamSlot> slot =
      authenticator->OpenStream((*call.identity)->organisation, rule->access);
  if (!slot.ok()) return refuse(slot.error());
  auto watcher = std::make_shared<Watcher>(
      this, request->service(), call.end,
      StreamGuard(authenticator, Grant{*call.identity, rule}, std::move(slot).value()));
  std::optional<Error> error;
  ServingStatus status = HealthCheckResponse::SERVICE_UNKNOWN;
  {
    std::lock_guard lock(mutex_);
    if (stopped_) {
      error = Stopping();
    } else if (watchers_.size() >= limits::kHealthWatchersMax) {
      error = MakeError(ErrorCode::kResourceExhausted, "RATE_LIMITED", "too many health watchers");
      error->retry_after_ms = 1000;
    } else {
      watchers_.emplace(watcher.get(), watcher);
      if (const auto at = statuses_.find(request->service()); at != statuses_.end()) {
        status = at->second;
      }
    }
  }
  if (error) return refuse(*error);
  watcher->Begin(guard_->watch(), status);
  return watcher.get();
}

}  // namespace schakel::transport
