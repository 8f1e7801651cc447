// A backup by the running broker, and the runbook's walk through a restore, played as it stands
// there.
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "clients/sdk/export_verification.h"
#include "tests/deploy/deploy_files.h"
#include "tests/e2e/story.h"
#include "tests/support/paths.h"

namespace schakel::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ReadFile;

class Backup : public RegionTest {
 protected:
  static testing::RunResult BackUp(const fs::path& to) {
    return region().RunBroker({"backup", "--to", to.string()});
  }
  // The number in the line of `text` that begins with `name`.
  static uint64_t Figure(const std::string& text, const std::string& name) {
    const size_t at = text.find(name + ": ");
    EXPECT_NE(at, std::string::npos) << name << " in " << text;
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size() + 2));
  }
  // The region's own paths and processes in place of the runbook's. Keeps what each command said.
  class Player {
   public:
    Player(fs::path backup, fs::path remembered)
        : backup_(std::move(backup)), remembered_(std::move(remembered)) {}
    // Exit code of the last command.
    int Play(const testing::ShellBlock& block) {
      int code = 0;
      for (const std::string& line : block.lines) {
        SCOPED_TRACE(line);
        code = PlayLine(line);
        if (block.comment == "played") {
          EXPECT_EQ(code, 0) << said_;
        }
      }
      return code;
    }
    const std::string& said() const { return said_; }

   private:
    int PlayLine(std::string line) {
      if (line == "systemctl stop schakel-broker") return region().StopBroker();
      if (line == "systemctl start schakel-broker") {
        region().StartBroker();
        return 0;
      }
      const auto replace = [&](const std::string& from, const std::string& to) {
        for (size_t at = 0; (at = line.find(from, at)) != std::string::npos; at += to.size()) {
          line.replace(at, from.size(), to);
        }
      };
      replace("/etc/schakel/broker.yaml", region().broker_config().string());
      replace("/var/lib/schakel-broker/data", region().data_folder().string());
      replace("/var/backups/schakel-broker/latest", backup_.string());
      replace("/root/remembered-checkpoint", remembered_.string());
      for (const char* installed : {"/var/lib/schakel", "/var/backups", "/etc/schakel", "/root/"}) {
        EXPECT_EQ(line.find(installed), std::string::npos) << line;
      }
      // Last: the checkout itself may lie anywhere.
      replace("runuser -u schakel-broker -- schakel-broker",
              checkout::BuildPath("bin/schakel-broker"));
      const auto result = testing::RunProgram({.program = "sh", .args = {"-c", line}});
      said_ = result.out + result.err;
      return result.code;
    }
    const fs::path backup_;
    const fs::path remembered_;
    std::string said_;
  };
};

TEST_F(Backup, IsRefusedWithWordsWhereItCanNotGo) {
  const fs::path used = region().folder() / "used";
  fs::create_directory(used);
  testing::WriteFile(used / "mine", "x");
  const auto not_empty = BackUp(used);
  EXPECT_NE(not_empty.code, 0);
  EXPECT_THAT(not_empty.err, HasSubstr("not empty"));
  EXPECT_EQ(ReadFile(used / "mine"), "x");
  const auto inside = BackUp(region().data_folder() / "copy");
  EXPECT_NE(inside.code, 0);
  EXPECT_THAT(inside.err, HasSubstr("outside the data folder"));
  EXPECT_NE(BackUp(region().folder() / "missing" / "copy").code, 0);
  EXPECT_THAT(region().BrokerLog(), HasSubstr("\"backup_failed\""));
  ASSERT_EQ(region().StopBroker(), 0);
  const auto nobody = BackUp(region().folder() / "nobody");
  EXPECT_NE(nobody.code, 0);
  EXPECT_THAT(nobody.err, HasSubstr("no broker runs"));
  EXPECT_FALSE(fs::exists(region().folder() / "nobody"));
  region().StartBroker();
}

