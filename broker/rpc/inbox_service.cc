#include "broker/rpc/inbox_service.h"

#include "broker/delivery/pull_stream.h"
#include "broker/delivery/requests.h"

namespace schakel::rpc {

namespace {
class RefusedPull final : public grpc::ServerBidiReactor<v1::PullRequest, v1::PullResponse> {
 public:
  explicit RefusedPull(transport::StreamPass pass, const Status& status) : pass_(std::move(pass)) {
    Finish(pass_.End(status));
  }
  void OnDone() override { delete this; }

 private:
  transport::StreamPass pass_;
};
}  // namespace

grpc::ServerBidiReactor<v1::PullRequest, v1::PullResponse>* InboxService::Pull(
    grpc::CallbackServerContext* context) {
  return parts_.guard->Bidi<v1::PullRequest, v1::PullResponse>(
      context,
      [=, this](transport::StreamPass pass)
          -> grpc::ServerBidiReactor<v1::PullRequest, v1::PullResponse>* {
        if (Status serving = parts_.Serving(); !serving.ok()) {
          return new RefusedPull(std::move(pass), serving);
        }
        return delivery::PullStream::Start(
            context, std::move(pass), {parts_.sequencer, parts_.gate, parts_.hub, parts_.clock});
      });
}

void InboxService::HandOver(const transport::Caller& caller, uint64_t position,
                            machine::Leased leased, const transport::UnaryAnswer& answer,
                            v1::FetchResponse* response) const {
  std::vector<DeliveryId> begun;
  for (auto& item : leased.items) {
    // INVARIANT I4: what changed since it was decided is not handed over.
    if (parts_.gate->BeginWrite(item.delivery_id, position, item.subjects, [] {})) {
      begun.push_back(item.delivery_id);
      *response->add_deliveries() = std::move(item.delivery);
    } else {
      parts_.sequencer->Submit(machine::CancelDelivery{caller.organisation, item.delivery_id},
                               std::nullopt, [](const Result<machine::Outcome>&) {});
    }
  }
  response->set_position(position);
  answer.Finish({});  // the transport has the bytes when this returns
  for (const auto& delivery : begun) parts_.gate->EndWrite(delivery);
}

grpc::ServerUnaryReactor* InboxService::Fetch(grpc::CallbackServerContext* context,
                                              const v1::FetchRequest* request,
                                              v1::FetchResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        auto command = delivery::ToCommand(*request);
        if (!command.ok()) return answer.Finish(command.error());
        SubmitFor<machine::Leased>(parts_, *std::move(command), caller, answer,
                                   [=, this](uint64_t position, machine::Leased leased) {
                                     HandOver(caller, position, std::move(leased), answer,
                                              response);
                                   });
      });
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* InboxService::Settle(grpc::CallbackServerContext* context,
                                               const Request* request, Response* response) {
  return parts_.guard->Unary(context, request,
                             [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
                               auto command = delivery::ToCommand(*request);
                               if (!command.ok()) return answer.Finish(command.error());
                               SubmitTo(parts_, *std::move(command), caller, answer, response);
                             });
}

grpc::ServerUnaryReactor* InboxService::Acknowledge(grpc::CallbackServerContext* context,
                                                    const v1::AcknowledgeRequest* request,
                                                    v1::AcknowledgeResponse* response) {
  return Settle(context, request, response);
}
grpc::ServerUnaryReactor* InboxService::Refuse(grpc::CallbackServerContext* context,
                                               const v1::RefuseRequest* request,
                                               v1::RefuseResponse* response) {
  return Settle(context, request, response);
}
grpc::ServerUnaryReactor* InboxService::Release(grpc::CallbackServerContext* context,
                                                const v1::ReleaseRequest* request,
                                                v1::ReleaseResponse* response) {
  return Settle(context, request, response);
}
grpc::ServerUnaryReactor* InboxService::ReportOutcome(grpc::CallbackServerContext* context,
                                                      const v1::ReportOutcomeRequest* request,
                                                      v1::ReportOutcomeResponse* response) {
  return Settle(context, request, response);
}
grpc::ServerUnaryReactor* InboxService::Extend(grpc::CallbackServerContext* context,
                                               const v1::ExtendRequest* request,
                                               v1::ExtendResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        auto command = delivery::ToCommand(*request);
        if (!command.ok()) return answer.Finish(command.error());
        auto delivery = *DeliveryId::From(request->delivery_id());
        SubmitFor<v1::ExtendResponse>(parts_, *std::move(command), caller, answer,
                                      [=, this](uint64_t, v1::ExtendResponse value) {
                                        *response = std::move(value);
                                        // A stream that holds it counts it as its own for longer.
                                        parts_.hub->LeaseMoved(
                                            caller.organisation, delivery,
                                            Micros(machine::ToMicros(response->lease_until())));
                                        answer.Finish({});
                                      });
      });
}

}  // namespace schakel::rpc
