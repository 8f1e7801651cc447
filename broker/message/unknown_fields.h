// Whether a message says something that its reader does not know.
#pragma once

#include <google/protobuf/message.h>

namespace schakel::message {

// True when the message, or one within it, has a field that its type does not have.
bool HasUnknownFields(const google::protobuf::Message& message);

}  // namespace schakel::message
