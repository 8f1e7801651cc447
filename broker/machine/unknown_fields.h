// Whether a message says something that this broker does not know.
#pragma once

#include <google/protobuf/message.h>

namespace schakel::machine {

// True when the message, or one within it, has a field that its type does not have.
bool HasUnknownFields(const google::protobuf::Message& message);

}  // namespace schakel::machine
