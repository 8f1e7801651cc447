// How each example of the help texts is played: by whom, after what, and what comes of it. Whoever
// adds a command or an example adds it here: the test tells which is missing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/e2e/help/world.h"

namespace schakel::e2e {

// One example.
struct Turn {
  std::string who;  // a participant of the region
  // What it prints, on standard output (or into the file that the line sends it to) and on standard
  // error: one of them says what the example is for, unless it is there to say nothing. With
  // kFollow it is waited for.
  std::string out = {};
  std::string err = {};
  bool silent = false;
  int code = 0;  // what a newcomer should get
  std::function<void(World&)> before = {};
  Manner manner = Manner::kRun;
  std::string types = {};  // kTerminal
};

// The examples of a command, in their order.
struct Play {
  std::string command;  // "signal send"; empty for the program's own
  std::vector<Turn> turns;
};

// In an order in which each finds what it needs. The director's come last: time passes before them.
std::vector<Play> PartnerPlays();
std::vector<Play> RegionPlays();

}  // namespace schakel::e2e
