#include "broker/transport/strict_messages.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpc/slice.h>

#include <string_view>

namespace schakel::transport {
namespace {

// The highest number that a field can have; none of ours has it. A client that sends it says of
// itself that its message is malformed.
constexpr int kMarkField = 536'870'911;
constexpr std::string_view kMarkBytes("\xF8\xFF\xFF\xFF\x0F\x01", 6);  // that field, varint 1

}  // namespace

void Mark(google::protobuf::Message* message) {
  message->Clear();
  message->GetReflection()->MutableUnknownFields(message)->AddVarint(kMarkField, 1);
}

bool IsMalformed(const google::protobuf::Message& request) {
  const auto& unknown = request.GetReflection()->GetUnknownFields(request);
  return unknown.field_count() == 1 && unknown.field(0).number() == kMarkField;
}

Error MalformedMessage(const google::protobuf::Message& request) {
  return InvalidArgument("FIELD_INVALID", "",
                         "the message is no " + request.GetDescriptor()->name());
}

grpc_byte_buffer* MarkedMessage() {
  grpc_slice bytes = grpc_slice_from_static_buffer(kMarkBytes.data(), kMarkBytes.size());
  return grpc_raw_byte_buffer_create(&bytes, 1);
}

int MethodIndex(const google::protobuf::Descriptor* request,
                const google::protobuf::Descriptor* response, bool server_streaming) {
  const google::protobuf::FileDescriptor* file = request->file();
  for (int s = 0; s < file->service_count(); ++s) {
    for (int m = 0; m < file->service(s)->method_count(); ++m) {
      const google::protobuf::MethodDescriptor* method = file->service(s)->method(m);
      if (method->input_type() == request && method->output_type() == response &&
          !method->client_streaming() && method->server_streaming() == server_streaming) {
        return method->index();
      }
    }
  }
  SCHAKEL_CHECK(false, "the types of a method in the file of its request");
}

}  // namespace schakel::transport
