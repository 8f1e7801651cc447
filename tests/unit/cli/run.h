// Runs the command line in the test's process.
#pragma once

#include <clocale>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "clients/cli/program.h"
#include "tests/unit/crypto/dev_pki.h"

namespace schakel::cli {

struct Ran {
  ExitCode code = ExitCode::kOk;
  std::string out;
  std::string err;
};

// A user with an own home folder.
class User {
 public:
  User() {
    // As the program's main does: tables measure letters, not bytes.
    std::setlocale(LC_CTYPE, "C.UTF-8");
    variables["XDG_CONFIG_HOME"] = (home.path() / "config").string();
    variables["XDG_STATE_HOME"] = (home.path() / "state").string();
    variables["LANG"] = "en_GB.UTF-8";
  }

  Ran Run(std::vector<std::string> args) {
    std::ostringstream out;
    std::ostringstream err;
    Io io{out, err, [this](const char* name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            if (found == variables.end()) return std::nullopt;
            return found->second;
          }};
    io.in = standard_input;
    const ExitCode code = RunCli(std::move(args), io);
    return {code, out.str(), err.str()};
  }
  // A file in the home folder, as "@path".
  std::string File(const std::string& name, const std::string& text) {
    crypto::WriteText(home.path() / name, text);
    return "@" + (home.path() / name).string();
  }

  crypto::TempFolder home;
  std::map<std::string, std::string> variables;
  int standard_input = 0;
};

}  // namespace schakel::cli
