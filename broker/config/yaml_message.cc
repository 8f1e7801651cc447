#include "broker/config/yaml_message.h"

#include <google/protobuf/descriptor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <sstream>

#include "broker/config/yaml_field.h"

namespace schakel::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kValuesMax = 1'000'000;
constexpr int kDepthMax = 32;
constexpr size_t kProblemsMax = 100;

// Some text of the file, shortened for a message.
std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 40;
  std::string out = "'";
  for (char c : text.substr(0, kShown)) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out + (text.size() > kShown ? "...'" : "'");
}

// What stands there, for "found ...".
std::string Kind(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a map";
    case YAML::NodeType::Scalar:
      return Quoted(node.Scalar());
    default:
      return "nothing";
  }
}

// Keys of a message that a file may hold, for "expected one of".
std::string Keys(const Descriptor* type) {
  std::string out;
  for (int i = 0; i < type->field_count(); ++i) {
    if (Demands(type->field(i)).line()) continue;
    if (!out.empty()) out += ", ";
    out += type->field(i)->name();
  }
  return out;
}

class Reader {
 public:
  Reader(std::string_view file, std::vector<Error>* problems) : file_(file), problems_(problems) {}

  void ReadMessage(const YAML::Node& node, Message* out, int depth) {
    if (!Enter(node, depth)) return;
    SetLine(node, out);
    if (!node.IsMap()) {
      Report(node, "expected a map with the keys " + Keys(out->GetDescriptor()) + "; found " +
                       Kind(node));
      return;
    }
    std::set<const FieldDescriptor*> seen;
    ReadKeys(node, out, depth, &seen);
    ReportMissing(node, out->GetDescriptor(), seen);
  }

  bool ok() const { return ok_; }

  void ReportAt(int line, std::string message) {
    ok_ = false;
    if (stopped_) return;
    if (++reported_ == kProblemsMax) {
      message = "too many mistakes; the rest of the file was not read";
      stopped_ = true;
    }
    problems_->push_back(
        InvalidArgument("CONFIG_INVALID", file_ + ":" + std::to_string(line), std::move(message)));
  }

 private:
  void Report(const YAML::Node& node, std::string message) {
    ReportAt(node.Mark().line + 1, std::move(message));
  }

  // Counts values and levels. False when the file is too large to go on; then nothing more is read.
  bool Enter(const YAML::Node& node, int depth) {
    if (stopped_) return false;
    if (++values_ > kValuesMax) {
      Report(node, "expected at most 1,000,000 values in a file");
    } else if (depth > kDepthMax) {
      Report(node, "expected at most 32 levels");
    } else {
      return true;
    }
    stopped_ = true;
    return false;
  }

