// schakel pseudonym: from BSNs to references, with the custodians' help.
#include <memory>
#include <nlohmann/json.hpp>

#include "clients/cli/parse.h"
#include "clients/cli/subjects.h"
#include "clients/cli/verb.h"

namespace schakel::cli {
namespace {

Result<ExitCode> Compute(Invocation& invocation, const std::vector<std::string>& specs) {
  SCHAKEL_ASSIGN(const auto subjects, LinkedSubjects(invocation, specs));
  Table table({invocation.Text(Msg::kColNumber), invocation.Text(Msg::kColEpoch),
               invocation.Text(Msg::kColPseudonym)});
  std::vector<std::string> lines;
  std::string whole;
  for (size_t i = 0; i < subjects.size(); ++i) {
    for (const auto& pair : subjects[i].pairs()) {
      table.Add({std::to_string(i + 1), std::to_string(pair.epoch()), HexEncode(pair.value())});
    }
    lines.push_back(ToJson(subjects[i], false));
    whole += (whole.empty() ? "" : ",") + lines.back();
  }
  invocation.ShowJson("[" + whole + "]", lines, table);
  return ExitCode::kOk;
}

Result<ExitCode> Budget(Invocation& invocation) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->pseudonyms());
  Table table({invocation.Text(Msg::kColCustodian), invocation.Text(Msg::kColToday),
               invocation.Text(Msg::kColMonth), invocation.Text(Msg::kColResets)});
  auto whole = nlohmann::ordered_json::array();
  std::vector<std::string> lines;
  std::optional<Error> failed;
  const auto of = [](uint32_t left, uint32_t limit) {
    return std::to_string(left) + " / " + std::to_string(limit);
  };
  for (const auto& each : client->Budgets()) {
    const std::string name = invocation.names().Organisation(each.oin.str());
    nlohmann::ordered_json item = {{"custodian", each.oin.str()}};
    if (each.budget.ok()) {
      const auto& budget = *each.budget;
      item["budget"] = nlohmann::ordered_json::parse(ToJson(budget, false));
      table.Add({name,
                 {of(budget.day_remaining(), budget.day_limit()),
                  budget.day_remaining() == 0 ? Colour::kBad : Colour::kNone},
                 of(budget.month_remaining(), budget.month_limit()),
                 TimeText(budget.day_resets())});
    } else {
      failed = each.budget.error();
      item["error"] = failed->reason;
      table.Add({name, {failed->message, Colour::kBad}, "", ""});
    }
    lines.push_back(item.dump());
    whole.push_back(std::move(item));
  }
  invocation.ShowJson(whole.dump(2), lines, table);
  return failed ? ExitCodeOf(*failed) : ExitCode::kOk;
}

}  // namespace

void AddPseudonym(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "pseudonym", Msg::kNounPseudonym);

  Verb compute(noun, invocation, "compute", Msg::kVerbPseudonymCompute,
               "echo 999990019 > bsns.txt\n"
               "echo 999990020 >> bsns.txt\n"
               "schakel pseudonym compute --subject-bsn @bsns.txt\n"
               "schakel pseudonym compute --subject-bsn @- -o jsonl < bsns.txt");
  const auto specs = std::make_shared<std::vector<std::string>>();
  compute.Values("--subject-bsn", *specs, Msg::kOptSubjectBsn, "@FILE").Required();
  compute.Run([&invocation, specs] { return Compute(invocation, *specs); });

  Verb budget(noun, invocation, "budget", Msg::kVerbPseudonymBudget, "schakel pseudonym budget");
  budget.Run([&invocation] { return Budget(invocation); });
}

}  // namespace schakel::cli
