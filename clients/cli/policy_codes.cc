#include "clients/cli/policy_codes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;

template <typename Items, typename Code>
std::vector<std::string> CodesOfItems(const Items& items, Code code) {
  std::vector<std::string> codes;
  for (const auto& item : items) codes.push_back(code(item));
  return codes;
}

std::string Joined(const std::vector<std::string>& codes) {
  std::string text;
  for (const auto& code : codes) text += (text.empty() ? "" : ", ") + code;
  return text;
}

// The signal types whose recipients may report the outcome.
std::vector<std::string> TypesWith(const policy::CompiledBundle& bundle,
                                   const std::string& outcome) {
  std::vector<std::string> types;
  for (const auto& type : bundle.source().signal_types.signal_types()) {
    const auto outcomes = bundle.OutcomesOf(type.code());
    if (std::find(outcomes.begin(), outcomes.end(), outcome) != outcomes.end()) {
      types.push_back(type.code());
    }
  }
  return types;
}

}  // namespace

Result<ExitCode> ShowCodes(Invocation& invocation, const policy::CompiledBundle& bundle) {
  const auto& source = bundle.source();
  const bool dutch = invocation.language() == Language::kDutch;
  Table table({invocation.Text(Msg::kColKind), invocation.Text(Msg::kColCode),
               invocation.Text(Msg::kColName), invocation.Text(Msg::kColGoesWith)});
  Json whole = Json::array();
  std::vector<std::string> lines;
  const auto add = [&](Msg kind, const std::string& goes_with, Json item) {
    table.Add({invocation.Text(kind), item["code"].get<std::string>(),
               item["name"].get<std::string>(), goes_with});
    lines.push_back(item.dump());
    whole.push_back(std::move(item));
  };
  const auto category = [](const auto& each) { return each.category(); };
  for (const auto& type : source.signal_types.signal_types()) {
    const auto purposes = CodesOfItems(type.purposes(), [](const auto& each) { return each; });
    const auto sections = CodesOfItems(type.categories(), category);
    add(Msg::kCodeType, invocation.Text(Msg::kCodeTypeWith, {Joined(purposes), Joined(sections)}),
        {{"kind", "signal-type"},
         {"code", type.code()},
         {"name", dutch ? type.nl() : type.en()},
         {"purposes", purposes},
         {"categories", sections},
         {"outcomes", bundle.OutcomesOf(type.code())}});
  }
  for (const auto& outcome : source.manifest.outcomes()) {
    const auto types = TypesWith(bundle, outcome.code());
    const bool all = types.size() == static_cast<size_t>(source.signal_types.signal_types_size());
    add(Msg::kCodeOutcome, all ? invocation.Text(Msg::kCodeOutcomeAll) : Joined(types),
        {{"kind", "outcome"},
         {"code", outcome.code()},
         {"name", dutch ? outcome.nl() : outcome.en()},
         {"signalTypes", types}});
  }
  for (const auto& ground : source.grounds.grounds()) {
    const auto sections = CodesOfItems(ground.categories(), category);
    add(Msg::kCodeGround,
        invocation.Text(Msg::kCodeGroundWith, {Joined(sections), ground.article()}),
        {{"kind", "ground"},
         {"code", ground.code()},
         {"name", dutch ? ground.nl() : ground.en()},
         {"article", ground.article()},
         {"categories", sections}});
  }
  for (const auto& holder : source.functions.functions()) {
    const std::string& code = holder.function_at_area();
    const std::string name = bundle.NameOf(
        policy::CodeKind::kFunction, code.substr(0, code.find('@')), CodeOf(invocation.language()));
    add(Msg::kCodeFunction, invocation.names().Organisation(holder.oin()),
        {{"kind", "function"}, {"code", code}, {"name", name}, {"oin", holder.oin()}});
  }
  invocation.ShowJson(whole.dump(2), lines, table);
  return ExitCode::kOk;
}

Result<ExitCode> ShowSchema(Invocation& invocation, const policy::CompiledBundle& bundle,
                            const std::string& section) {
  const size_t colon = std::min(section.find(':'), section.size());
  const std::string category = section.substr(std::min(colon + 1, section.size()));
  const std::string id(bundle.SchemaId(section.substr(0, colon), category));
  const auto schema = bundle.source().schemas.find(id);
  if (schema == bundle.source().schemas.end()) {
    return MakeError(ErrorCode::kNotFound, "UNKNOWN_CODE",
                     invocation.Text(Msg::kNoSchema, {section}), "--schema");
  }
  // It is JSON already, in every format.
  invocation.out() << schema->second;
  if (!schema->second.ends_with('\n')) invocation.out() << '\n';
  return ExitCode::kOk;
}

}  // namespace schakel::cli
