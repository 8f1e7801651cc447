// A message that does not parse gets a reason like any other bad input. gRPC 1.51 ends such a call
// by itself, with a bare UNIMPLEMENTED and before a handler runs. So a service registers its
// methods once more, through a handler that hands on a marked request instead; CallGuard refuses
// that one after it has seen who calls. A message that parses takes the same way as ever.
//
//   class SignalService final : public transport::Strict<v1::SignalService::CallbackService> {
//     explicit SignalService(...) { RegisterStrict(&SignalService::Publish, ...); }
//
// Streams from the client have no message yet when they begin: see StreamMessage.
#pragma once

#include <google/protobuf/message.h>
#include <grpc/byte_buffer.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "broker/base/check.h"
#include "broker/base/result.h"

namespace schakel::transport {

// Whether it stands for a message that did not parse.
bool IsMalformed(const google::protobuf::Message& request);
// FIELD_INVALID for such a message.
Error MalformedMessage(const google::protobuf::Message& request);
void Mark(google::protobuf::Message* message);
// The wire bytes of a marked message; gRPC takes them over.
grpc_byte_buffer* MarkedMessage();
// The place of the method with these types among the methods of its service.
int MethodIndex(const google::protobuf::Descriptor* request,
                const google::protobuf::Descriptor* response, bool server_streaming);

template <typename Request, typename Response>
class StrictUnaryHandler final : public grpc::internal::MethodHandler {
  using Inner = grpc::internal::CallbackUnaryHandler<Request, Response>;

 public:
  template <typename Handle>
  explicit StrictUnaryHandler(Handle handle,
                              grpc::MessageAllocator<Request, Response>* allocator = nullptr)
      : inner_(std::move(handle)) {
    if (allocator != nullptr) inner_.SetMessageAllocator(allocator);
  }
  void RunHandler(const HandlerParameter& parameter) override { inner_.RunHandler(parameter); }
  void* Deserialize(grpc_call* call, grpc_byte_buffer* message, grpc::Status* status,
                    void** holder) override {
    void* request = inner_.Deserialize(call, message, status, holder);
    if (request != nullptr) return request;
    static_cast<grpc::MessageHolder<Request, Response>*>(*holder)->Release();
    return inner_.Deserialize(call, MarkedMessage(), status, holder);
  }

 private:
  Inner inner_;
};

template <typename Request, typename Response>
class StrictWritesHandler final : public grpc::internal::MethodHandler {
  using Inner = grpc::internal::CallbackServerStreamingHandler<Request, Response>;

 public:
  template <typename Handle>
  explicit StrictWritesHandler(Handle handle) : inner_(std::move(handle)) {}
  void RunHandler(const HandlerParameter& parameter) override { inner_.RunHandler(parameter); }
  void* Deserialize(grpc_call* call, grpc_byte_buffer* message, grpc::Status* status,
                    void** holder) override {
    void* request = inner_.Deserialize(call, message, status, holder);
    if (request != nullptr) return request;
    return inner_.Deserialize(call, MarkedMessage(), status, holder);
  }

 private:
  Inner inner_;
};

template <typename Base>
class Strict : public Base {
 protected:
  // Each method once, in the service's constructor.
  template <typename... Methods>
  void RegisterStrict(Methods... methods) {
    (RegisterOne(methods), ...);
  }
  // One whose messages come from an allocator, which must outlive the service. Instead of gRPC's
  // SetMessageAllocatorFor_Method, which knows gRPC's own handlers only.
  template <typename Service, typename Request, typename Response>
  void RegisterStrictWith(grpc::MessageAllocator<Request, Response>* allocator,
                          grpc::ServerUnaryReactor* (Service::*method)(grpc::CallbackServerContext*,
                                                                       const Request*, Response*)) {
    RegisterUnary(method, allocator);
  }

 private:
  template <typename Service, typename Request, typename Response>
  void RegisterOne(grpc::ServerUnaryReactor* (Service::*method)(grpc::CallbackServerContext*,
                                                                const Request*, Response*)) {
    RegisterUnary<Service, Request, Response>(method, nullptr);
  }
  template <typename Service, typename Request, typename Response>
  void RegisterUnary(grpc::ServerUnaryReactor* (Service::*method)(grpc::CallbackServerContext*,
                                                                  const Request*, Response*),
                     grpc::MessageAllocator<Request, Response>* allocator) {
    auto* self = static_cast<Service*>(this);
    this->MarkMethodCallback(MethodIndex(Request::descriptor(), Response::descriptor(), false),
                             new StrictUnaryHandler<Request, Response>(
                                 [self, method](grpc::CallbackServerContext* context,
                                                const Request* request, Response* response) {
                                   return (self->*method)(context, request, response);
                                 },
                                 allocator));
  }
  template <typename Service, typename Request, typename Response>
  void RegisterOne(grpc::ServerWriteReactor<Response>* (Service::*method)(
      grpc::CallbackServerContext*, const Request*)) {
    auto* self = static_cast<Service*>(this);
    this->MarkMethodCallback(
        MethodIndex(Request::descriptor(), Response::descriptor(), true),
        new StrictWritesHandler<Request, Response>(
            [self, method](grpc::CallbackServerContext* context, const Request* request) {
              return (self->*method)(context, request);
            }));
  }
};

// A message that a stream reads into. gRPC tells a reader of a message that does not parse no more
// than that there was none, as at the end of the stream; but parsing begins with clearing.
template <typename Message>
class StreamMessage {
 public:
  // For StartRead.
  Message* ToRead() {
    Mark(&message_);
    return &message_;
  }
  // After a read that failed: whether there was a message.
  bool DidNotParse() const { return !IsMalformed(message_); }
  const Message& get() const { return message_; }
  // To take out what is large, between a read and the next.
  Message& taken() { return message_; }

 private:
  Message message_;
};

}  // namespace schakel::transport
