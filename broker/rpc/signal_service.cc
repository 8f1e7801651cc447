#include "broker/rpc/signal_service.h"

#include "broker/base/limits.h"
#include "broker/query/signals.h"
#include "broker/rpc/checks.h"
#include "broker/transport/errors.h"

namespace schakel::rpc {

namespace {

// Fields of an envelope by their place in the request.
Error OfEnvelope(int i, Error error) {
  std::string path = "envelopes[" + std::to_string(i) + "]";
  error.field = error.field.empty() ? path : path + "." + error.field;
  return error;
}

// The messages of one Publish call. gRPC shows a handler a const request; as their owner a handler
// may move the envelopes out of it instead of copying up to 4 MiB.
class PublishMessages final : public grpc::MessageHolder<v1::PublishRequest, v1::PublishResponse> {
 public:
  PublishMessages() {
    set_request(&request_);
    set_response(&response_);
  }
  void Release() override { delete this; }

 private:
  v1::PublishRequest request_;
  v1::PublishResponse response_;
};

class PublishMessagesMaker final
    : public grpc::MessageAllocator<v1::PublishRequest, v1::PublishResponse> {
 public:
  grpc::MessageHolder<v1::PublishRequest, v1::PublishResponse>* AllocateMessages() override {
    return new PublishMessages();
  }
};

// One Publish call: results arrive in any order, the call ends with the last one.
class PublishCall {
 public:
  PublishCall(transport::UnaryAnswer answer, v1::PublishResponse* response, int count)
      : answer_(std::move(answer)), response_(response), open_(count) {
    for (int i = 0; i < count; ++i) response_->add_results();
  }

  void Refused(int i, const Error& error) {
    std::unique_lock lock(mutex_);
    *response_->mutable_results(i)->mutable_error() =
        transport::ToRpcStatus(OfEnvelope(i, error), answer_.trace_id());
    Done(std::move(lock));
  }

  void Decided(int i, Result<machine::Outcome> outcome) {
    if (!outcome.ok()) {
      std::unique_lock lock(mutex_);
      // Full, stopping, short of disk: the call as a whole fails, and its retry is harmless.
      failed_ = outcome.error();
      return Done(std::move(lock));
    }
    if (outcome->refused) return Refused(i, *outcome->refused);
    std::unique_lock lock(mutex_);
    *response_->mutable_results(i)->mutable_accepted() =
        std::get<v1::SignalAccepted>(std::move(outcome->answer));
    response_->set_position(std::max(response_->position(), outcome->position));
    Done(std::move(lock));
  }

 private:
  void Done(std::unique_lock<std::mutex> lock) {
    if (--open_ > 0) return;
    lock.unlock();
    answer_.Finish(failed_ ? Status(*failed_) : Status());
  }

