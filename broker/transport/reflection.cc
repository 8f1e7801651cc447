#include "broker/transport/reflection.h"

#include <algorithm>
#include <set>
#include <utility>

#include "broker/base/limits.h"

namespace schakel::transport {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

const MethodRule* Rule() {
  static const MethodRule* const rule =
      FindMethod("grpc.reflection.v1.ServerReflection.ServerReflectionInfo");
  SCHAKEL_CHECK(rule != nullptr && rule->access == Access::kAnyPeer,
                "reflection is in the role table");
  return rule;
}

void CollectFiles(const FileDescriptor* file, std::set<const FileDescriptor*>* files) {
  if (!files->insert(file).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) CollectFiles(file->dependency(i), files);
}

void AddFile(const FileDescriptor* file, ServerReflectionResponse* response) {
  std::set<const FileDescriptor*> files;
  CollectFiles(file, &files);
  files.erase(file);
  // The file that was asked for first, then what it needs.
  auto* out = response->mutable_file_descriptor_response();
  const auto add = [out](const FileDescriptor* one) {
    FileDescriptorProto proto;
    one->CopyTo(&proto);
    out->add_file_descriptor_proto(proto.SerializeAsString());
  };
  add(file);
  for (const FileDescriptor* one : files) add(one);
}

}  // namespace

ReflectionService::ReflectionService(CallGuard* guard, const google::protobuf::DescriptorPool* pool,
                                     std::vector<std::string> services)
    : guard_(guard), pool_(pool), services_(std::move(services)) {}

bool ReflectionService::Serves(const FileDescriptor* file) const {
  std::set<const FileDescriptor*> files;
  for (const std::string& name : services_) {
    if (const auto* service = pool_->FindServiceByName(name)) CollectFiles(service->file(), &files);
  }
  return files.contains(file);
}

ServerReflectionResponse ReflectionService::Answer(const ServerReflectionRequest& request) const {
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  const auto fail = [&response](grpc::StatusCode code, const char* message) {
    response.mutable_error_response()->set_error_code(code);
    response.mutable_error_response()->set_error_message(message);
  };
  const auto give = [&](const FileDescriptor* file) {
    if (file == nullptr || !Serves(file)) {
      fail(grpc::StatusCode::NOT_FOUND, "not found");
    } else {
      AddFile(file, &response);
    }
  };
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices:
      for (const std::string& name : services_) {
        response.mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case ServerReflectionRequest::kFileByFilename:
      give(pool_->FindFileByName(request.file_by_filename()));
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      give(pool_->FindFileContainingSymbol(request.file_containing_symbol()));
      break;
    case ServerReflectionRequest::kFileContainingExtension: {
      const Descriptor* type =
          pool_->FindMessageTypeByName(request.file_containing_extension().containing_type());
      const FieldDescriptor* extension =
          type == nullptr ? nullptr
                          : pool_->FindExtensionByNumber(
                                type, request.file_containing_extension().extension_number());
      give(extension == nullptr ? nullptr : extension->file());
      break;
    }
    case ServerReflectionRequest::kAllExtensionNumbersOfType: {
      const Descriptor* type =
          pool_->FindMessageTypeByName(request.all_extension_numbers_of_type());
      if (type == nullptr || !Serves(type->file())) {
        fail(grpc::StatusCode::NOT_FOUND, "not found");
        break;
      }
      std::vector<const FieldDescriptor*> extensions;
      pool_->FindAllExtensions(type, &extensions);
      auto* numbers = response.mutable_all_extension_numbers_response();
      numbers->set_base_type_name(type->full_name());
      for (const FieldDescriptor* extension : extensions) {
        if (Serves(extension->file())) numbers->add_extension_number(extension->number());
      }
      break;
    }
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      fail(grpc::StatusCode::INVALID_ARGUMENT, "nothing was asked");
      break;
  }
  return response;
}

// One question, one answer, in turn. An end that comes while an answer is written waits for it.
class ReflectionService::Stream final
    : public grpc::ServerBidiReactor<ServerReflectionRequest, ServerReflectionResponse> {
 public:
  Stream(ReflectionService* service, std::shared_ptr<CallEnd> end, StreamGuard guard)
      : service_(service), end_(std::move(end)), guard_(std::move(guard)) {
    registration_ =
        service_->guard_->watch()->Add(&guard_, [this](const Error& error) { EndWith(error); });
    {
      std::lock_guard lock(mutex_);
      if (finished_) return;
    }
    StartRead(request_.ToRead());
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      return EndWith(request_.DidNotParse() ? Status(MalformedMessage(request_.get())) : Status());
    }
    if (++requests_ > limits::kReflectionRequestsMax) {
      return EndWith(MakeError(ErrorCode::kResourceExhausted, "RATE_LIMITED",
                               "too many requests on a stream"));
    }
    {
      std::lock_guard lock(mutex_);
      if (finished_) return;
      response_ = service_->Answer(request_.get());
      writing_ = true;
    }
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    std::optional<Status> ending;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      ending = ending_;
      if (!ok && !ending) ending = Status();
    }
    if (ending) return EndWith(*ending);
    StartRead(request_.ToRead());
  }
  void OnCancel() override {
    EndWith(MakeError(ErrorCode::kCancelled, "CANCELLED", "the caller ended the call"));
  }
  void OnDone() override {
    --service_->streams_;
    delete this;
  }

 private:
  void EndWith(const Status& status) {
    {
      std::lock_guard lock(mutex_);
      if (finished_) return;
      if (writing_) {
        if (!ending_) ending_ = status;
        return;
      }
      finished_ = true;
    }
    Finish(end_->Translate(status));
  }

  ReflectionService* const service_;
  const std::shared_ptr<CallEnd> end_;
  StreamGuard guard_;
  size_t requests_ = 0;
  StreamMessage<ServerReflectionRequest> request_;
  ServerReflectionResponse response_;
  std::mutex mutex_;  // guards what follows
  bool writing_ = false;
  bool finished_ = false;
  std::optional<Status> ending_;
  StreamWatch::Registration registration_;
};

grpc::ServerBidiReactor<ServerReflectionRequest, ServerReflectionResponse>*
ReflectionService::ServerReflectionInfo(grpc::CallbackServerContext* context) {
  CallGuard::PeerCall call = guard_->BeginPeer(*context, Rule());
  const auto refuse = [&](const Error& error) {
    return new RefusedBidi<ServerReflectionRequest, ServerReflectionResponse>(
        call.end->Translate(error));
  };
  if (!call.identity.ok()) return refuse(call.identity.error());
  Authenticator* authenticator = guard_->authenticator();
  Result<RateLimiter::StreamSlot> slot =
      authenticator->OpenStream((*call.identity)->organisation, Access::kAnyPeer);
  if (!slot.ok()) return refuse(slot.error());
  if (++streams_ > limits::kReflectionStreamsMax) {
    --streams_;
    return refuse(
        MakeError(ErrorCode::kResourceExhausted, "RATE_LIMITED", "too many reflection streams"));
  }
  return new Stream(
      this, call.end,
      StreamGuard(authenticator, Grant{*call.identity, Rule()}, std::move(slot).value()));
}

}  // namespace schakel::transport
