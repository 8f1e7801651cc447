// The wire below the SDK: what a client that is not ours, or not honest, can send.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "broker/base/result.h"
#include "clients/sdk/session.h"
#include "schakel/v1/inbox.grpc.pb.h"
#include "schakel/v1/signal.grpc.pb.h"

namespace schakel::e2e {

// A sealed and signed envelope of a draft, not sent and in no outbox.
Result<v1::Envelope> Seal(sdk::Session& from, const sdk::SignalDraft& draft,
                          sdk::WrapChoice choice = sdk::WrapChoice::kByRules);
// One Publish with these envelopes as they are.
Result<v1::PublishResponse> Publish(sdk::Session& from, const std::vector<v1::Envelope>& envelopes);
// The same for one: its result, an Error when it was refused.
Result<v1::SignalAccepted> PublishOne(sdk::Session& from, const v1::Envelope& envelope);

// Flips a bit of the first section's ciphertext and makes all digests right again, not the
// signature.
void ChangeContent(v1::Envelope* envelope);
// Signs it anew, as its sender can.
Status SignAgain(sdk::Session& from, v1::Envelope* envelope);

// Every method of every service of the broker, by the linked descriptors: SignalService.Publish.
std::vector<std::string> MethodsOfTheBroker();
// The same of a custodian.
std::vector<std::string> MethodsOfACustodian();
// Its path on the wire: /schakel.v1.SignalService/Publish.
std::string PathOf(const std::string& method);
// Any method (/schakel.v1.Service/Method) with one empty message; the status that ends it, OK as
// success.
Status CallEmpty(const sdk::Connection& connection, const std::string& method);

// A Pull stream without the SDK's reconnecting.
class RawPull {
 public:
  // Opens it with this window, and batches of so many; the lease is the default.
  RawPull(std::shared_ptr<sdk::Connection> connection, uint32_t window = 16,
          uint32_t batch_max = 0);
  ~RawPull();
  // The next message; nullopt when the stream ended. Blocks.
  std::optional<v1::PullResponse> Read();
  bool Write(const v1::PullRequest& request) { return stream_->Write(request); }
  // After Read gave nullopt: the Error that ended it.
  Status Finish();

 private:
  std::shared_ptr<sdk::Connection> connection_;
  std::unique_ptr<v1::InboxService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PullRequest, v1::PullResponse>> stream_;
  bool finished_ = false;
};

// A PublishStream without the SDK's resuming.
class RawPublish {
 public:
  // Opens it, unless told not to.
  explicit RawPublish(std::shared_ptr<sdk::Connection> connection, bool full_receipts = false,
                      bool open = true);
  ~RawPublish();
  bool Write(const v1::PublishStreamRequest& request) { return stream_->Write(request); }
  bool Batch(const std::vector<v1::Envelope>& envelopes);
  // The next message; nullopt when the stream ended. Blocks.
  std::optional<v1::PublishStreamResponse> Read();
  void CloseOwnSide() { stream_->WritesDone(); }
  // After Read gave nullopt: the Error that ended it.
  Status Finish();

 private:
  std::shared_ptr<sdk::Connection> connection_;
  std::unique_ptr<v1::SignalService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PublishStreamRequest, v1::PublishStreamResponse>>
      stream_;
  bool finished_ = false;
};

}  // namespace schakel::e2e
