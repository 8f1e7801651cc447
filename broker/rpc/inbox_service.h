#pragma once

#include "broker/rpc/parts.h"
#include "schakel/v1/inbox.grpc.pb.h"

namespace schakel::rpc {

class InboxService final : public transport::Strict<v1::InboxService::CallbackService> {
 public:
  explicit InboxService(const Parts& parts) : parts_(parts) {
    RegisterStrict(&InboxService::Fetch, &InboxService::Acknowledge, &InboxService::Refuse,
                   &InboxService::Release, &InboxService::Extend, &InboxService::ReportOutcome);
  }

  grpc::ServerBidiReactor<v1::PullRequest, v1::PullResponse>* Pull(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Fetch(grpc::CallbackServerContext* context,
                                  const v1::FetchRequest* request,
                                  v1::FetchResponse* response) override;
  grpc::ServerUnaryReactor* Acknowledge(grpc::CallbackServerContext* context,
                                        const v1::AcknowledgeRequest* request,
                                        v1::AcknowledgeResponse* response) override;
  grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context,
                                   const v1::RefuseRequest* request,
                                   v1::RefuseResponse* response) override;
  grpc::ServerUnaryReactor* Release(grpc::CallbackServerContext* context,
                                    const v1::ReleaseRequest* request,
                                    v1::ReleaseResponse* response) override;
  grpc::ServerUnaryReactor* Extend(grpc::CallbackServerContext* context,
                                   const v1::ExtendRequest* request,
                                   v1::ExtendResponse* response) override;
  grpc::ServerUnaryReactor* ReportOutcome(grpc::CallbackServerContext* context,
                                          const v1::ReportOutcomeRequest* request,
                                          v1::ReportOutcomeResponse* response) override;

 private:
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Settle(grpc::CallbackServerContext* context, const Request* request,
                                   Response* response);
  void HandOver(const transport::Caller& caller, uint64_t position, machine::Leased leased,
                const transport::UnaryAnswer& answer, v1::FetchResponse* response) const;

  const Parts parts_;
};

}  // namespace schakel::rpc
