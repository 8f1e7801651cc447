#include "broker/rpc/signal_service.h"

#include "broker/query/signals.h"
#include "broker/rpc/checks.h"
#include "broker/rpc/publish_batch.h"
#include "broker/rpc/publish_stream.h"

namespace schakel::rpc {

namespace {

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
      context, request,
      [=, this](const transport::Caller& caller, const transport::UnaryAnswer& answer) {
        if (Status serving = parts_.Serving(); !serving.ok()) return answer.Finish(serving);
        auto shape = CheckBatch(request->envelopes(), "envelopes");
        if (!shape.ok()) return answer.Finish(shape.error());
        auto* envelopes = static_cast<PublishMessages*>(context->GetRpcAllocatorState())
                              ->request()
                              ->mutable_envelopes();
        rpc::Publish(parts_, caller, envelopes,
                     std::make_shared<PublishBatch>(
                         envelopes->size(), "envelopes", answer.trace_id(),
                         [answer, response](PublishBatch& batch, const Status& ended) {
                           response->mutable_results()->Swap(&batch.results());
                           response->set_position(batch.position());
                           answer.Finish(ended);
                         }));
      });
}

grpc::ServerBidiReactor<v1::PublishStreamRequest, v1::PublishStreamResponse>*
SignalService::PublishStream(grpc::CallbackServerContext* context) {
  return parts_.guard->Bidi<v1::PublishStreamRequest, v1::PublishStreamResponse>(
      context, [=, this](transport::StreamPass pass) {
        return rpc::PublishStream::Start(context, std::move(pass), parts_);
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
