// What every handler begins with. The method is found by the request's type (each RPC has its own),
// so a handler can't ask for the rights of another. Refusals are answered here; the handler's code
// runs only for a caller who may.
//
//   grpc::ServerUnaryReactor* GetTile(grpc::CallbackServerContext* context,
//                                     const v1::GetTileRequest* request,
//                                     v1::GetTileResponse* response) override {
//     return guard_->Unary(context, request, [=, this](Caller caller, UnaryAnswer answer) {
//       answer.Finish(query_->Tile(*request, response));
//     });
//   }
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "broker/base/check.h"
#include "broker/base/result.h"
#include "broker/transport/authenticator.h"
#include "broker/transport/errors.h"
#include "broker/transport/log.h"
#include "broker/transport/metrics.h"
#include "broker/transport/stream_watch.h"
#include "broker/transport/strict_messages.h"

namespace schakel::transport {

// Translates the end of one call, counts it, and logs what stays inside. Made by CallGuard.
class CallEnd {
 public:
  CallEnd(const MethodRule* rule, Bytes trace_id, const Clock* clock, CallMetrics* metrics,
          Logger* log)
      : rule_(rule),
        trace_id_(std::move(trace_id)),
        begun_(clock->Steady()),
        clock_(clock),
        metrics_(metrics),
        log_(log) {}

  // Counts only the first time.
  grpc::Status Translate(const Status& status);
  const Bytes& trace_id() const { return trace_id_; }
  const MethodRule* rule() const { return rule_; }

 private:
  const MethodRule* const rule_;
  const Bytes trace_id_;
  const Micros begun_;
  const Clock* const clock_;
  CallMetrics* const metrics_;
  Logger* const log_;
  std::atomic<bool> counted_{false};
};

// The answer of a unary call: copies share it, from any thread; the first Finish counts. When the
// last copy goes without an answer the call ends as INTERNAL, so no call hangs. `response` and
// `request` are gRPC's and live until Finish.
class UnaryAnswer {
 public:
  UnaryAnswer(grpc::ServerUnaryReactor* reactor, std::shared_ptr<CallEnd> end)
      : state_(std::make_shared<State>(reactor, std::move(end))) {}
  void Finish(const Status& status) const { state_->Finish(status); }
  const Bytes& trace_id() const { return state_->end->trace_id(); }

 private:
  struct State {
    State(grpc::ServerUnaryReactor* r, std::shared_ptr<CallEnd> e)
        : reactor(r), end(std::move(e)) {}
    ~State();
    void Finish(const Status& status);
    grpc::ServerUnaryReactor* const reactor;
    const std::shared_ptr<CallEnd> end;
    std::atomic<bool> finished{false};
  };
  std::shared_ptr<State> state_;
};

// What a stream gets instead of a Caller: who it is, and the watch over it. Movable; the reactor
// keeps it until OnDone.
class StreamPass {
 public:
  StreamPass(Caller caller, std::unique_ptr<StreamGuard> guard, StreamWatch* watch,
             std::shared_ptr<CallEnd> end, CallMetrics* metrics);
  StreamPass(StreamPass&&) noexcept = default;
  StreamPass& operator=(StreamPass&&) = delete;
  ~StreamPass();

  const Caller& caller() const { return caller_; }
  // Whether the stream may go on, now. Thread-safe.
  Status Check() const { return guard_->Check(); }
  // For a message that counts as a call does. RATE_LIMITED. Thread-safe.
  Status TakeCall() const { return guard_->TakeCall(); }
  // From now on `on_end` is called, at most once, when the stream must end, also for an Error of
  // `also` (StreamWatch::Add). Once per stream.
  void Watch(std::function<void(const Error&)> on_end, std::function<Status()> also = nullptr);
  // The status to give to Finish.
  grpc::Status End(const Status& status) const { return end_->Translate(status); }

