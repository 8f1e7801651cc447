#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "schakel/v1/custodian.pb.h"
#include "tests/unit/cli/run.h"
#include "tests/unit/cli/some_key_document.h"

namespace schakel::cli {
namespace {

using nlohmann::json;

json Shown(User& user, std::vector<std::string> args = {"context", "show"}) {
  args.insert(args.end(), {"-o", "json"});
  const Ran ran = user.Run(args);
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  return json::parse(ran.out);
}

TEST(Contexts, AreAddedChangedUsedAndListed) {
  User user;
  ASSERT_EQ(
      user.Run({"context", "add", "team", "--broker", "one:7443", "--certificate", "/c.pem",
                "--key", "/k.pem", "--actor", "u1", "--custodian", "00000099000000009001=two:7444",
                "--custodian", "00000099000000009002=three:7444", "--custodian-log-key",
                "00000099000000009002=zhz.example/custodian/2+00000000+AQ=="})
          .code,
      ExitCode::kOk);
  ASSERT_EQ(user.Run({"context", "add", "desk", "--broker", "other:7443"}).code, ExitCode::kOk);
  json shown = Shown(user);
  EXPECT_EQ(shown["name"], "team") << "the first one is in use";
  EXPECT_EQ(shown["certificateFile"], "/c.pem");
  EXPECT_EQ(shown["custodians"].size(), 2u);
  EXPECT_EQ(shown["custodians"][0]["logKey"], "");
  EXPECT_EQ(shown["custodians"][1]["logKey"], "zhz.example/custodian/2+00000000+AQ==");

  ASSERT_EQ(user.Run({"context", "add", "team", "--actor", "u2"}).code, ExitCode::kOk);
  shown = Shown(user);
  EXPECT_EQ(shown["actor"], "u2");
  EXPECT_EQ(shown["broker"], "one:7443") << "what is not given stays";
  EXPECT_EQ(shown["custodians"].size(), 2u);

  ASSERT_EQ(user.Run({"context", "use", "desk"}).code, ExitCode::kOk);
  EXPECT_EQ(Shown(user)["broker"], "other:7443");
  EXPECT_EQ(user.Run({"context", "list"}).out,
            "   NAME  BROKER      CERTIFICATE\n"
            "   team  one:7443    /c.pem\n"
            "*  desk  other:7443\n");
  EXPECT_EQ(user.Run({"context", "use", "nobody"}).code, ExitCode::kConfig);
}

TEST(Contexts, GiveWayToEnvironmentAndThatToFlags) {
  User user;
  ASSERT_EQ(user.Run({"context", "add", "team", "--broker", "context:1"}).code, ExitCode::kOk);
  EXPECT_EQ(Shown(user)["broker"], "context:1");
  user.variables["SCHAKEL_BROKER"] = "environment:1";
  EXPECT_EQ(Shown(user)["broker"], "environment:1");
  EXPECT_EQ(Shown(user, {"--broker", "flag:1", "context", "show"})["broker"], "flag:1");
  EXPECT_EQ(Shown(user, {"context", "show", "--broker", "flag:1"})["broker"], "flag:1");
}

TEST(Contexts, SayWhichLanguageIsSpokenUnlessTheUserDoes) {
  User user;
  ASSERT_EQ(user.Run({"context", "add", "team", "--language", "nl"}).code, ExitCode::kOk);
  EXPECT_EQ(user.Run({"context", "show"}).out.substr(0, 4), "VELD");
  user.variables["SCHAKEL_LANGUAGE"] = "en";
  EXPECT_EQ(user.Run({"context", "show"}).out.substr(0, 5), "FIELD");
  user.variables.erase("SCHAKEL_LANGUAGE");
  EXPECT_EQ(user.Run({"context", "show", "--language", "en"}).out.substr(0, 5), "FIELD");
}

TEST(Contexts, CanBeMissingWhichIsAMatterOfConfiguration) {
  User user;
  const Ran none = user.Run({"signal", "list"});
  EXPECT_EQ(none.code, ExitCode::kConfig) << none.err;
  EXPECT_NE(none.err.find("CONTEXT_INCOMPLETE, broker"), std::string::npos) << none.err;
  user.variables["SCHAKEL_CONTEXT"] = "nobody";
  EXPECT_EQ(user.Run({"signal", "list"}).code, ExitCode::kConfig);
  // Adding it is the way out.
  EXPECT_EQ(user.Run({"context", "add", "nobody", "--broker", "b:1"}).code, ExitCode::kOk);
}

TEST(Contexts, PinKeyDocumentsByDigestOrFile) {
  User user;
  const auto document = SomeKeyDocument(1);
  // As schakel-custodian keygen writes it, and its bytes alone.
  v1::GetKeyDocumentResponse wire;
  wire.set_key_document(document.bytes());
  wire.add_signatures()->set_custodian("00000099000000004001");
  for (const std::string& text : {wire.SerializeAsString(), Bytes(document.bytes())}) {
    const std::string file = user.File("document", text);
    const Ran ran = user.Run({"context", "add", "team", "--key-document", "1=" + file});
    ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
    EXPECT_EQ(Shown(user)["keyDocuments"][0]["digest"], HexEncode(document.digest().view()));
  }
}

TEST(Contexts, TakeNoOtherFileForAKeyDocument) {
  User user;
  const auto add = [&](const std::string& text) {
    return user.Run(
        {"context", "add", "team", "--key-document", "1=" + user.File("document", text)});
  };
  const Ran other = add("abc");
  EXPECT_EQ(other.code, ExitCode::kConfig) << other.err;
  EXPECT_NE(other.err.find("KEY_DOCUMENT_INVALID"), std::string::npos) << other.err;
  const Ran later = add(Bytes(SomeKeyDocument(2).bytes()));
  EXPECT_EQ(later.code, ExitCode::kConfig) << later.err;
  EXPECT_NE(later.err.find("epoch 2, expected 1"), std::string::npos) << later.err;
}

}  // namespace
}  // namespace schakel::cli
