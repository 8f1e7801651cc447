#include "tests/e2e/wire.h"

#include <grpcpp/generic/generic_stub.h>

#include "broker/machine/envelope.h"
#include "clients/sdk/files.h"
#include "clients/sdk/status.h"
#include "schakel/v1/audit.pb.h"
#include "schakel/v1/consent.pb.h"
#include "schakel/v1/custodian.pb.h"
#include "schakel/v1/directory.pb.h"
#include "schakel/v1/flow.pb.h"
#include "schakel/v1/policy.pb.h"
#include "schakel/v1/signal.grpc.pb.h"
#include "tests/support/machine_fixture.h"

namespace schakel::e2e {

Result<v1::Envelope> Seal(sdk::Session& from, const sdk::SignalDraft& draft,
                          sdk::WrapChoice choice) {
  SCHAKEL_ASSIGN(auto composer, from.NewComposer(choice));
  SCHAKEL_ASSIGN(auto* keys, from.keys());
  SCHAKEL_ASSIGN(const auto own, keys->Current(sdk::Now()));
  SCHAKEL_ASSIGN(const auto composed, composer->Compose(draft, own, sdk::Now()));
  v1::Envelope envelope;
  if (!envelope.ParseFromString(composed.envelope)) return Internal("an envelope parses");
  return envelope;
}

Result<v1::PublishResponse> Publish(sdk::Session& from,
                                    const std::vector<v1::Envelope>& envelopes) {
  SCHAKEL_ASSIGN(auto connection, from.connection());
  v1::PublishRequest request;
  for (const auto& envelope : envelopes) *request.add_envelopes() = envelope;
  const auto stub = v1::SignalService::NewStub(connection->channel());
  return connection->Call(*stub, &v1::SignalService::Stub::Publish, request);
}

Result<v1::SignalAccepted> PublishOne(sdk::Session& from, const v1::Envelope& envelope) {
  SCHAKEL_ASSIGN(const auto response, Publish(from, {envelope}));
  if (response.results_size() != 1) return Internal("one envelope has one result");
  if (response.results(0).has_accepted()) return response.results(0).accepted();
  return sdk::ErrorFromRpcStatus(response.results(0).error(), "en");
}

void ChangeContent(v1::Envelope* envelope) {
  Bytes& ciphertext = *envelope->mutable_sections(0)->mutable_ciphertext();
  ciphertext[0] = static_cast<char>(ciphertext[0] ^ 1);
  testing::SeededBytes random(7);
  testing::SetValues(envelope, &random);
}

Status SignAgain(sdk::Session& from, v1::Envelope* envelope) {
  SCHAKEL_ASSIGN(auto* keys, from.keys());
  SCHAKEL_ASSIGN(const auto own, keys->Current(sdk::Now()));
  SCHAKEL_ASSIGN(const auto parsed, machine::ParseEnvelope(*envelope));
  envelope->mutable_proof()->set_signature(own.signing->Sign(parsed->batch_message));
  return {};
}

namespace {

std::vector<std::string> MethodsOf(
    const std::vector<const google::protobuf::FileDescriptor*>& files) {
  std::vector<std::string> methods;
  for (const auto* file : files) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods.push_back(file->service(s)->name() + "." + file->service(s)->method(m)->name());
      }
    }
  }
  return methods;
}

}  // namespace

std::vector<std::string> MethodsOfTheBroker() {
  return MethodsOf(
      {v1::PublishRequest::descriptor()->file(), v1::FetchRequest::descriptor()->file(),
       v1::RecordStatementRequest::descriptor()->file(),
       v1::AdmitOrganisationRequest::descriptor()->file(),
       v1::ActivatePolicyRequest::descriptor()->file(),
       v1::QueryRecordsRequest::descriptor()->file(), v1::GetFlowRequest::descriptor()->file()});
}

std::vector<std::string> MethodsOfACustodian() {
  return MethodsOf({v1::EvaluateRequest::descriptor()->file()});
}

std::string PathOf(const std::string& method) {
  std::string path = "/schakel.v1." + method;
  path[path.rfind('.')] = '/';
  return path;
}

Status CallEmpty(const sdk::Connection& connection, const std::string& method) {
  grpc::ClientContext context;
  connection.AddMetadata(context);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(connection.channel());
  const auto call = stub.PrepareCall(&context, method, &queue);
  // One operation at a time; all end, since the call has a deadline.
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  call->StartCall(nullptr);
  if (wait()) {
    const grpc::Slice nothing("", 0);
    call->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), nullptr);
    wait();
    grpc::ByteBuffer answer;
    do {
      call->Read(&answer, nullptr);
    } while (wait());
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  queue.Shutdown();
  if (status.ok()) return {};
  return connection.Translate(status);
}

RawPull::RawPull(std::shared_ptr<sdk::Connection> connection, uint32_t window, uint32_t batch_max)
    : connection_(std::move(connection)), stub_(v1::InboxService::NewStub(connection_->channel())) {
  connection_->AddMetadata(context_);
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  stream_ = stub_->Pull(&context_);
  v1::PullRequest open;
  open.mutable_open()->set_window(window);
  open.mutable_open()->set_batch_max(batch_max);
  stream_->Write(open);
}

RawPull::~RawPull() {
  if (finished_) return;
  context_.TryCancel();
  (void)stream_->Finish();
}

std::optional<v1::PullResponse> RawPull::Read() {
  v1::PullResponse response;
  if (!stream_->Read(&response)) return std::nullopt;
  return response;
}

Status RawPull::Finish() {
  finished_ = true;
  const grpc::Status status = stream_->Finish();
  if (status.ok()) return {};
  return connection_->Translate(status);
}

RawPublish::RawPublish(std::shared_ptr<sdk::Connection> connection, bool full_receipts, bool open)
    : connection_(std::move(connection)),
      stub_(v1::SignalService::NewStub(connection_->channel())) {
  connection_->AddMetadata(context_);
  stream_ = stub_->PublishStream(&context_);
  if (!open) return;
  v1::PublishStreamRequest request;
  request.mutable_open()->set_full_receipts(full_receipts);
  stream_->Write(request);
}

RawPublish::~RawPublish() {
  if (finished_) return;
  context_.TryCancel();
  (void)stream_->Finish();
}

bool RawPublish::Batch(const std::vector<v1::Envelope>& envelopes) {
  v1::PublishStreamRequest request;
  auto* batch = request.mutable_batch();
  for (const auto& envelope : envelopes) *batch->add_envelopes() = envelope;
  return Write(request);
}

std::optional<v1::PublishStreamResponse> RawPublish::Read() {
  v1::PublishStreamResponse response;
  if (!stream_->Read(&response)) return std::nullopt;
  return response;
}

Status RawPublish::Finish() {
  finished_ = true;
  const grpc::Status status = stream_->Finish();
  if (status.ok()) return {};
  return connection_->Translate(status);
}

}  // namespace schakel::e2e
