// The custodians' own logs: read by who may, proved to everybody, and noticed when an old copy is
// put back. By the SDK, as the command line uses it.
#include "clients/sdk/export_verification.h"
#include "clients/sdk/pseudonym_client.h"
#include "tests/e2e/story.h"
#include "tests/support/paths.h"

namespace schakel::e2e {
namespace {

namespace fs = std::filesystem;

class CustodianLogs : public RegionTest {
 protected:
  // Some pseudonyms by two partners and by the auditor, so that each custodian has something.
  static void SetUpTestSuite() {
    RegionTest::SetUpTestSuite();
    for (size_t place = 0; place < 4; ++place) {
      for (const char* who : {"police", "care", "region-auditor"}) {
        const auto person = PersonBy(region(), who, place);
        ASSERT_TRUE(person.ok()) << Why(person);
      }
    }
    // Checkpoints are signed once a second: wait for one that covers all of it.
    for (int number = 1; number <= 3; ++number) WaitForCheckpoint(number);
  }
  // Until the log's checkpoint covers a look that is made now.
  static void WaitForCheckpoint(int number) {
    ASSERT_OK_AND(auto* log, As("police").custodian_audit(static_cast<uint64_t>(number)));
    v1::QueryRecordsRequest request;
    request.set_page_size(1);
    ASSERT_OK_AND(const auto page, log->Query(request));
    ASSERT_OK(log->Prove(page.receipt()));
  }
  static std::vector<v1::Record> Query(const std::string& who, uint64_t number,
                                       v1::RecordKind kind) {
    std::vector<v1::Record> records;
    auto log = As(who).custodian_audit(number);
    EXPECT_TRUE(log.ok()) << Why(log);
    v1::QueryRecordsRequest request;
    request.mutable_filter()->add_kinds(kind);
    const Status read = (*log)->QueryAll(request, [&](const v1::QueryRecordsResponse& page) {
      for (const auto& each : page.records()) {
        EXPECT_TRUE(records.emplace_back().ParseFromString(each.record()));
      }
      return true;
    });
    EXPECT_TRUE(read.ok()) << Why(read);
    return records;
  }
};

TEST_F(CustodianLogs, SayWhoHowManyAndWhenToWhoMayKnow) {
  uint64_t own = 0;
  uint64_t all = 0;
  for (uint64_t number = 1; number <= 3; ++number) {
    for (const auto& record : Query("care", number, v1::RECORD_KIND_EVALUATION)) {
      EXPECT_EQ(record.organisation(), OinOf("care").str());
      EXPECT_EQ(record.actor(), "user-of-care");
      EXPECT_EQ(record.facts().count(), 1u);
      ++own;
    }
    all += Query("region-auditor", number, v1::RECORD_KIND_EVALUATION).size();
    EXPECT_TRUE(Query("care", number, v1::RECORD_KIND_START).empty()) << "it has no party";
    EXPECT_EQ(Query("region-auditor", number, v1::RECORD_KIND_START).size(), 1u);
    EXPECT_EQ(Query("region-auditor", number, v1::RECORD_KIND_MEMBERS).size(), 1u);
  }
  EXPECT_EQ(own, 8u) << "4 persons, 2 of 3 custodians each";
  EXPECT_EQ(all, 24u);
}

TEST_F(CustodianLogs, WhoHasNoAuthorityIsRefusedAndRecorded) {
  auto log = As("corporation").custodian_audit(1);
  ASSERT_TRUE(log.ok());
  EXPECT_EQ((*log)->Checkpoint().error().reason, "NO_AUTHORITY");
  const auto refused = (*log)->Export({}, region().folder() / "no.export");
  EXPECT_EQ(refused.error().reason, "NO_AUTHORITY");
  std::vector<std::string> rpcs;
  for (const auto& record : Query("region-auditor", 1, v1::RECORD_KIND_DENIED_ATTEMPT)) {
    EXPECT_EQ(record.organisation(), OinOf("corporation").str());
    EXPECT_EQ(record.reason(), "NO_AUTHORITY");
    rpcs.push_back(record.facts().rpc());
  }
  EXPECT_EQ(rpcs, (std::vector<std::string>{"GetLogCheckpoint", "ExportLog"}));
}

TEST_F(CustodianLogs, AnExportIsProvedAndAWrongByteIsFound) {
  for (const char* who : {"police", "region-auditor"}) {
    ASSERT_OK_AND(auto* log, As(who).custodian_audit(1));
    ASSERT_OK_AND(auto* memory, As(who).custodian_checkpoints(1));
    const fs::path file = region().folder() / (std::string(who) + ".export");
    ASSERT_OK(log->Export({}, file));
    ASSERT_OK_AND(const auto good, sdk::VerifyExport(file, *memory));
    EXPECT_TRUE(good.verified) << good.sentence_en;
    EXPECT_TRUE(good.summary.checkpoint.origin == "zhz.example/custodian/1");
    EXPECT_NE(good.sentence_en.find("custodian's own"), std::string::npos);
    const bool all = std::string(who) == "region-auditor";
    EXPECT_EQ(good.summary.records == good.frames_read, all);
    EXPECT_GT(good.summary.records, 3u);
    const std::string bytes = testing::ReadFile(file);
    for (size_t at = 0; at < bytes.size(); at += 97) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      testing::WriteFile(region().folder() / "bad.export", bad);
      ASSERT_OK_AND(const auto wrong, sdk::VerifyExport(region().folder() / "bad.export", *memory));
      EXPECT_FALSE(wrong.verified) << who << " byte " << at;
    }
  }
}

TEST_F(CustodianLogs, ATilesFolderHoldsAgainstACheckerThatSharesNoCode) {
  ASSERT_OK_AND(auto* log, As("police").custodian_audit(2));
  const fs::path folder = region().folder() / "custodian-tiles";
  ASSERT_OK_AND(const auto look, log->ExportTiles(folder));
  EXPECT_GT(look.checkpoint.head.size, 3u);
  const auto check = [&] {
    return testing::RunProgram({.program = "python3",
                                .args = {checkout::SourcePath("tests/tlog/check_tlog_tiles.py"),
                                         folder.string(), region().custodian_log_key(2)}});
  };
  const auto good = check();
  EXPECT_EQ(good.code, 0) << good.out << good.err;
  const auto tile =
      folder / "tile" / "entries" / "000.p" / std::to_string(look.checkpoint.head.size);
  std::string bytes = testing::ReadFile(tile);
  ASSERT_GT(bytes.size(), 40u);
  bytes[40] = static_cast<char>(bytes[40] ^ 1);
  testing::WriteFile(tile, bytes);
  EXPECT_EQ(check().code, 1);
}

TEST_F(CustodianLogs, NeedTheKeyFromTheContextAndACustodianThatIsThere) {
  auto context = region().ContextOf("police");
  context.mutable_custodians(0)->clear_log_key();
  context.mutable_custodians(1)->set_log_key(region().custodian_log_key(3));
  sdk::Session session(context, std::chrono::seconds(15));
  EXPECT_EQ(session.custodian_audit(1).error().reason, "CONTEXT_INCOMPLETE");
  ASSERT_OK_AND(auto* wrong, session.custodian_audit(2));
  EXPECT_EQ(wrong->Checkpoint().error().reason, "SIGNATURE_MISSING");
  EXPECT_EQ(session.custodian_audit(0).error().reason, "CUSTODIAN_UNKNOWN");
  EXPECT_EQ(session.custodian_audit(4).error().reason, "CUSTODIAN_UNKNOWN");
}

TEST_F(CustodianLogs, TheCommandLineReadsThemByAFlag) {
  config::v1::ContextsFile contexts;
  *contexts.add_contexts() = region().ContextOf("region-auditor");
  contexts.set_current("region-auditor");
  const fs::path file = region().folder() / "contexts.yaml";
  ASSERT_OK(sdk::SaveContexts(file, contexts));
  const auto run = [&](std::vector<std::string> args) {
    args.insert(args.begin(), "audit");
    return testing::RunProgram({.program = checkout::BuildPath("bin/schakel"),
                                .args = std::move(args),
                                .env = {{"SCHAKEL_CONTEXTS", file.string()}}});
  };
  const auto expect = [&](std::vector<std::string> args, int code, const std::string& part) {
    const auto ran = run(std::move(args));
    EXPECT_EQ(ran.code, code) << ran.out << ran.err;
    EXPECT_NE((ran.out + ran.err).find(part), std::string::npos) << ran.out << ran.err;
  };
  const std::string exported = (region().folder() / "cli.export").string();
  const std::string tiles = (region().folder() / "cli-tiles").string();
  expect({"checkpoint", "--custodian", "1"}, 0, "zhz.example/custodian/1");
  expect({"checkpoint", "--custodian", "2"}, 0, "zhz.example/custodian/2");
  expect({"checkpoint"}, 0, "zhz.example/schakel/1");
  expect({"query", "--custodian", "1", "--kind", "evaluation"}, 0, "LEFT TODAY");
  expect({"query", "--custodian", "1", "--kind", "evaluation", "-o", "csv"}, 0,
         "police (voorbeeld)");
  expect({"query", "--custodian", "1", "--limit", "2", "-o", "json"}, 0, "\"scope\": \"all\"");
  expect({"export", exported, "--custodian", "1"}, 0, exported);
  expect({"verify", exported, "--custodian", "1"}, 0, "Proven: all ");
  expect({"verify", exported}, 1, "NOT proven");  // not the broker's log
  expect({"verify", "--custodian", "1"}, 0, "zhz.example/custodian/1");
  expect({"verify", "--custodian", "1", "--records", "--language", "nl"}, 0, "sleutelbewaarder");
  expect({"export", tiles, "--format", "tlog-tiles", "--custodian", "1"}, 0, tiles);
  expect({"query", "--custodian", "1", "--signal", "01980c5e-7a3f-7d2c-9b60-3c2b8f1e4a11"}, 64,
         "does not know for whom");
  expect({"checkpoint", "--custodian", "first"}, 64, "one number");
  EXPECT_NE(run({"checkpoint", "--custodian", "9"}).code, 0);
}

// Last: custodian 3 has another log afterwards.
TEST_F(CustodianLogs, WZAnOldCopyIsNoticedAndNothingIsEvaluatedUntilRecover) {
  const fs::path data = region().custodian_data(3);
  const fs::path copy = region().folder() / "copy";
  ASSERT_EQ(region().StopCustodian(3), 0);
  fs::copy(data, copy, fs::copy_options::recursive);
  region().StartCustodian(3);
  const auto computed = [&](const std::string& state) {
    auto context = region().ContextOf("police");
    context.mutable_custodians()->DeleteSubrange(0, 1);  // the first is left out: 2 and 3 needed
    context.set_state_folder((region().folder() / state).string());
    sdk::Session session(context, std::chrono::seconds(5));
    auto client = session.pseudonyms();
    if (!client.ok()) return Status(client.error());
    const auto person = (*client)->ComputeOne(TestBsn(9));
    return person.ok() ? Status() : Status(person.error());
  };
  ASSERT_OK(computed("before"));
  WaitForCheckpoint(3);
  ASSERT_EQ(region().StopCustodian(3), 0);
  fs::remove_all(data);
  fs::rename(copy, data);

  region().StartCustodian(3);
  const Status refused = computed("restored");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "RESTORED") << refused.error().message;
  // Who saw the longer log notices by itself.
  ASSERT_OK_AND(auto* log, As("police").custodian_audit(3));
  EXPECT_EQ(log->Checkpoint().error().reason, "CHECKPOINT_INCONSISTENT");
  ASSERT_EQ(region().StopCustodian(3), 0);

  EXPECT_NE(region().RunCustodian(3, {"init"}).code, 0) << "it would hide the loss";
  EXPECT_NE(region().RunCustodian(3, {"recover", "--number", "2"}).code, 0);
  const auto recovered = region().RunCustodian(3, {"recover", "--number", "13"});
  ASSERT_EQ(recovered.code, 0) << recovered.err;
  EXPECT_NE(recovered.err.find("records that the old log had are not in it"), std::string::npos);
  region().set_custodian_log_key(3, recovered.out.substr(0, recovered.out.find('\n')));
  region().StartCustodian(3);
  ASSERT_OK(computed("recovered"));
  const auto changes = Query("region-auditor", 3, v1::RECORD_KIND_MODE_CHANGE);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].facts().origin(), "zhz.example/custodian/3");
  EXPECT_GT(changes[0].facts().head_size(), changes[0].facts().store_size());
  ASSERT_OK_AND(auto* anew, As("police").custodian_audit(3));
  ASSERT_OK_AND(const auto look, anew->Checkpoint());
  EXPECT_EQ(look.checkpoint.origin, "zhz.example/custodian/13");
}

}  // namespace
}  // namespace schakel::e2e
