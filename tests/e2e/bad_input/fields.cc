#include "tests/e2e/bad_input/fields.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

#include <map>
#include <memory>

#include "broker/base/check.h"
#include "schakel/v1/consent.pb.h"
#include "schakel/v1/envelope.pb.h"

namespace schakel::e2e {
namespace {

using google::protobuf::Descriptor;

// The message that a field of bytes carries; null for others.
const Descriptor* CarriedBy(const FieldDescriptor& field) {
  static const std::map<std::string, const Descriptor*> carried = {
      {"schakel.v1.Envelope.header", v1::Header::descriptor()},
      {"schakel.v1.Envelope.routing", v1::Routing::descriptor()},
      {"schakel.v1.Section.meta", v1::SectionMeta::descriptor()},
      {"schakel.v1.RecordStatementRequest.statement", v1::Statement::descriptor()},
      {"schakel.v1.WithdrawStatementRequest.withdrawal", v1::Withdrawal::descriptor()},
  };
  const auto found = carried.find(field.full_name());
  return found == carried.end() ? nullptr : found->second;
}

const Descriptor* Inside(const FieldDescriptor& field) {
  return field.message_type() != nullptr ? field.message_type() : CarriedBy(field);
}

std::unique_ptr<Message> New(const Descriptor* type) {
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<Message>(factory->GetPrototype(type)->New());
}

const FieldDescriptor& FieldOf(const Descriptor* message, std::string_view name) {
  const auto* field = message->FindFieldByName(std::string(name));
  SCHAKEL_CHECK(field != nullptr, "rows name fields that exist");
  return *field;
}

// "a.b.c" into "a" and "b.c"; the second is empty at the end.
std::pair<std::string_view, std::string_view> Split(std::string_view path) {
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos) return {path, {}};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

void AddPaths(const Descriptor* message, const std::string& prefix,
              std::vector<std::string>* paths) {
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor& field = *message->field(i);
    paths->push_back(prefix + field.name());
    if (const auto* inside = Inside(field)) AddPaths(inside, paths->back() + ".", paths);
  }
}

Message* Entry(Message& in, const FieldDescriptor& field) {
  const auto* reflection = in.GetReflection();
  if (!field.is_repeated()) return reflection->MutableMessage(&in, &field);
  if (reflection->FieldSize(in, &field) == 0) return reflection->AddMessage(&in, &field);
  return reflection->MutableRepeatedMessage(&in, &field, 0);
}

}  // namespace

std::vector<std::string> FieldPaths(const Descriptor* message) {
  std::vector<std::string> paths;
  AddPaths(message, "", &paths);
  return paths;
}

std::string ErrorPath(const Descriptor* message, const std::string& path) {
  std::string out;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto [name, after] = Split(rest);
    const FieldDescriptor& field = FieldOf(message, name);
    if (!out.empty()) out += ".";
    out += name;
    if (field.is_repeated() && field.message_type() != nullptr && !after.empty()) out += "[0]";
    message = Inside(field);
    rest = after;
  }
  return out;
}

void ChangeField(Message& root, std::string_view path, const FieldChange& change) {
  const auto [name, rest] = Split(path);
  const FieldDescriptor& field = FieldOf(root.GetDescriptor(), name);
  if (rest.empty()) return change(root, field);
  if (field.message_type() != nullptr) return ChangeField(*Entry(root, field), rest, change);
  const Descriptor* carried = CarriedBy(field);
  SCHAKEL_CHECK(carried != nullptr, "rows name fields that exist");
  auto message = New(carried);
  SCHAKEL_CHECK(message->ParseFromString(root.GetReflection()->GetString(root, &field)),
                "the valid request's bytes parse");
  ChangeField(*message, rest, change);
  root.GetReflection()->SetString(&root, &field, message->SerializeAsString());
}

FieldChange Missing() {
  return [](Message& in, const FieldDescriptor& field) {
    in.GetReflection()->ClearField(&in, &field);
  };
}

FieldChange Set(Bytes value) {
  return [value = std::move(value)](Message& in, const FieldDescriptor& field) {
    const auto* reflection = in.GetReflection();
    if (!field.is_repeated()) return reflection->SetString(&in, &field, value);
    if (reflection->FieldSize(in, &field) == 0) return reflection->AddString(&in, &field, value);
    reflection->SetRepeatedString(&in, &field, 0, value);
  };
}

FieldChange Add(Bytes value) {
  return [value = std::move(value)](Message& in, const FieldDescriptor& field) {
    in.GetReflection()->AddString(&in, &field, value);
  };
}

FieldChange Number(int64_t value) {
  return [value](Message& in, const FieldDescriptor& field) {
    const auto* r = in.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT32:
        return r->SetUInt32(&in, &field, static_cast<uint32_t>(value));
      case FieldDescriptor::CPPTYPE_UINT64:
        return r->SetUInt64(&in, &field, static_cast<uint64_t>(value));
      case FieldDescriptor::CPPTYPE_INT32:
        return r->SetInt32(&in, &field, static_cast<int32_t>(value));
      case FieldDescriptor::CPPTYPE_INT64:
        return r->SetInt64(&in, &field, value);
      case FieldDescriptor::CPPTYPE_BOOL:
        return r->SetBool(&in, &field, value != 0);
      case FieldDescriptor::CPPTYPE_ENUM:
        if (field.is_repeated()) return r->AddEnumValue(&in, &field, static_cast<int>(value));
        return r->SetEnumValue(&in, &field, static_cast<int>(value));
      default:
        SCHAKEL_CHECK(false, "a field of numbers");
    }
  };
}

FieldChange Times(int count) {
  return [count](Message& in, const FieldDescriptor& field) {
    const auto* reflection = in.GetReflection();
    while (reflection->FieldSize(in, &field) < count) {
      const bool first = reflection->FieldSize(in, &field) == 0;
      if (field.message_type() != nullptr) {
        Message* added = reflection->AddMessage(&in, &field);
        if (!first) added->CopyFrom(reflection->GetRepeatedMessage(in, &field, 0));
      } else {
        reflection->AddString(&in, &field,
                              first ? std::string() : reflection->GetRepeatedString(in, &field, 0));
      }
    }
  };
}

FieldChange Unknown() {
  return [](Message& in, const FieldDescriptor& field) {
    const auto add = [](Message* message) {
      message->GetReflection()->MutableUnknownFields(message)->AddVarint(1999, 7);
    };
    if (field.message_type() != nullptr) return add(Entry(in, field));
    const Descriptor* carried = CarriedBy(field);
    SCHAKEL_CHECK(carried != nullptr, "a field that holds a message");
    auto message = New(carried);
    SCHAKEL_CHECK(message->ParseFromString(in.GetReflection()->GetString(in, &field)),
                  "the valid request's bytes parse");
    add(message.get());
    in.GetReflection()->SetString(&in, &field, message->SerializeAsString());
  };
}

}  // namespace schakel::e2e
