// schakel context check: everything that a context needs, one step after the other.
#include "clients/cli/context_check.h"

#include <nlohmann/json.hpp>

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* CodeOf(CheckState state) {
  switch (state) {
    case CheckState::kOk:
      return "ok";
    case CheckState::kWarning:
      return "warning";
    case CheckState::kFailed:
      return "failed";
    case CheckState::kNotTested:
      break;
  }
  return "not-tested";
}

Cell StateCell(Invocation& invocation, CheckState state) {
  switch (state) {
    case CheckState::kOk:
      return {invocation.Text(Msg::kCheckOk), Colour::kGood};
    case CheckState::kWarning:
      return {invocation.Text(Msg::kWarning), Colour::kBad};
    case CheckState::kFailed:
      return {invocation.Text(Msg::kFailed), Colour::kBad};
    case CheckState::kNotTested:
      break;
  }
  return {invocation.Text(Msg::kNotTested), Colour::kDim};
}

Json JsonOf(const Checkup& check, const Finding& finding) {
  return {{"step", finding.step},
          {"subject", finding.subject},
          {"state", CodeOf(finding.state)},
          {"found", finding.found},
          {"todo", finding.todo},
          {"reason", finding.reason},
          {"name", check.Text(finding.name)}};
}

Result<ExitCode> Check(Invocation& invocation, const std::string& name) {
  if (!name.empty()) invocation.options().flags.set_name(name);
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  Checkup check(invocation, *session);
  CheckFiles(check);
  CheckBroker(check);
  CheckPolicy(check);
  CheckCustodians(check);
  CheckClock(check);
  CheckLogKey(check);

  Table table({invocation.Text(Msg::kColStep), invocation.Text(Msg::kColState),
               invocation.Text(Msg::kColFound), invocation.Text(Msg::kColTodo)});
  Json whole = Json::array();
  std::vector<std::string> lines;
  ExitCode exit = ExitCode::kOk;
  size_t failed = 0;
  size_t warnings = 0;
  for (const auto& finding : check.findings) {
    const std::string step =
        check.Text(finding.name) + (finding.subject.empty() ? "" : " " + finding.subject);
    table.Add({step, StateCell(invocation, finding.state), finding.found, finding.todo});
    lines.push_back(JsonOf(check, finding).dump(-1, ' ', false, Json::error_handler_t::replace));
    whole.push_back(JsonOf(check, finding));
    if (finding.state == CheckState::kFailed) {
      // The first one: later ones may follow from it.
      if (failed == 0) exit = finding.exit;
      ++failed;
    }
    if (finding.state == CheckState::kWarning) ++warnings;
  }
  invocation.ShowJson(whole.dump(2, ' ', false, Json::error_handler_t::replace), lines, table);
  invocation.Note(Msg::kCheckedContext, {std::to_string(check.findings.size()),
                                         std::to_string(failed), std::to_string(warnings)});
  return exit;
}

}  // namespace

void Checkup::Ok(const char* step, Msg name, std::string found, std::string subject) {
  findings.push_back(
      {step, name, std::move(subject), CheckState::kOk, std::move(found), "", "", ExitCode::kOk});
}

void Checkup::Warn(const char* step, Msg name, std::string found, std::string todo,
                   std::string subject) {
  findings.push_back({step, name, std::move(subject), CheckState::kWarning, std::move(found),
                      std::move(todo), "", ExitCode::kOk});
}

void Checkup::Fail(const char* step, Msg name, const Error& error, std::string todo, ExitCode exit,
                   std::string subject) {
  findings.push_back({step, name, std::move(subject), CheckState::kFailed, error.message,
                      std::move(todo), error.reason, exit});
}

void Checkup::NotTested(const char* step, Msg name, Msg before) {
  findings.push_back({step, name, "", CheckState::kNotTested,
                      Text(Msg::kCheckFirst, {Text(before)}), "", "", ExitCode::kOk});
}

int64_t DaysUntil(Millis moment, Millis now) {
  return std::chrono::duration_cast<std::chrono::hours>(moment - now).count() / 24;
}

void AddContextCheck(CLI::App* noun, Invocation& invocation) {
  Verb check(noun, invocation, "check", Msg::kVerbContextCheck,
             "schakel context check\nschakel context check team -o json");
  const auto name = std::make_shared<std::string>();
  check.Value("NAME", *name, Msg::kArgContextOwn, "NAME");
  check.Run([&invocation, name] { return Check(invocation, *name); });
}

}  // namespace schakel::cli
