// The program itself: flags, exit codes, signals, and what survives its end.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "broker/crypto/ristretto.h"
#include "broker/custodian/program.h"
#include "broker/transport/errors.h"
#include "broker/transport/tls.h"
#include "schakel/v1/custodian.grpc.pb.h"
#include "tests/support/child_process.h"
#include "tests/support/paths.h"
#include "tests/unit/custodian/custodian_set.h"

namespace schakel::custodian {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

const std::string kProgram = checkout::BuildPath("bin/schakel-custodian");

testing::RunResult RunIt(std::vector<std::string> args) {
  return testing::RunProgram({.program = kProgram, .args = std::move(args)});
}

// The reason of the refusal; empty when there is none.
std::string Evaluate(const testing::TestPki& pki, const testing::TestCertificate& as, int port,
                     int count) {
  const auto stub = v1::CustodianService::NewStub(grpc::CreateChannel(
      "127.0.0.1:" + std::to_string(port),
      transport::MakeChannelCredentials(pki.ca_pem(), as.certificate_pem(), as.key_pem())));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  context.AddMetadata("schakel-actor", "user-1");
  context.AddMetadata("schakel-actor-role", "worker");
  v1::EvaluateRequest request;
  request.set_epoch(1);
  for (int i = 0; i < count; ++i) {
    request.add_blinded_elements(crypto::Point::Generator().str());
  }
  v1::EvaluateResponse response;
  const auto status = stub->Evaluate(&context, request, &response);
  return status.ok() ? "" : transport::ErrorFromStatus(status).reason;
}

TEST(Program, RefusesUnknownAndMissingFlagsAsUsage) {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"--nonsense"},
      {"serve"},
      {"--check-config"},
      {"--config"},
      {"keygen"},
      {"keygen", "--region", "zhz.example", "--epoch", "one", "--threshold", "1"},
      {"--config", "x.yaml", "keygen", "--region", "r", "--epoch", "1", "--threshold", "1",
       "--custodian", "a", "--out", "b"},
      {"keygen", "--region", "r.example", "--epoch", "1", "--threshold", "1", "--custodian", "no",
       "--out", "/nowhere"},
  };
  for (const auto& args : cases) {
    const auto result = RunIt(args);
    EXPECT_EQ(result.code, kExitUsage) << ::testing::PrintToString(args);
    EXPECT_FALSE(result.err.empty());
  }
  EXPECT_EQ(RunIt({"--help"}).code, kExitOk);
  EXPECT_EQ(RunIt({"--version"}).code, kExitOk);
}

TEST(Program, KeygenWarnsAndPrintsTheDigestLast) {
  testing::TempDir folder;
  testing::TestPki pki(folder.path());
  std::vector<std::string> args = {"keygen",      "--region", "zhz.example", "--epoch",      "3",
                                   "--threshold", "2",        "--out",       folder / "keys"};
  for (size_t i = 0; i < 3; ++i) {
    const std::string oin = CustodianSet::CustodianOin(i);
    const auto issued = pki.Issue({.oin = oin});
    args.push_back("--custodian");
    args.push_back(oin + "=" + issued.certificate.string() + ":" + issued.key.string());
  }
  const auto result = RunIt(args);
  ASSERT_EQ(result.code, kExitOk) << result.err;
  EXPECT_THAT(result.err, HasSubstr("tests and the quickstart only"));
  ASSERT_EQ(result.out.size(), 65u);
  v1::GetKeyDocumentResponse document;
  ASSERT_TRUE(document.ParseFromString(testing::ReadFile(folder / "keys/key-document.pb")));
  EXPECT_EQ(result.out,
            HexEncode(crypto::KeyDocument::Parse(document.key_document()).value().digest().view()) +
                "\n");
  const auto again = RunIt(args);
  EXPECT_EQ(again.code, kExitConfig);
  EXPECT_THAT(again.err, HasSubstr("never overwritten"));
  args[6] = "4";
  EXPECT_EQ(RunIt(args).code, kExitUsage);
}

TEST(Program, ListsEveryConfigurationProblemWithFileAndLine) {
  testing::TempDir folder;
  const auto config = folder / "custodian.yaml";
  testing::WriteFile(config,
                     "data_folder: data\n"
                     "share_fil: share-1.key\n"
                     "cap_per_day: -5\n"
                     "listen:\n"
                     "  address: 127.0.0.1:0\n");
  for (const bool check : {false, true}) {
    std::vector<std::string> args = {"--config", config};
    if (check) args.push_back("--check-config");
    const auto result = RunIt(args);
    EXPECT_EQ(result.code, kExitConfig);
    EXPECT_THAT(result.err, HasSubstr(config.string() + ":2: unknown key 'share_fil'"));
    EXPECT_THAT(result.err, HasSubstr(config.string() + ":3: "));
    EXPECT_THAT(result.err, HasSubstr(config.string() + ":1: missing key 'tls'"));
    EXPECT_TRUE(result.out.empty());
  }
  EXPECT_EQ(RunIt({"--config", folder / "nowhere.yaml"}).code, kExitConfig);
}