TEST_F(Backup, GoesToAnotherFileSystemToo) {
  const fs::path other = "/dev/shm/schakel-e2e-backup-" + std::to_string(::getpid());
  const auto made = BackUp(other);
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("the store holds them all, unchanged"));
  EXPECT_THAT(made.out, ::testing::Not(HasSubstr("shared with the data folder")));
  EXPECT_TRUE(fs::exists(other / "README"));
  fs::remove_all(other);
}

TEST_F(Backup, IsSoundOnlyWhenItHoldsItsCheckpoint) {
  const fs::path to = region().folder() / "changed";
  ASSERT_EQ(BackUp(to).code, 0);
  const auto inspect = [&](const fs::path& checkpoint) {
    return region().RunBroker(
        {"inspect", "--data", (to / "data").string(), "--checkpoint", checkpoint.string()});
  };
  EXPECT_EQ(inspect(to / "checkpoint").code, 0);
  EXPECT_THAT(inspect(to / "checkpoint").out, HasSubstr("the store holds them all"));
  std::string note = ReadFile(to / "checkpoint");
  note[note.find('\n') + 1] ^= 1;
  testing::WriteFile(region().folder() / "forged", note);
  EXPECT_NE(inspect(region().folder() / "forged").code, 0);
  for (const auto& entry : fs::directory_iterator(to / "data" / "db")) {
    if (entry.path().extension() != ".sst") continue;
    // A copy first: the file is the data folder's own one.
    std::string bytes = ReadFile(entry.path());
    bytes[bytes.size() / 2] ^= 1;
    fs::remove(entry.path());
    testing::WriteFile(entry.path(), bytes);
  }
  const auto damaged =
      region().RunBroker({"inspect", "--data", (to / "data").string(), "--every-file"});
  EXPECT_NE(damaged.code, 0) << damaged.out;
}

