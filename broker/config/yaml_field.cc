#include "broker/config/yaml_field.h"

#include <google/protobuf/duration.pb.h>

#include <limits>

#include "broker/base/bytes.h"
#include "broker/config/yaml_scalar.h"

namespace schakel::config {
namespace {

using google::protobuf::Duration;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr uint32_t kTextBytesMax = 1000;

// A value as it stands in the file.
struct Value {
  const std::string& text;
  bool quoted;
};

std::string EnumTexts(const EnumDescriptor* type) {
  std::string out;
  for (int i = 0; i < type->value_count(); ++i) {
    if (type->value(i)->number() == 0) continue;  // zero means: not said
    if (!out.empty()) out += ", ";
    out += EnumText(type->name(), type->value(i)->name());
  }
  return out;
}

std::string DurationText(int64_t ms) {
  if (ms % 86'400'000 == 0) return std::to_string(ms / 86'400'000) + "d";
  if (ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
  if (ms % 60'000 == 0) return std::to_string(ms / 60'000) + "min";
  if (ms % 1000 == 0) return std::to_string(ms / 1000) + "s";
  return std::to_string(ms) + "ms";
}

std::optional<std::string> ReadString(const Value& in, const FieldDescriptor* field, Message* out) {
  const schakel::v1::YamlField& demands = Demands(field);
  std::string text = in.text;
  if (field->type() == FieldDescriptor::TYPE_BYTES) {
    const auto raw = HexDecode(text);
    if (!raw) return "expected hexadecimal digits";
    text = *raw;
  } else {
    const uint32_t max = demands.max_bytes() != 0 ? demands.max_bytes() : kTextBytesMax;
    if (text.size() > max) return "expected at most " + std::to_string(max) + " bytes";
    if (text.empty()) return "expected text; leave the key out instead";
    if (auto problem = FormProblem(demands.form(), text)) return problem;
  }
  const Reflection* reflection = out->GetReflection();
  if (field->is_repeated()) {
    reflection->AddString(out, field, text);
  } else {
    reflection->SetString(out, field, text);
  }
  return std::nullopt;
}

std::optional<std::string> ReadBool(const Value& in, const FieldDescriptor* field, Message* out) {
  const bool value = in.text == "true";
  // yes, on and the like are text in one version of YAML and true in another.
  if (in.quoted || (!value && in.text != "false")) return "expected true or false";
  const Reflection* reflection = out->GetReflection();
  if (field->is_repeated()) {
    reflection->AddBool(out, field, value);
  } else {
    reflection->SetBool(out, field, value);
  }
  return std::nullopt;
}

std::optional<std::string> ReadEnum(const Value& in, const FieldDescriptor* field, Message* out) {
  const EnumDescriptor* type = field->enum_type();
  for (int i = 0; i < type->value_count(); ++i) {
    const EnumValueDescriptor* value = type->value(i);
    if (value->number() == 0 || EnumText(type->name(), value->name()) != in.text) continue;
    const Reflection* reflection = out->GetReflection();
    if (field->is_repeated()) {
      reflection->AddEnum(out, field, value);
    } else {
      reflection->SetEnum(out, field, value);
    }
    return std::nullopt;
  }
  return "expected one of " + EnumTexts(type);
}

std::optional<std::string> ReadSigned(const Value& in, const FieldDescriptor* field, Message* out,
                                      int64_t type_min, int64_t type_max) {
  const schakel::v1::YamlField& demands = Demands(field);
  // On a repeated field, min and max count items.
  const bool ranged = !field->is_repeated();
  const int64_t min = ranged && demands.has_min() ? demands.min() : type_min;
  const int64_t max = ranged && demands.has_max() ? demands.max() : type_max;
  const auto value = in.quoted ? std::nullopt : ParseInteger(in.text);
  if (!value || *value < min || *value > max) {
    return "expected a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  }
  const Reflection* reflection = out->GetReflection();
  const bool wide = field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
  const auto narrow = static_cast<int32_t>(*value);
  if (field->is_repeated()) {
    wide ? reflection->AddInt64(out, field, *value) : reflection->AddInt32(out, field, narrow);
  } else {
    wide ? reflection->SetInt64(out, field, *value) : reflection->SetInt32(out, field, narrow);
  }
  return std::nullopt;
}

std::optional<std::string> ReadUnsigned(const Value& in, const FieldDescriptor* field, Message* out,
                                        uint64_t type_max) {
  const schakel::v1::YamlField& demands = Demands(field);
  const bool ranged = !field->is_repeated();
  const uint64_t min = ranged && demands.min() > 0 ? static_cast<uint64_t>(demands.min()) : 0;
  const uint64_t max =
      ranged && demands.has_max() ? static_cast<uint64_t>(demands.max()) : type_max;
  const bool is_size = field->name().find("bytes") != std::string::npos;
  auto value = is_size ? ParseByteSize(in.text) : ParseUnsigned(in.text);
  if (in.quoted) value = std::nullopt;
  if (!value || *value < min || *value > max) {
    return "expected " +
           std::string(is_size ? "a size such as 64KiB, 256MiB or 1GiB" : "a whole number") +
           " from " + std::to_string(min) + " to " + std::to_string(max);
  }
  const Reflection* reflection = out->GetReflection();
  const bool wide = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  const auto narrow = static_cast<uint32_t>(*value);
  if (field->is_repeated()) {
    wide ? reflection->AddUInt64(out, field, *value) : reflection->AddUInt32(out, field, narrow);
  } else {
    wide ? reflection->SetUInt64(out, field, *value) : reflection->SetUInt32(out, field, narrow);
  }
  return std::nullopt;
}

std::optional<std::string> ReadDuration(const Value& in, const FieldDescriptor* field,
                                        Message* out) {
  const schakel::v1::YamlField& demands = Demands(field);
  const bool ranged = !field->is_repeated();
  const auto ms = ParseDurationMs(in.text);
  if (!ms) return "expected a duration such as 500ms, 10s, 5min, 12h or 30d";
  if (ranged && demands.has_min() && *ms < demands.min()) {
    return "expected at least " + DurationText(demands.min());
  }
  if (ranged && demands.has_max() && *ms > demands.max()) {
    return "expected at most " + DurationText(demands.max());
  }
  const Reflection* reflection = out->GetReflection();
  Message* value = field->is_repeated() ? reflection->AddMessage(out, field)
                                        : reflection->MutableMessage(out, field);
  auto* duration = static_cast<Duration*>(value);
  duration->set_seconds(*ms / 1000);
  duration->set_nanos(static_cast<int32_t>(*ms % 1000) * 1'000'000);
  return std::nullopt;
}

}  // namespace

const schakel::v1::YamlField& Demands(const FieldDescriptor* field) {
  return field->options().GetExtension(schakel::v1::yaml);
}

bool IsDuration(const FieldDescriptor* field) {
  return field->message_type() != nullptr && field->message_type() == Duration::descriptor();
}

std::optional<std::string> SetField(const std::string& text, bool quoted,
                                    const FieldDescriptor* field, Message* out) {
  const Value in{text, quoted};
  if (IsDuration(field)) return ReadDuration(in, field, out);
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return ReadString(in, field, out);
    case FieldDescriptor::CPPTYPE_BOOL:
      return ReadBool(in, field, out);
    case FieldDescriptor::CPPTYPE_ENUM:
      return ReadEnum(in, field, out);
    case FieldDescriptor::CPPTYPE_INT32:
      return ReadSigned(in, field, out, std::numeric_limits<int32_t>::min(),
                        std::numeric_limits<int32_t>::max());
    case FieldDescriptor::CPPTYPE_INT64:
      return ReadSigned(in, field, out, std::numeric_limits<int64_t>::min(),
                        std::numeric_limits<int64_t>::max());
    case FieldDescriptor::CPPTYPE_UINT32:
      return ReadUnsigned(in, field, out, std::numeric_limits<uint32_t>::max());
    case FieldDescriptor::CPPTYPE_UINT64:
      return ReadUnsigned(in, field, out, std::numeric_limits<uint64_t>::max());
    default:
      return "expected no value: files do not set this key";
  }
}

}  // namespace schakel::config