 private:
  Caller caller_;
  std::unique_ptr<StreamGuard> guard_;
  StreamWatch* watch_;
  std::shared_ptr<CallEnd> end_;
  CallMetrics* metrics_;
  StreamWatch::Registration registration_;  // ends before guard_
};

// A stream that ends at once.
template <typename Request, typename Response>
class RefusedBidi final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  explicit RefusedBidi(const grpc::Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};
template <typename Response>
class RefusedWrites final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit RefusedWrites(const grpc::Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};

// Thread-safe.
class CallGuard {
 public:
  // All must outlive it; metrics and log may be null.
  CallGuard(Authenticator* authenticator, StreamWatch* watch, const Clock* clock,
            CallMetrics* metrics, Logger* log)
      : authenticator_(authenticator), watch_(watch), clock_(clock), metrics_(metrics), log_(log) {}

  // Handler: void(Caller, UnaryAnswer).
  template <typename Request, typename Handler>
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const Request* request,
                                  Handler&& handler) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const MethodRule& rule = RuleOf<Request>();
    CallFacts call = CallFacts::Read(*context);
    UnaryAnswer answer(reactor, Begin(&rule, call));
    Result<Caller> caller = authenticator_->Authenticate(call, rule);
    if (!caller.ok()) {
      answer.Finish(caller.error());
    } else if (IsMalformed(*request)) {
      answer.Finish(MalformedMessage(*request));
    } else {
      std::forward<Handler>(handler)(std::move(caller).value(), std::move(answer));
    }
    return reactor;
  }

  // Make: grpc::ServerBidiReactor<Request, Response>*(StreamPass); deletes itself in OnDone.
  template <typename Request, typename Response, typename Make>
  grpc::ServerBidiReactor<Request, Response>* Bidi(grpc::CallbackServerContext* context,
                                                   Make&& make) {
    Opening opening = Open(*context, RuleOf<Request>());
    if (!opening.pass) return new RefusedBidi<Request, Response>(opening.refused);
    return std::forward<Make>(make)(std::move(*opening.pass));
  }

  // Make: grpc::ServerWriteReactor<Response>*(StreamPass); deletes itself in OnDone.
  template <typename Response, typename Request, typename Make>
  grpc::ServerWriteReactor<Response>* ServerStream(grpc::CallbackServerContext* context,
                                                   const Request* request, Make&& make) {
    Opening opening = Open(*context, RuleOf<Request>());
    if (!opening.pass) return new RefusedWrites<Response>(opening.refused);
    if (IsMalformed(*request)) {
      return new RefusedWrites<Response>(opening.pass->End(MalformedMessage(*request)));
    }
    return std::forward<Make>(make)(std::move(*opening.pass));
  }

  // For methods with Access::kAnyPeer, by name, and for unknown ones (nullptr).
  struct PeerCall {
    std::shared_ptr<CallEnd> end;
    Result<std::shared_ptr<const PeerIdentity>> identity;
  };
  PeerCall BeginPeer(const grpc::ServerContextBase& context, const MethodRule* rule);
  StreamWatch* watch() const { return watch_; }
  Authenticator* authenticator() const { return authenticator_; }

 private:
  struct Opening {
    std::optional<StreamPass> pass;
    grpc::Status refused;
  };
  std::shared_ptr<CallEnd> Begin(const MethodRule* rule, const CallFacts& call) const {
    return std::make_shared<CallEnd>(rule, call.trace_id, clock_, metrics_, log_);
  }
  Opening Open(const grpc::ServerContextBase& context, const MethodRule& rule);
  static const MethodRule& RuleFor(const google::protobuf::Descriptor* request);

  template <typename Request>
  static const MethodRule& RuleOf() {
    static const MethodRule& rule = RuleFor(Request::descriptor());
    return rule;
  }

  Authenticator* const authenticator_;
  StreamWatch* const watch_;
  const Clock* const clock_;
  CallMetrics* const metrics_;
  Logger* const log_;
};

}  // namespace schakel::transport
