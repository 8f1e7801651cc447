// Fields of requests by their paths, such as "envelopes.header.region": also those of the messages
// that travel as bytes.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/bytes.h"

namespace schakel::e2e {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The path of every field of a message and of what is in it, in order of the declarations.
std::vector<std::string> FieldPaths(const google::protobuf::Descriptor* message);

// The path as errors write it: list[0].field where the list is one of messages.
std::string ErrorPath(const google::protobuf::Descriptor* message, const std::string& path);

// What is done to one field: `in` is the message that it is a field of.
using FieldChange = std::function<void(Message& in, const FieldDescriptor& field)>;

// Does it to the field of that path, in the first entry of each list on the way; messages that
// travel as bytes are read before and written after. Stops the process when there is no such field.
void ChangeField(Message& root, std::string_view path, const FieldChange& change);

// ---- Changes ----
FieldChange Missing();
// For a string, bytes or one more entry of a list of them.
FieldChange Set(Bytes value);
FieldChange Add(Bytes value);
FieldChange Number(int64_t value);  // an integer, an enum or a truth value; in a list one more
// Makes a list this long with copies of its first entry; of the default one when it is empty.
FieldChange Times(int count);
// Puts a field that nobody knows into the message of that path (its first entry).
FieldChange Unknown();

}  // namespace schakel::e2e
