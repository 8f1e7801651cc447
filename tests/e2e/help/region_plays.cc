// The registrar, the auditor, who measures, the chain director; and what needs nobody.
#include "tests/e2e/help/plays.h"

namespace schakel::e2e {
namespace {

std::vector<Play> Registrar() {
  const char* const who = "registrar";
  return {
      {"org list", {{.who = who, .out = "00000099000000001000"}}},
      {"org show",
       {{.who = "team", .out = "Sociaal wijkteam"},
        {.who = "team", .out = "\"00000099000000002000\""}}},
      {"policy check", {{.who = who, .err = "No errors"}}},
      {"policy test",
       {{.who = who, .err = " 0 failed."}, {.who = who, .out = "passed", .err = " 0 failed."}}},
      {"policy explain",
       {{.who = who, .out = "arrears-to-debt-relief"},
        {.who = who, .out = "Denied: NO_RULE", .code = 1}}},
      {"policy matrix",
       {{.who = who, .out = "Rent arrears"},
        {.who = who, .out = "Domestic violence report"},
        {.who = who, .out = "Rent arrears"}}},
      {"policy pack", {{.who = who, .out = "bundle.bin"}}},
      {"policy activate",
       {{.who = who, .err = "It was active already: "},
        {.who = who, .err = "It was active already: "}}},
      {"policy show",
       {{.who = who, .out = "rent-arrears"},
        {.who = who, .out = "months_in_arrears"},
        {.who = who, .out = "zuid-holland-zuid", .err = "Written: bundle.bin"}}},
  };
}

std::vector<Play> Auditor() {
  const char* const who = "region-auditor";
  const auto look = [](World& world) {
    world.At("region-auditor").Run("schakel policy show | head -n 5");
  };
  // Of now: an export that is older than a checkpoint that was seen since proves less.
  const auto export_anew = [](World& world) { world.Play("region-auditor", "audit export", 0); };
  return {
      {"policy replay",
       {{.who = who, .err = " 0 came out otherwise"},
        {.who = who, .out = "\"recomputed\"", .before = look}}},
      {"audit checkpoint",
       {{.who = who, .out = "zhz.example/schakel/1"},
        {.who = who, .out = "zhz.example/custodian/2"}}},
      {"audit query",
       {{.who = who, .out = "delivery"},
        {.who = who, .out = "denied"},
        {.who = who, .out = "INDEX"},
        {.who = who, .out = "INDEX"},
        {.who = who, .out = "pseudonyms computed"}}},
      {"audit subject", {{.who = who, .out = "TIME"}, {.who = who, .out = "TIME"}}},
      {"audit state",
       {{.who = who, .out = "Sociaal wijkteam"},
        {.who = who, .out = "\"policy\""},
        {.who = who, .out = "STATEMENT"},
        {.who = who, .err = "Scope: region"},
        {.who = who, .err = "Scope: region"}}},
      {"audit prove",
       {{.who = who, .out = "Proven: entry 7 "},
        {.who = "corporation", .out = "\"record\""},
        {.who = "corporation", .out = "Proven: the record of this receipt"}}},
      {"audit export",
       {{.who = who, .err = "Written: log.export"},
        {.who = who, .err = "Written: tiles"},
        {.who = who, .err = "Written: tiles"}}},
      {"audit verify",
       {{.who = who, .out = "Proven: all "},
        {.who = who, .out = "Proven: all ", .before = export_anew},
        {.who = who, .out = "opened records"},
        {.who = who, .out = "zhz.example/custodian/1"}}},
  };
}

std::vector<Play> Director() {
  const char* const who = "chain-director";
  const auto stall = [](World& world) { world.Stall(); };
  return {
      {"flow show",
       {{.who = who, .out = "Sent"}, {.who = who, .out = "Sent"}, {.who = who, .out = "Sent"}}},
      {"flow stalled", {{.who = who, .out = "ZHZ-", .before = stall}, {.who = who, .out = "ZHZ-"}}},
      {"flow remind", {{.who = who, .out = "Organisations reminded: 1."}}},
      {"org disable", {{.who = "registrar", .err = "00000099000000002000"}}},
  };
}

std::vector<Play> Measuring() {
  const char* const who = "corporation";
  const auto loopback = [](World& world) { world.StandInFor("corporation", "loopback"); };
  const auto relief = [](World& world) { world.StandInFor("corporation", "debt-relief"); };
  return {
      {"bench flow",
       {{.who = who, .out = "acknowledged", .before = loopback},
        {.who = who, .out = "\"deliveriesExpected\": 1000", .before = relief}}},
      {"bench publish",
       {{.who = who, .out = "published"},
        {.who = who, .out = "\"sent\": 2000"},
        {.who = who, .out = "published"}}},
      {"bench decide", {{.who = who, .out = "decided"}, {.who = who, .out = "\"NO_RULE\""}}},
      {"bench pseudonym",
       {{.who = "care", .out = "evaluated"},
        {.who = "care", .out = "\"evaluatedPerMultiplication\""},
        {.who = "care", .out = "computed", .err = "takes 40 of today's budget"}}},
      {"bench verify",
       {{.who = "region-auditor", .out = "verified"},
        {.who = "region-auditor", .out = "\"entries\": 50000"},
        {.who = "region-auditor", .err = "Written: log.export"},
        {.who = "region-auditor", .out = "verified"}}},
  };
}

std::vector<Play> Anybody() {
  const char* const who = "volunteers";
  return {
      {"completion bash", {{.who = who, .out = "COMPREPLY"}, {.who = who, .silent = true}}},
      {"completion zsh", {{.who = who, .out = "compdef"}, {.who = who, .silent = true}}},
      {"completion fish", {{.who = who, .out = "complete -c schakel"}}},
      {"completion man", {{.who = who, .err = "man"}, {.who = who, .err = "man"}}},
      {"version", {{.who = who, .out = "schakel "}, {.who = who, .out = "\"protocol\""}}},
  };
}

}  // namespace

std::vector<Play> RegionPlays() {
  std::vector<Play> all;
  for (auto* const part : {&Anybody, &Registrar, &Auditor, &Measuring, &Director}) {
    for (auto& play : part()) all.push_back(std::move(play));
  }
  return all;
}

}  // namespace schakel::e2e
