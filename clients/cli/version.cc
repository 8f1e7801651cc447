// schakel version.
#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include "clients/cli/verb.h"

namespace schakel::cli {

void AddVersion(CLI::App& program, Invocation& invocation) {
  auto* const version = program.add_subcommand("version", invocation.Text(Msg::kNounVersion));
  version->group(invocation.Text(Msg::kVerbsLabel));
  version->get_help_ptr()->group(invocation.Text(Msg::kOptionsLabel));
  version->footer("schakel version\nschakel version -o json");
  version->callback([&invocation] {
    invocation.action = [&invocation]() -> Result<ExitCode> {
      invocation.Line(std::string("schakel ") + SCHAKEL_VERSION);
      if (invocation.format() != Format::kTable) {
        const nlohmann::ordered_json json = {{"version", SCHAKEL_VERSION},
                                             {"protocol", "schakel.v1"}};
        invocation.ShowJson(json.dump(2), {json.dump()}, Table({}));
      }
      return ExitCode::kOk;
    };
  });
}

}  // namespace schakel::cli
