// What a user reads before anything works: help, and what is wrong with a command line.
#include <gtest/gtest.h>

#include "tests/unit/cli/run.h"

namespace schakel::cli {
namespace {

TEST(Help, ShowsExamplesFirst) {
  User user;
  const Ran ran = user.Run({"inbox", "ack", "--help"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out,
            "Take responsibility for an item\n"
            "Examples:\n"
            "  schakel inbox ack DELIVERY\n"
            "\n"
            "Usage: schakel inbox ack [Options] ID\n"
            "\n"
            "Arguments:\n"
            "  ID ID required                  Delivery, as fetch shows it\n"
            "\n"
            "Options:\n"
            "  -h,--help                       Show this help\n"
            "\n"
            "Every command also takes the options of: schakel --help (output, language, broker, "
            "keys, ...)\n");
}

TEST(Help, IsDutchForWhoSpeaksDutch) {
  User user;
  user.variables["LANG"] = "nl_NL.UTF-8";
  const std::string expected =
      "Sluit een organisatie af (registerhouder)\n"
      "Voorbeelden:\n"
      "  schakel org disable 00000099000000002000 --reason \"certificate lost\"\n"
      "\n"
      "Gebruik: schakel org disable [Opties] OIN\n"
      "\n"
      "Argumenten:\n"
      "  OIN OIN verplicht               Organisatie\n"
      "\n"
      "Opties:\n"
      "  -h,--help                       Toon deze hulp\n"
      "  --reason TEXT verplicht         Waarom; geen persoonsgegevens\n"
      "\n"
      "Elke opdracht kent ook de opties van: schakel --help (uitvoer, taal, broker, sleutels, "
      "...)\n";
  EXPECT_EQ(user.Run({"org", "disable", "-h"}).out, expected);
  user.variables["LANG"] = "en_GB.UTF-8";
  EXPECT_EQ(user.Run({"--language", "nl", "org", "disable", "-h"}).out, expected);
  user.variables["SCHAKEL_LANGUAGE"] = "nl";
  EXPECT_EQ(user.Run({"org", "disable", "-h"}).out, expected);
}

struct Mistake {
  std::vector<std::string> args;
  const char* says;
};

TEST(Mistakes, OnTheCommandLineGive64AndSayWhatIsWrong) {
  User user;
  const std::string json = user.File("a.json", "{}");
  const std::vector<std::string> send = {"signal",    "send", "--type",   "rent-arrears",
                                         "--purpose", "p",    "--ground", "g"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), send.begin(), send.end());
    return more;
  };
  const std::vector<Mistake> mistakes = {
      {{}, "a command is missing"},
      {{"frobnicate"}, "'frobnicate' is not known here"},
      {{"signal"}, "a command is missing"},
      {{"signal", "sned"}, "'sned' is not known here"},
      {{"signal", "list", "--bogus"}, "'--bogus' is not known here"},
      {{"signal", "status"}, "ID is missing"},
      {{"signal", "status", "xyz"}, "'xyz' is no id"},
      {{"signal", "list", "--limit", "many"}, "many"},
      {{"signal", "list", "--state-of", "happy"}, "one of: denied, queued"},
      {{"signal", "list", "-o", "xml"}, "'xml' is no output format"},
      {{"signal", "list", "-o", "csv"}, "csv is for audit query"},
      {{"signal", "list", "--language", "fr"}, "'fr' is no language"},
      {{"signal", "list", "--timeout", "soon"}, "'soon' is no duration"},
      {{"signal", "outcomes", "--after", "%%"}, "a cursor is the text"},
      {{"signal", "send"}, "is missing"},
      {with({"--section", "finances=" + json, "--subject-unlinked"}), "give a recipient"},
      {with({"--to", "123"}), "'123' is no OIN"},
      {with({"--to-function", "debt-relief"}), "'debt-relief' is no function"},
      {with({"--to", "00000099000000002000"}), "say whom it is about"},
      {with({"--to", "00000099000000002000", "--subject-unlinked"}), "give content"},
      {with({"--to", "00000099000000002000", "--subject-unlinked", "--section", "finances"}),
       "'finances' is no pair"},
      {with({"--to", "00000099000000002000", "--subject-unlinked", "--section", "finances={}"}),
       "give @FILE, or - for standard input"},
      {with({"--to", "00000099000000002000", "--subject-unlinked", "--section",
             "finances:x=" + json}),
       "subjects are numbers from 1"},
      {with({"--to", "00000099000000002000", "--subject-unlinked", "--section", "finances=" + json,
             "--ground", "other"}),
       "one ground for all sections"},
      {with({"--to", "00000099000000002000", "--subject-unlinked", "--section", "finances=" + json,
             "--urgency", "high"}),
       "one of: normal, acute"},
      {with({"--to", "00000099000000002000", "--subject-bsn", "123456782", "--section",
             "finances=" + json}),
       "a literal is accepted only from the published test set"},
      {{"inbox", "watch"}, "--exec CMD, or --ack"},
      {{"inbox", "watch", "--ack", "--window", "0"}, "a number from 1 to 256"},
      {{"inbox", "fetch", "--max", "65"}, "a number from 1 to 64"},
      {{"inbox", "refuse", "01980c5e-7a3f-7d2c-9b60-3c2b8f1e4a11"}, "--reason is missing"},
      {{"consent", "record", "--subject-bsn", "999990019", "--identity-check", "guess"},
       "one of: document, electronic, known-in-person"},
      {{"consent", "record", "--subject-bsn", "999990019", "--identity-check", "document",
        "--sender", "00000099000000002000", "--sender-sector", "care"},
       "give one of sector, function and organisation"},
      {{"consent", "check", "--subject-bsn", "999990019", "--category", "c", "--purpose", "p"},
       "give a recipient"},
      {{"audit", "prove"}, "give an INDEX or --receipt"},
      {{"audit", "prove", "-1"}, "'-1' is"},
      {{"audit", "query", "--kind", "gossip"}, "one of: genesis, publish"},
      {{"audit", "query", "--from", "yesterday"}, "'yesterday' is no time"},
      {{"audit", "query", "--subject-bsn", "999990019"}, "needs --ground and --reference"},
      {{"audit", "state", "--of", "policy"}, "give one of --at TIME and --index INDEX"},
      {{"audit", "state", "--of", "policy", "--at", "2026-01-01", "--index", "4"},
       "give one of --at TIME and --index INDEX"},
      {{"audit", "state", "--of", "policy", "--at", "lately"}, "'lately' is no time"},
      {{"audit", "state", "--of", "weather", "--at", "2026-01-01"},
       "one of: directory, policy, statements, sweeps"},
      {{"audit", "state", "--of", "statements", "--at", "2026-01-01"}, "say whose"},
      {{"audit", "state", "--of", "statements", "--at", "2026-01-01", "--subject-bsn", "999990019"},
       "needs --ground and --reference"},
      {{"audit", "export", "x", "--format", "zip"}, "one of: frames, tlog-tiles"},
      {{"context", "add", "Not A Code"}, "lower-case letters"},
      {{"policy", "show", "abc"}, "'abc' is no digest"},
      {{"policy", "pack", ".", "--out", "x", "--key-document", "0=ab"}, "'0' is no epoch"},
  };
  for (const auto& mistake : mistakes) {
    const Ran ran = user.Run(mistake.args);
    std::string line;
    for (const auto& arg : mistake.args) line += " " + arg;
    EXPECT_EQ(ran.code, ExitCode::kUsage) << line << "\n" << ran.err;
    EXPECT_EQ(ran.out, "") << line;
    EXPECT_NE(ran.err.find(mistake.says), std::string::npos) << line << "\n" << ran.err;
    EXPECT_NE(ran.err.find("--help"), std::string::npos) << line << "\n" << ran.err;
  }
}

TEST(Mistakes, AreToldInDutchToo) {
  User user;
  user.variables["LANG"] = "nl_NL";
  EXPECT_EQ(user.Run({"signal", "sned"}).err,
            "schakel: onjuist gebruik: 'sned' is hier niet bekend\nZie: schakel signal --help\n");
  EXPECT_EQ(user.Run({"inbox", "ack"}).err,
            "schakel: onjuist gebruik: ID ontbreekt\nZie: schakel inbox ack --help\n");
}

}  // namespace
}  // namespace schakel::cli
