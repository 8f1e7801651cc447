// Sets one field of a message from one value of a file. Used by yaml_message.cc.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "schakel/v1/yaml_options.pb.h"

namespace schakel::config {

// What the proto demands of the file (schakel/v1/yaml_options.proto).
const schakel::v1::YamlField& Demands(const google::protobuf::FieldDescriptor* field);

// Whether the field is a google.protobuf.Duration, which is one value although it is a message.
bool IsDuration(const google::protobuf::FieldDescriptor* field);

// Sets the field, or adds an item when it is repeated. `quoted`: the value stood in quotes, so it
// is text whatever it looks like. Returns what was expected when it does not fit; then nothing is
// set.
std::optional<std::string> SetField(const std::string& text, bool quoted,
                                    const google::protobuf::FieldDescriptor* field,
                                    google::protobuf::Message* out);

}  // namespace schakel::config