  static void SetLine(const YAML::Node& node, Message* out) {
    const Descriptor* type = out->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      if (Demands(type->field(i)).line()) {
        out->GetReflection()->SetUInt32(out, type->field(i),
                                        static_cast<uint32_t>(node.Mark().line + 1));
      }
    }
  }

  void ReadKeys(const YAML::Node& node, Message* out, int depth,
                std::set<const FieldDescriptor*>* seen) {
    const Descriptor* type = out->GetDescriptor();
    for (const auto& entry : node) {
      if (stopped_) return;
      if (!entry.first.IsScalar()) {
        Report(entry.first, "expected a key; found " + Kind(entry.first));
        continue;
      }
      const std::string& key = entry.first.Scalar();
      const FieldDescriptor* field = type->FindFieldByName(key);
      if (field == nullptr || Demands(field).line()) {
        Report(entry.first, "unknown key " + Quoted(key) + "; expected one of " + Keys(type));
        continue;
      }
      if (!seen->insert(field).second) {
        Report(entry.first, "key " + Quoted(key) + " stands here twice");
        continue;
      }
      ReadField(entry.first, entry.second, field, out, depth);
    }
  }

  void ReportMissing(const YAML::Node& node, const Descriptor* type,
                     const std::set<const FieldDescriptor*>& seen) {
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (Demands(field).required() && !seen.contains(field)) {
        Report(node, "missing key '" + field->name() + "'");
      }
    }
  }

  void ReadField(const YAML::Node& key, const YAML::Node& node, const FieldDescriptor* field,
                 Message* out, int depth) {
    if (node.IsNull()) {
      // Nothing has no place of its own.
      Report(key, "key '" + field->name() + "' has no value; leave it out instead");
      return;
    }
    if (field->is_repeated()) {
      ReadRepeated(node, field, out, depth);
    } else {
      ReadValue(node, field, out, depth);
    }
  }

  void ReadRepeated(const YAML::Node& node, const FieldDescriptor* field, Message* out, int depth) {
    if (!Enter(node, depth)) return;
    if (node.IsSequence()) {
      for (const auto& item : node) {
        if (stopped_) return;
        ReadValue(item, field, out, depth + 1);
      }
    } else if (node.IsMap() && field->message_type() != nullptr && !IsDuration(field)) {
      ReadKeyedItems(node, field, out, depth);
    } else {
      Report(node, "key '" + field->name() + "': expected a list; found " + Kind(node));
      return;
    }
    const schakel::v1::YamlField& demands = Demands(field);
    const auto count = static_cast<int64_t>(node.size());
    const int64_t min = demands.has_min() ? demands.min() : (demands.required() ? 1 : 0);
    if (count < min || (demands.has_max() && count > demands.max())) {
      Report(node, "key '" + field->name() + "': expected " + Bounds(demands, min) +
                       " items; found " + std::to_string(count));
    }
  }

  static std::string Bounds(const schakel::v1::YamlField& demands, int64_t min) {
    std::string out = "at least " + std::to_string(min);
    if (demands.has_max()) out += " and at most " + std::to_string(demands.max());
    return out;
  }

  // The map form of a list of messages.
  void ReadKeyedItems(const YAML::Node& node, const FieldDescriptor* field, Message* out,
                      int depth) {
    const Descriptor* type = field->message_type();
    std::set<std::string> keys;
    for (const auto& entry : node) {
      if (stopped_) return;
      Message* item = out->GetReflection()->AddMessage(out, field);
      SetLine(entry.first, item);
      if (!Enter(entry.first, depth + 1)) return;
      if (!entry.first.IsScalar() || type->field_count() < 2) {
        Report(entry.first, "expected a key; found " + Kind(entry.first));
        continue;
      }
      if (!keys.insert(entry.first.Scalar()).second) {
        Report(entry.first, "key " + Quoted(entry.first.Scalar()) + " stands here twice");
      }
      std::set<const FieldDescriptor*> seen = {type->field(0)};
      ReadValue(entry.first, type->field(0), item, depth + 1);
      if (entry.second.IsMap()) {
        ReadKeys(entry.second, item, depth + 1, &seen);
      } else {
        seen.insert(type->field(1));
        ReadField(entry.first, entry.second, type->field(1), item, depth + 1);
      }
      ReportMissing(entry.first, type, seen);
    }
  }

  // One value of a singular field, or one item of a repeated one.
  void ReadValue(const YAML::Node& node, const FieldDescriptor* field, Message* out, int depth) {
    if (field->message_type() != nullptr && !IsDuration(field)) {
      const Reflection* reflection = out->GetReflection();
      ReadMessage(node,
                  field->is_repeated() ? reflection->AddMessage(out, field)
                                       : reflection->MutableMessage(out, field),
                  depth + 1);
      return;
    }
    if (!Enter(node, depth)) return;
    if (!node.IsScalar()) {
      Report(node, "key '" + field->name() + "': expected one value; found " + Kind(node));
      return;
    }
    if (const auto problem = SetField(node.Scalar(), node.Tag() == "!", field, out)) {
      Report(node, "key '" + field->name() + "': " + *problem + "; found " + Kind(node));
    }
  }

  std::string file_;
  std::vector<Error>* problems_;
  size_t values_ = 0;
  size_t reported_ = 0;
  bool ok_ = true;
  bool stopped_ = false;
};

// Looks through a file before it is built: how many documents, and where the first alias is.
class Outline : public YAML::EventHandler {
 public:
  // REQUIRES: called within a try block. Looks at two documents at most: on some malformed starts
  // the parser finds documents without end.
  explicit Outline(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    while (documents < 2 && parser.HandleNextDocument(*this)) ++documents;
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    if (alias_line == 0) alias_line = mark.line + 1;
  }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  int documents = 0;
  int alias_line = 0;  // 0: none
};

}  // namespace

bool ReadYaml(std::string_view file, std::string_view text, Message* out,
              std::vector<Error>* problems) {
  out->Clear();
  Reader reader(file, problems);
  try {
    const std::string copy(text);
    const Outline outline(copy);
    if (outline.documents != 1) {
      reader.ReportAt(1, "expected one YAML document");
    } else if (outline.alias_line != 0) {
      // A few aliases of each other can stand for more values than anybody can visit.
      reader.ReportAt(outline.alias_line, "expected no alias: write the value out");
    } else {
      reader.ReadMessage(YAML::Load(copy), out, 1);
    }
  } catch (const YAML::Exception& e) {
    reader.ReportAt(e.mark.line + 1, "expected YAML: " + e.msg);
  }
  return reader.ok();
}

Status ReadYaml(std::string_view file, std::string_view text, Message* out) {
  std::vector<Error> problems;
  if (ReadYaml(file, text, out, &problems)) return {};
  return JoinProblems(problems);
}

Error JoinProblems(const std::vector<Error>& problems) {
  SCHAKEL_CHECK(!problems.empty(), "JoinProblems without a problem");
  Error first = problems.front();
  if (problems.size() > 1) {
    first.message += " (and " + std::to_string(problems.size() - 1) + " more)";
  }
  return first;
}

}  // namespace schakel::config