TEST_F(Backup, UnderLoadIsRestoredByTheRunbookAndTheLogSaysWhatIsLost) {
  // ---- A backup while signals go on ----
  std::atomic<bool> end{false};
  std::atomic<int> sent_meanwhile{0};
  std::thread load([&] {
    const auto session = region().NewSession("corporation", "load");
    while (!end) {
      const auto sent = Send(*session, Arrears());
      EXPECT_TRUE(sent.ok() && sent->all_queued()) << Why(sent);
      ++sent_meanwhile;
    }
  });
  while (sent_meanwhile < 3) std::this_thread::yield();
  const fs::path latest = region().folder() / "latest";
  const auto made = BackUp(latest);
  const int at_backup = sent_meanwhile;
  while (sent_meanwhile < at_backup + 3) std::this_thread::yield();
  end = true;
  load.join();
  ASSERT_EQ(made.code, 0) << made.err;
  const uint64_t backed_up = Figure(made.out, "records");
  EXPECT_GE(backed_up, Figure(made.out, "checkpoint"));
  EXPECT_GT(Figure(made.out, "checkpoint"), 0u);

  // ---- What comes after it, and is seen by an auditor, will be lost ----
  ASSERT_OK_AND(const auto lost, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(lost.all_queued());
  ASSERT_OK_AND(auto* audit, As("region-auditor").audit());
  ASSERT_OK_AND(const auto proven, As("corporation").audit());
  ASSERT_OK(proven->Prove(lost.entry.answer().accepted().receipts(0)));
  ASSERT_OK_AND(const auto look, audit->Checkpoint());
  ASSERT_GT(look.checkpoint.head.size, backed_up);
  const fs::path remembered = region().folder() / "remembered";
  testing::WriteFile(remembered, look.note);

  // ---- The runbook ----
  std::vector<testing::ShellBlock> played;
  for (auto& block : testing::ShellBlocksOf(ReadFile(checkout::SourcePath("deploy/RUNBOOK.md")))) {
    if (block.comment.starts_with("played")) played.push_back(std::move(block));
  }
  ASSERT_EQ(played.size(), 5u) << "put aside, verify, see what is lost, start, begin anew";
  Player player(latest, remembered);
  player.Play(played[0]);
  const std::string head = ReadFile(region().folder() / "head");
  player.Play(played[1]);
  EXPECT_THAT(player.said(), HasSubstr("the store holds them all, unchanged"));
  const std::string root = player.said().substr(player.said().find("root: ") + 6, 44);

  EXPECT_EQ(player.Play(played[2]), 1) << player.said();
  const std::string told = player.said();
  EXPECT_EQ(Figure(told, "records"), backed_up);
  EXPECT_GE(Figure(told, "head file"), look.checkpoint.head.size);
  EXPECT_EQ(Figure(told, "checkpoint"), look.checkpoint.head.size);
  EXPECT_THAT(told, HasSubstr("LOST: the store ends at " + std::to_string(backed_up) +
                              ", the records " + std::to_string(backed_up) + " to " +
                              std::to_string(look.checkpoint.head.size - 1)));

  player.Play(played[3]);
  EXPECT_THAT(region().BrokerLog(), HasSubstr("\"mode_restored\""));
  const auto refused = FetchAll(As("team"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "RESTORED");
  const auto shorter = audit->Checkpoint();
  ASSERT_FALSE(shorter.ok());
  EXPECT_EQ(shorter.error().reason, "CHECKPOINT_INCONSISTENT");
  const auto no_backup = BackUp(region().folder() / "of-restored");
  EXPECT_NE(no_backup.code, 0);
  EXPECT_THAT(no_backup.err, HasSubstr("RESTORED"));
  // Neither the copying nor the start wrote the head.
  EXPECT_EQ(ReadFile(region().folder() / "head"), head);

  // The last command of the block starts the broker; what recover said is the key before it.
  player.Play(played[4]);
  const std::string key = player.said().substr(0, player.said().find('\n'));
  ASSERT_THAT(key, ::testing::StartsWith("zhz.example/schakel/2+"));
  EXPECT_NE(ReadFile(region().folder() / "head"), head);
  region().set_log_key(key);

  // ---- It serves again, and its log verifies, with the record of what was ----
  ASSERT_OK_AND(const auto again, Send(As("corporation"), Arrears()));
  EXPECT_TRUE(again.all_queued());
  v1::RecordFilter changes;
  changes.add_kinds(v1::RECORD_KIND_MODE_CHANGE);
  ASSERT_OK_AND(const auto records, QueryAs(As("region-auditor"), changes));
  ASSERT_EQ(records.size(), 1u);
  const auto& facts = records[0].facts();
  EXPECT_THAT(facts.text(), HasSubstr("zhz.example/schakel/1"));
  EXPECT_EQ(facts.origin(), "zhz.example/schakel/2");
  EXPECT_EQ(facts.store_size(), backed_up);
  EXPECT_EQ(Base64Encode(facts.store_root()), root);
  EXPECT_EQ(facts.head_size(), Figure(told, "head file"));
  EXPECT_EQ(facts.head_root().size(), 32u);
  EXPECT_EQ(records[0].index(), backed_up);

  ASSERT_OK_AND(auto* auditor, As("region-auditor").audit());
  v1::ExportRequest request;
  request.set_request_id(sdk::NewRequestId().str());
  request.set_with_details(true);
  request.set_ground("restore of the broker");
  request.set_reference("RESTORE-1");
  // An export reaches to the last checkpoint, which is signed within a second.
  ASSERT_OK_AND(auto* sender, As("corporation").audit());
  ASSERT_OK(sender->Prove(again.entry.answer().accepted().receipts(0)));
  const fs::path file = region().folder() / "restored.export";
  ASSERT_OK(auditor->Export(request, file));
  const auto verifier = merkle::VerifierKey::Parse(key);
  ASSERT_TRUE(verifier.ok());
  ASSERT_OK_AND(const auto report, sdk::VerifyExport(file, *verifier, std::nullopt));
  EXPECT_TRUE(report.verified) << report.sentence_en;
  EXPECT_GT(report.summary.records, backed_up);
}

}  // namespace
}  // namespace schakel::e2e
