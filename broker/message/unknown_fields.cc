#include "broker/message/unknown_fields.h"

#include <google/protobuf/descriptor.h>

#include <unordered_map>
#include <vector>

namespace schakel::message {
namespace {

// The fields of a message type that hold messages.
const std::vector<const google::protobuf::FieldDescriptor*>& MessageFields(
    const google::protobuf::Descriptor* descriptor) {
  // Of each thread; there are some tens of types.
  thread_local std::unordered_map<const google::protobuf::Descriptor*,
                                  std::vector<const google::protobuf::FieldDescriptor*>>
      known;
  const auto [it, added] = known.try_emplace(descriptor);
  if (added) {
    for (int f = 0; f < descriptor->field_count(); ++f) {
      const auto* field = descriptor->field(f);
      if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
        it->second.push_back(field);
      }
    }
  }
  return it->second;
}

}  // namespace

bool HasUnknownFields(const google::protobuf::Message& message) {
  const auto* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) return true;
  for (const auto* field : MessageFields(message.GetDescriptor())) {
    if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        if (HasUnknownFields(reflection->GetRepeatedMessage(message, field, i))) return true;
      }
    } else if (reflection->HasField(message, field) &&
               HasUnknownFields(reflection->GetMessage(message, field))) {
      return true;
    }
  }
  return false;
}

}  // namespace schakel::message