TEST(Program, CheckConfigReadsAllFilesAndChangesNothing) {
  CustodianSet set;
  const auto good = RunIt({"--config", set.WriteConfig(0), "--check-config"});
  EXPECT_EQ(good.code, kExitOk) << good.err;
  EXPECT_FALSE(std::filesystem::exists(set.data(0)));
  std::filesystem::copy_file(set.share(1), set.share(0),
                             std::filesystem::copy_options::overwrite_existing);
  for (const bool check : {true, false}) {
    std::vector<std::string> args = {"--config", set.WriteConfig(0)};
    if (check) args.push_back("--check-config");
    const auto bad = RunIt(args);
    EXPECT_EQ(bad.code, kExitConfig);
    EXPECT_THAT(bad.err, HasSubstr("custodian-0.yaml:2: share_file: "));
  }
}

TEST(Program, InitBeginsALogOnceAndMakesItsKey) {
  CustodianSet set;
  const auto config = set.WriteConfig(0);
  std::filesystem::remove(set.log_key_file(0));
  const auto none = RunIt({"--config", config});
  EXPECT_EQ(none.code, kExitConfig) << "neither key nor log";
  const auto begun = RunIt({"init", "--config", config});
  ASSERT_EQ(begun.code, kExitOk) << begun.err;
  EXPECT_THAT(begun.out, ::testing::StartsWith("zhz.example/custodian/1+"));
  EXPECT_THAT(begun.err, HasSubstr("same file system"));
  EXPECT_EQ(std::filesystem::status(set.log_key_file(0)).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto again = RunIt({"--config", config, "init"});
  EXPECT_EQ(again.code, kExitConfig);
  EXPECT_THAT(again.err, HasSubstr("exists already"));
  // An empty data folder beside a head file is a loss, and no fresh start.
  std::filesystem::remove_all(set.data(0));
  EXPECT_EQ(RunIt({"init", "--config", config}).code, kExitConfig);
  EXPECT_EQ(RunIt({"--config", config}).code, kExitConfig);
}

TEST(Program, RecoverNeedsANumberThatNoLogHad) {
  CustodianSet set;
  const auto config = set.WriteConfig(0);
  set.Begin(0);
  EXPECT_EQ(RunIt({"recover", "--config", config}).code, kExitUsage);
  EXPECT_EQ(RunIt({"recover", "--config", config, "--number", "0"}).code, kExitUsage);
  EXPECT_EQ(RunIt({"recover", "--number", "4"}).code, kExitUsage);
  EXPECT_EQ(RunIt({"recover", "--config", config, "--number", "3"}).code, kExitConfig);
  const auto done = RunIt({"recover", "--config", config, "--number", "4"});
  EXPECT_EQ(done.code, kExitOk) << done.err;
  EXPECT_THAT(done.out, ::testing::StartsWith("zhz.example/custodian/4+"));
  EXPECT_THAT(done.err, HasSubstr("given back"));
}

TEST(Program, RefusesAHeadFileInTheDataFolder) {
  CustodianSet set;
  const auto config = set.WriteConfig(0);
  std::filesystem::create_directories(set.data(0));
  std::string text = testing::ReadFile(config);
  const std::string head = "head_file: " + set.head(0).string();
  text.replace(text.find(head), head.size(), "head_file: " + (set.data(0) / "head").string());
  testing::WriteFile(config, text);
  const auto refused = RunIt({"--config", config, "--check-config"});
  EXPECT_EQ(refused.code, kExitConfig);
  EXPECT_THAT(refused.err, HasSubstr("must not be in the data folder"));
}

TEST(Program, KeepsBudgetsOverKillAndEndsOnSigterm) {
  CustodianSet set;
  const auto member = set.pki().Issue({.oin = testing::TestOin(1000)});
  set.WriteMembers({{testing::TestOin(1000), member.certificate, 10, 100}});
  const auto config = set.WriteConfig(0);
  set.Begin(0);
  {
    const auto child =
        testing::ChildProcess::Start({.program = kProgram, .args = {"--config", config}});
    const auto port = child->WaitForPort(set.port_file(0));
    ASSERT_TRUE(port) << child->Stderr();
    EXPECT_EQ(Evaluate(set.pki(), member, *port, 7), "");
    child->Kill();
  }
  std::filesystem::remove(set.port_file(0));
  const auto child =
      testing::ChildProcess::Start({.program = kProgram, .args = {"--config", config}});
  const auto port = child->WaitForPort(set.port_file(0));
  ASSERT_TRUE(port) << child->Stderr();
  EXPECT_EQ(Evaluate(set.pki(), member, *port, 4), "BUDGET_EXHAUSTED");
  EXPECT_EQ(Evaluate(set.pki(), member, *port, 3), "");
  EXPECT_EQ(Evaluate(set.pki(), member, *port, 1), "BUDGET_EXHAUSTED");
  // No core file may hold the share.
  const std::string limits = testing::ReadFile("/proc/" + std::to_string(child->pid()) + "/limits");
  const size_t core = limits.find("Max core file size");
  ASSERT_NE(core, std::string::npos);
  EXPECT_THAT(limits.substr(core, 40), HasSubstr(" 0 "));
  EXPECT_EQ(child->Stop(), kExitOk);
  EXPECT_THAT(child->Stderr(), HasSubstr("stopped"));
}

}  // namespace
}  // namespace schakel::custodian
