#include "clients/cli/main_tasks.h"

#include <algorithm>

namespace schakel::cli {

const std::vector<MainTask>& MainTasks() {
  static const std::vector<MainTask> all = {
      {Msg::kTaskAsk, {"context add", "keys generate", "org request"}},
      {Msg::kTaskRegistrar,
       {"org admit", "org list", "policy check", "policy pack", "policy activate", "org disable"}},
      {Msg::kTaskJoin, {"org register-keys", "context check"}},
      {Msg::kTaskSend, {"policy show", "signal send", "signal outcomes"}},
      {Msg::kTaskReceive, {"inbox fetch", "inbox ack", "inbox report"}},
      {Msg::kTaskConsent, {"consent record", "consent list", "consent withdraw"}},
      {Msg::kTaskDirector, {"flow show", "flow stalled", "flow remind"}},
      {Msg::kTaskAuditor,
       {"audit query", "audit subject", "audit prove", "audit export", "audit verify"}},
  };
  return all;
}

std::vector<MainTask> MainTasksOf(const std::string& noun) {
  std::vector<MainTask> tasks;
  for (const auto& task : MainTasks()) {
    const bool has_part = std::any_of(task.steps.begin(), task.steps.end(), [&](const auto& step) {
      return noun.empty() || step.starts_with(noun + " ");
    });
    if (has_part) tasks.push_back(task);
  }
  return tasks;
}

}  // namespace schakel::cli
