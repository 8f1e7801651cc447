// The region in which the help texts are played: a shell for everybody in it, and what has to
// happen around them so that an example finds what it speaks of.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/e2e/help/help_text.h"
#include "tests/e2e/help/shell_user.h"
#include "tests/e2e/region.h"

namespace schakel::e2e {

class World {
 public:
  // Everybody at home with their own context; `newcomer` with a certificate and what a region hands
  // out on paper, but no context and not admitted.
  World(Region& region, const std::string& newcomer);

  Region& region() { return region_; }
  // By the name of the participant.
  ShellUser& At(const std::string& who);
  // The examples that `schakel COMMAND --help` prints for this user.
  std::vector<std::string> Help(const std::string& who, const std::string& command);
  // An example as this user can type it: what can't be the same in each region (an id that was
  // shown before, an address) stands in it.
  std::string Typed(const std::string& who, std::string example);
  // Plays an example of a command's help, from 0.
  Shown Play(const std::string& who, const std::string& command, size_t example = 0,
             Manner manner = Manner::kRun, const std::string& shows = {},
             const std::string& types = {});

  // ---- What happens around an example. Each stops the test's process when it can't. ----
  void Admit(const std::string& who);
  // Rent arrears to debt relief.
  void Arrive();
  // One that the broker denies.
  void BeDenied();
  // Debt relief has fetched one, and seen it on its screen.
  void Hold();
  // `who` has sent the test of the help to the loopback, and was answered.
  void TestAndBeAnswered(const std::string& who);
  // A report of the police waited longer than its term. REQUIRES: steered. Nothing can be sent
  // afterwards: the broker's clock is days ahead.
  void Stall();
  void HandOver(const std::string& from, const std::string& file, const std::string& to);
  // `who` has the context of `other` too, whose inbox is empty.
  void StandInFor(const std::string& who, const std::string& other);

 private:
  Region& region_;
  std::map<std::string, std::unique_ptr<ShellUser>> users_;
  std::map<std::string, std::string> values_;  // of the region: as help prints it -> as it is here
};

}  // namespace schakel::e2e