  const transport::UnaryAnswer answer_;
  v1::PublishResponse* const response_;
  std::mutex mutex_;
  int open_;
  std::optional<Error> failed_;
};

Status CheckBatch(const v1::PublishRequest& request) {
  if (request.envelopes_size() == 0) {
    return InvalidArgument("FIELD_MISSING", "envelopes", "1 to 64 expected");
  }
  if (static_cast<size_t>(request.envelopes_size()) > limits::kBatchEnvelopesMax) {
    return InvalidArgument("TOO_LARGE", "envelopes", "1 to 64 expected");
  }
  if (request.ByteSizeLong() > limits::kBatchBytesMax) {
    return InvalidArgument("TOO_LARGE", "envelopes", "at most 4 MiB together expected");
  }
  return {};
}

// The order of checks: sizes and shape, digest, signature.
Result<std::shared_ptr<const machine::ParsedEnvelope>> Verify(KeySets& key_sets,
                                                              v1::Envelope envelope) {
  SCHAKEL_ASSIGN(auto parsed, machine::ParseEnvelope(std::move(envelope)));
  SCHAKEL_TRY(VerifyBy(key_sets, parsed->sender_key_set, parsed->sender.str(),
                       parsed->batch_message, parsed->envelope.proof().signature(),
                       {"header.sender_key_set_digest", "proof.signature"}));
  return parsed;
}

}  // namespace

SignalService::SignalService(const Parts& parts) : parts_(parts) {
  static PublishMessagesMaker maker;  // has no state
  RegisterStrict(&SignalService::Preflight, &SignalService::GetSignal, &SignalService::ListSignals,
                 &SignalService::ReadOutcomes, &SignalService::AttachSubject);
  RegisterStrictWith(&maker, &SignalService::Publish);
}

grpc::ServerUnaryReactor* SignalService::Publish(grpc::CallbackServerContext* context,
                                                 const v1::PublishRequest* request,
                                                 v1::PublishResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        if (Status serving = parts_.Serving(); !serving.ok()) return answer.Finish(serving);
        if (Status batch = CheckBatch(*request); !batch.ok()) return answer.Finish(batch);
        auto* envelopes = static_cast<PublishMessages*>(context->GetRpcAllocatorState())
                              ->request()
                              ->mutable_envelopes();
        int count = envelopes->size();
        auto call = std::make_shared<PublishCall>(std::move(answer), response, count);
        auto as_machine = ToMachine(caller);
        for (int i = 0; i < count; ++i) {
          auto parsed = Verify(*parts_.key_sets, std::move(*envelopes->Mutable(i)));
          if (parsed.ok()) {
            parts_.sequencer->Submit(machine::PublishEnvelope{*std::move(parsed)}, as_machine,
                                     [call, i](Result<machine::Outcome> outcome) {
                                       call->Decided(i, std::move(outcome));
                                     });
            continue;
          }
          Recorded(parts_, parsed.error(), "Publish", caller,
                   [call, i](const Error& error) { call->Refused(i, error); });
        }
      });
}

grpc::ServerUnaryReactor* SignalService::Preflight(grpc::CallbackServerContext* context,
                                                   const v1::PreflightRequest* request,
                                                   v1::PreflightResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        if (Status shape = CheckPreflight(*request); !shape.ok()) return answer.Finish(shape);
        SubmitTo(parts_, machine::Preflight{*request}, caller, answer, response);
      });
}

grpc::ServerUnaryReactor* SignalService::GetSignal(grpc::CallbackServerContext* context,
                                                   const v1::GetSignalRequest* request,
                                                   v1::GetSignalResponse* response) {
  return parts_.guard->Unary(
      context, request,
      [=, this](const transport::Caller& caller, const transport::UnaryAnswer& answer) {
        if (request->at_least_position() > parts_.store->position()) {
          Error later = MakeError(ErrorCode::kUnavailable, "POSITION_NOT_REACHED",
                                  "that position is not durable yet", "at_least_position");
          later.retry_after_ms = 50;
          return answer.Finish(later);
        }
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return query::GetSignal(state, caller.organisation, *request);
        });
      });
}

grpc::ServerUnaryReactor* SignalService::ListSignals(grpc::CallbackServerContext* context,
                                                     const v1::ListSignalsRequest* request,
                                                     v1::ListSignalsResponse* response) {
  return parts_.guard->Unary(
      context, request,
      [=, this](const transport::Caller& caller, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return query::ListSignals(state, *parts_.tokens, caller.organisation, *request);
        });
      });
}

grpc::ServerUnaryReactor* SignalService::ReadOutcomes(grpc::CallbackServerContext* context,
                                                      const v1::ReadOutcomesRequest* request,
                                                      v1::ReadOutcomesResponse* response) {
  return parts_.guard->Unary(
      context, request,
      [=, this](const transport::Caller& caller, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return query::ReadOutcomes(state, caller.organisation, *request);
        });
      });
}

grpc::ServerUnaryReactor* SignalService::AttachSubject(grpc::CallbackServerContext* context,
                                                       const v1::AttachSubjectRequest* request,
                                                       v1::AttachSubjectResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        if (Status shape = CheckAttach(*request); !shape.ok()) return answer.Finish(shape);
        SubmitTo(parts_, machine::AttachSubject{*request}, caller, answer, response);
      });
}

}  // namespace schakel::rpc
