// The built program, run as an organisation of a region.
#pragma once

#include <string>
#include <vector>

#include "tests/e2e/region.h"
#include "tests/support/child_process.h"

namespace schakel::e2e {

class CommandLine {
 public:
  // Writes a contexts.yaml with a context for every participant, by its name.
  explicit CommandLine(Region& region);

  // schakel --context `who` and these arguments, to its end, in folder().
  testing::RunResult Run(const std::string& who, std::vector<std::string> args) const;
  // The same, left running.
  std::unique_ptr<testing::ChildProcess> Start(const std::string& who,
                                               std::vector<std::string> args) const;
  // Adds a context, or replaces one.
  void Add(const config::v1::Context& context);

  // A file there; returns its name.
  std::string File(const std::string& name, const std::string& text) const;
  std::filesystem::path folder() const { return folder_; }

 private:
  testing::ChildOptions OptionsOf(const std::string& who, std::vector<std::string> args) const;

  std::filesystem::path folder_;
  config::v1::ContextsFile contexts_;
};

}  // namespace schakel::e2e
