// A newcomer joins; partners send, receive, record consents, and keep a loopback.
#include "tests/e2e/help/plays.h"

namespace schakel::e2e {
namespace {

constexpr int kInterrupted = 130;
const char* const kNew = "team";  // the newcomer
const char* const kSender = "corporation";
const char* const kReader = "debt-relief";

std::vector<Play> Joining() {
  const auto admit = [](World& world) { world.Admit(kNew); };
  const auto hand_over = [](World& world) { world.HandOver(kNew, "team.request", "registrar"); };
  return {
      {"context add", {{.who = kNew, .err = "Context team written; it is the one in use."}}},
      {"context use", {{.who = kNew, .err = "In use: team"}}},
      {"context list", {{.who = kNew, .out = "team"}}},
      {"context show", {{.who = kNew, .out = "wijkteam"}, {.who = kNew, .out = "wijkteam"}}},
      {"completion contexts", {{.who = kNew, .out = "team"}}},
      {"keys generate",
       {{.who = kNew, .out = "not registered"},
        {.who = kNew, .err = "Registered key set", .before = admit}}},
      {"keys show", {{.who = kNew, .out = "in use"}}},
      {"keys statement",
       {{.who = kNew, .out = "waits for its signature"},
        {.who = kNew, .err = "Written: key-set.bin"}}},
      {"keys attach",
       {{.who = kNew, .out = "not registered"}, {.who = kNew, .err = "Registered key set"}}},
      {"org register-keys", {{.who = kNew, .err = "The broker has key set"}}},
      {"org request",
       {{.who = kNew, .err = "Written: team.request"},
        {.who = kNew, .err = "Written: elsewhere.request"},
        {.who = kNew, .err = "Written: elsewhere.request"}}},
      {"org admit",
       {{.who = "registrar",
         .out = "Sociaal wijkteam",
         .before = hand_over,
         .manner = Manner::kTerminal,
         .types = "yes\n"},
        {.who = "registrar", .out = "\"version\"", .err = "Sociaal wijkteam"},
        {.who = "registrar", .out = "Schuldhulp Dordrecht"},
        {.who = "registrar", .out = "Toezicht"}}},
      {"context check", {{.who = kNew, .out = "Admission"}, {.who = kNew, .out = "\"key-set\""}}},
  };
}

std::vector<Play> Sending() {
  const auto denied = [](World& world) { world.BeDenied(); };
  const auto arrive = [](World& world) { world.Arrive(); };
  return {
      {"signal send",
       {{.who = kNew, .out = "waiting"},
        {.who = kSender, .out = "Finances"},
        {.who = "police", .out = "Police and justice"}}},
      {"signal preflight", {{.who = kSender, .out = "waiting"}}},
      {"signal status", {{.who = kSender, .out = "Rent arrears"}}},
      {"signal list",
       {{.who = kSender, .out = "Rent arrears"},
        {.who = kSender, .out = "RECIPIENT_STATE_DENIED", .before = denied},
        {.who = kSender, .out = "RENT-2026-0042"}}},
      {"signal outcomes",
       {{.who = kSender, .out = "waiting"},
        {.who = kSender,
         .out = "RECIPIENT_STATE_DENIED",
         .code = kInterrupted,
         .manner = Manner::kFollow},
        {.who = kSender,
         .out = "RECIPIENT_STATE_QUEUED",
         .code = kInterrupted,
         .before = arrive,
         .manner = Manner::kFollow}}},
      {"signal resend",
       {{.who = kSender, .out = "RENT-2026-0042"}, {.who = kSender, .out = "waiting"}}},
  };
}

std::vector<Play> Receiving() {
  const auto arrive = [](World& world) { world.Arrive(); };
  const auto hold = [](World& world) { world.Hold(); };
  const auto take = [](World& world) {
    world.Hold();
    world.Play(kReader, "inbox ack");
  };
  const auto take_answer = [](World& world) {
    world.TestAndBeAnswered(kNew);
    world.Play(kNew, "inbox fetch");
    world.Play(kNew, "inbox ack");
  };
  return {
      {"inbox fetch",
       {{.who = kReader, .out = "months_in_arrears"},
        {.who = kReader, .out = "\"deliveryId\"", .before = arrive}}},
      {"inbox watch",
       {{.who = kReader,
         .err = "Acknowledged: ",
         .code = kInterrupted,
         .before = arrive,
         .manner = Manner::kFollow},
        {.who = kReader,
         .out = "\"deliveryId\"",
         .err = "Acknowledged: ",
         .code = kInterrupted,
         .before = arrive,
         .manner = Manner::kFollow},
        {.who = kReader, .err = "Acknowledged: ", .before = arrive}}},
      {"inbox ack", {{.who = kReader, .err = "Acknowledged: it is yours now.", .before = hold}}},
      {"inbox refuse", {{.who = kReader, .err = "Given back to its sender.", .before = hold}}},
      {"inbox extend", {{.who = kReader, .out = "Held until: ", .before = hold}}},
      {"inbox release", {{.who = kReader, .err = "it comes again", .before = hold}}},
      {"inbox report",
       {{.who = kNew, .err = "Reported: Test received", .before = take_answer},
        {.who = kReader, .err = "Reported: Help offered", .before = take},
        {.who = kReader, .out = "help-offered"}}},
      {"inbox attach", {{.who = kReader, .err = "Attached.", .before = hold}}},
      {"loopback run",
       {{.who = "loopback", .err = "Waiting for test signals", .manner = Manner::kFollow},
        {.who = "loopback",
         .err = "Answered: ",
         .before = [](World& world) { world.Play(kNew, "signal send"); }}}},
      {"",
       {{.who = kNew, .err = "Context team written"},
        {.who = kNew, .out = "Admission"},
        {.who = kNew, .out = "rent-arrears"},
        {.who = kNew, .out = "Examples:"},
        {.who = kNew, .err = "Acknowledged: ", .code = kInterrupted, .manner = Manner::kFollow},
        {.who = kNew, .out = "Test signal"}}},
  };
}

std::vector<Play> Persons() {
  const auto again = [](World& world) { world.Play("care", "consent record"); };
  return {
      {"consent record", {{.who = "care", .out = "recorded"}, {.who = "care", .out = "recorded"}}},
      {"consent list", {{.who = "care", .out = "consent"}, {.who = "care", .out = "consent"}}},
      {"consent check", {{.who = "care", .out = "onsent"}}},
      {"consent withdraw", {{.who = "care", .out = "Withdrawn: ", .before = again}}},
      {"pseudonym compute", {{.who = "care", .out = "1"}, {.who = "care", .out = "\"pairs\""}}},
      {"pseudonym budget", {{.who = "care", .out = "500000"}}},
  };
}

}  // namespace

std::vector<Play> PartnerPlays() {
  std::vector<Play> all;
  for (auto* const part : {&Joining, &Sending, &Receiving, &Persons}) {
    for (auto& play : part()) all.push_back(std::move(play));
  }
  return all;
}

}  // namespace schakel::e2e
