// Checkpoints that are remembered, exports that are verified, proofs and tiles, against a log in
// the test's own process.
#include "clients/sdk/audit_client.h"

#include "broker/merkle/tile.h"
#include "clients/sdk/export_verification.h"
#include "clients/sdk/files.h"
#include "clients/sdk/tlog_tiles.h"
#include "tests/unit/sdk/fake_log.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

class AuditService final : public v1::AuditService::Service {
 public:
  grpc::Status GetCheckpoint(grpc::ServerContext*, const v1::GetCheckpointRequest*,
                             v1::GetCheckpointResponse* response) override {
    if (grows_to > size) ++size;
    response->set_checkpoint(note.empty() ? log->Note(size) : note);
    return grpc::Status::OK;
  }
  grpc::Status GetConsistencyProof(grpc::ServerContext*,
                                   const v1::GetConsistencyProofRequest* request,
                                   v1::GetConsistencyProofResponse* response) override {
    const auto path =
        merkle::ConsistencyProof(request->first_size(), request->second_size(), log->Nodes());
    for (const auto& hash : *path) response->add_path(hash.str());
    return grpc::Status::OK;
  }
  grpc::Status GetInclusionProof(grpc::ServerContext*, const v1::GetInclusionProofRequest* request,
                                 v1::GetInclusionProofResponse* response) override {
    response->set_entry(log->entries[request->index()].str());
    const auto path = merkle::InclusionProof(request->index(), request->tree_size(), log->Nodes());
    for (const auto& hash : *path) response->add_path(hash.str());
    if (spoils_path) response->set_path(0, Bytes(32, 'x'));
    return grpc::Status::OK;
  }
  grpc::Status GetTile(grpc::ServerContext*, const v1::GetTileRequest* request,
                       v1::GetTileResponse* response) override {
    const uint32_t width = request->width() == 0 ? 256 : request->width();
    std::vector<Digest> entries(
        log->entries.begin() + static_cast<long>(request->index() * 256),
        log->entries.begin() + static_cast<long>(request->index() * 256 + width));
    if (spoils_tile) entries[0] = Digest{};
    response->set_tile(merkle::EncodeEntryBundle(entries));
    return grpc::Status::OK;
  }
  grpc::Status Export(grpc::ServerContext*, const v1::ExportRequest*,
                      grpc::ServerWriter<v1::ExportResponse>* writer) override {
    const Bytes all = log->Export();
    const size_t frames = all.size() - log->Note(log->entries.size()).size();
    for (size_t at = 0; at < frames; at += 1000) {
      v1::ExportResponse piece;
      piece.set_frames(all.substr(at, std::min<size_t>(1000, frames - at)));
      writer->Write(piece);
    }
    if (cuts_export) return grpc::Status::OK;
    v1::ExportResponse last;
    last.set_checkpoint(all.substr(frames));
    writer->Write(last);
    return grpc::Status::OK;
  }
  grpc::Status QueryRecords(grpc::ServerContext*, const v1::QueryRecordsRequest* request,
                            v1::QueryRecordsResponse* response) override {
    request_ids.insert(request->request_id());
    if (request->filter().has_index()) {
      if (request->filter().index() == destroyed.sweep_index()) return grpc::Status::OK;
      auto* record = response->add_records();
      record->set_index(request->filter().index() + index_shift);
      *record->mutable_destroyed() = destroyed;
      return grpc::Status::OK;
    }
    const uint64_t page = request->page_token().empty() ? 0 : std::stoull(request->page_token());
    response->add_records()->set_index(page);
    if (page < 2) response->set_next_page_token(std::to_string(page + 1));
    return grpc::Status::OK;
  }
  grpc::Status SubjectReport(grpc::ServerContext*, const v1::SubjectReportRequest* request,
                             v1::SubjectReportResponse* response) override {
    const uint64_t page = request->page_token().empty() ? 0 : std::stoull(request->page_token());
    response->add_entries()->set_index(page);
    if (page < 2) response->set_next_page_token(std::to_string(page + 1));
    return grpc::Status::OK;
  }

  // Three pages: of the directory, with two sums that go on over the pages.
  grpc::Status GetStateAt(grpc::ServerContext*, const v1::GetStateAtRequest* request,
                          v1::GetStateAtResponse* response) override {
    request_ids.insert(request->request_id());
    page_sizes.push_back(request->page_size());
    const uint64_t page = request->page_token().empty() ? 0 : std::stoull(request->page_token());
    response->add_organisations()->set_version(page + 1);
    response->add_statements()->set_record_index(page);
    for (const char* rule : {"retention.statements", "retention.records.publish"}) {
      auto* sum = response->add_swept();
      sum->set_rule(rule);
      sum->set_count(page + 1);
      sum->set_sweeps(1);
      sum->mutable_first()->set_seconds(static_cast<int64_t>(100 + page));
      sum->mutable_last()->set_seconds(static_cast<int64_t>(200 + page));
      sum->set_last_index(page);
    }
    response->mutable_receipt()->set_index(50 + page);
    response->mutable_policy()->set_version("2026.1");
    if (page < 2) response->set_next_page_token(std::to_string(page + 1));
    return grpc::Status::OK;
  }

  v1::DestroyedRecord destroyed;  // what is left of each record but the sweep's own
  uint64_t index_shift = 0;       // another record than the one that was asked for
  std::vector<uint32_t> page_sizes;
  const Log* log = nullptr;
  uint64_t size = 0;
  uint64_t grows_to = 0;  // one more with each checkpoint
  std::string note;       // instead of the right one
  bool spoils_path = false;
  bool spoils_tile = false;
  bool cuts_export = false;
  std::set<std::string> request_ids;
};

class Auditing : public ::testing::Test {
 protected:
  Auditing() {
    service_.log = &log_;
    service_.size = 300;
  }
  AuditClient Client(CheckpointMemory& memory) {
    return AuditClient(server_.Connect(TestOptions(std::chrono::milliseconds(1500))), memory);
  }
  CheckpointMemory Memory() { return CheckpointMemory(folder_.path(), LogVerifier()); }

  crypto::TempFolder folder_;
  Log log_{300};
  AuditService service_;
  FakeServer server_{{&service_}};
  CheckpointMemory memory_ = Memory();
  AuditClient client_ = Client(memory_);
};

// ---- Checkpoints ----

TEST_F(Auditing, SaysWhenACheckpointIsTheFirstLook) {
  service_.size = 100;
  const auto first = client_.Checkpoint();
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_TRUE(first->first_look());
  service_.size = 250;
  const auto second = client_.Checkpoint();
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_FALSE(second->first_look());
  EXPECT_EQ(second->remembered->size, 100u);
  EXPECT_EQ(Memory().Remembered()->value().head.size, 250u) << "also for the next program";
}

TEST_F(Auditing, NoticesALogThatWasRolledBack) {
  service_.size = 250;
  ASSERT_TRUE(client_.Checkpoint().ok());
  service_.size = 249;
  const auto rolled_back = client_.Checkpoint();
  ASSERT_FALSE(rolled_back.ok());
  EXPECT_EQ(rolled_back.error().reason, "CHECKPOINT_INCONSISTENT");
  EXPECT_EQ(memory_.Remembered()->value().head.size, 250u) << "the memory stays as it was";
}

TEST_F(Auditing, NoticesAnotherTreeOfTheSameOrALargerSize) {
  service_.size = 250;
  ASSERT_TRUE(client_.Checkpoint().ok());
  const Log other(300, "x");
  service_.log = &other;
  EXPECT_EQ(client_.Checkpoint().error().reason, "CHECKPOINT_INCONSISTENT");
  service_.size = 300;
  EXPECT_EQ(client_.Checkpoint().error().reason, "CHECKPOINT_INCONSISTENT");
}

TEST_F(Auditing, TakesTheLogKeyFromTheContextAndNotFromTheLog) {
  service_.note = log_.Note(300, 'x');
  EXPECT_EQ(client_.Checkpoint().error().reason, "SIGNATURE_MISSING");
  service_.note = log_.Note(300);
  service_.note[service_.note.size() - 10] ^= 1;
  EXPECT_FALSE(client_.Checkpoint().ok());
  EXPECT_FALSE(memory_.Remembered()->has_value());
}

TEST_F(Auditing, DoesNotStartAnewWhenItsMemoryIsDamaged) {
  ASSERT_TRUE(client_.Checkpoint().ok());
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    if (file.path().extension() != ".lock") crypto::WriteText(file.path(), "nonsense");
  }
  EXPECT_EQ(client_.Checkpoint().error().reason, "CHECKPOINT_MEMORY_DAMAGED");
}

TEST_F(Auditing, GoesOnFromAnEmptyLog) {
  service_.size = 0;
  ASSERT_TRUE(client_.Checkpoint().ok());
  service_.size = 5;
  EXPECT_TRUE(client_.Checkpoint().ok());
}

// ---- Proofs ----

v1::LogReceipt ReceiptOf(const Log& log, uint64_t index) {
  v1::LogReceipt receipt;
  receipt.set_index(index);
  receipt.set_record(log.records[index]);
  receipt.set_salt(log.salts[index].str());
  return receipt;
}

TEST_F(Auditing, ProvesARecordThatVerifiesOffline) {
  const auto proven = client_.Prove(ReceiptOf(log_, 123));
  ASSERT_TRUE(proven.ok()) << proven.error().message;
  EXPECT_EQ(proven->entry, log_.entries[123]);
  const auto read = merkle::ParseProofBundle(merkle::EncodeProofBundle(proven->proof));
  EXPECT_TRUE(merkle::VerifyProofBundle(*read, log_.entries[123], LogVerifier()).ok());
  EXPECT_TRUE(client_.ProveIndex(7).ok());
}

TEST_F(Auditing, RefusesARecordThatIsNotTheLoggedOne) {
  auto receipt = ReceiptOf(log_, 123);
  receipt.mutable_record()->back() ^= 1;
  EXPECT_EQ(client_.Prove(receipt).error().reason, "COMMITMENT_MISMATCH");
  service_.spoils_path = true;
  EXPECT_EQ(client_.Prove(ReceiptOf(log_, 123)).error().reason, "PROOF_INVALID");
}

TEST_F(Auditing, WaitsForTheCheckpointThatCoversAFreshRecord) {
  service_.size = 99;
  service_.grows_to = 102;
  EXPECT_TRUE(client_.Prove(ReceiptOf(log_, 101)).ok());
  EXPECT_EQ(client_.Prove(ReceiptOf(log_, 299)).error().reason, "POSITION_NOT_REACHED");
}

// ---- Queries ----

TEST_F(Auditing, ReadsEveryPageUnderAnIdOfItsOwn) {
  std::vector<uint64_t> seen;
  ASSERT_TRUE(client_
                  .QueryAll({},
                            [&](const auto& page) {
                              seen.push_back(page.records(0).index());
                              return true;
                            })
                  .ok());
  EXPECT_EQ(seen, (std::vector<uint64_t>{0, 1, 2}));
  EXPECT_EQ(service_.request_ids.size(), 3u);
  const auto report = client_.SubjectReportAll({});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->entries_size(), 3);
}

TEST_F(Auditing, ProvesTheEntryOfARecordThatIsDestroyedAndTellsWhenAndByWhichRule) {
  service_.destroyed.set_term("retention.records.publish");
  service_.destroyed.mutable_time()->set_seconds(1'772'442'000);
  service_.destroyed.set_sweep_index(200);
  const auto proven = client_.ProveIndex(123);
  ASSERT_TRUE(proven.ok()) << proven.error().message;
  EXPECT_EQ(proven->entry, log_.entries[123]);
  EXPECT_TRUE(merkle::VerifyProofBundle(proven->proof, proven->entry, LogVerifier()).ok());
  const auto left = client_.RecordAt(123);
  ASSERT_TRUE(left.ok() && left->has_value());
  EXPECT_TRUE((*left)->record().empty());
  EXPECT_EQ((*left)->destroyed().term(), "retention.records.publish");
  EXPECT_EQ((*left)->destroyed().time().seconds(), 1'772'442'000);
  EXPECT_FALSE(client_.RecordAt(200)->has_value()) << "nothing there, or out of scope";
  service_.index_shift = 1;
  EXPECT_FALSE(client_.RecordAt(123)->has_value()) << "of another record";
  // A log that lost the entry with the record is caught.
  service_.spoils_path = true;
  EXPECT_EQ(client_.ProveIndex(123).error().reason, "PROOF_INVALID");
}

TEST_F(Auditing, ReadsAPastMomentInPagesAndAddsUpWhatTheySumUp) {
  const auto all = client_.StateAtAll({});
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(service_.request_ids.size(), 3u);
  ASSERT_EQ(all->organisations_size(), 3);
  EXPECT_EQ(all->organisations(2).version(), 3u);
  ASSERT_EQ(all->statements_size(), 3);
  EXPECT_EQ(all->statements(2).record_index(), 2u);
  ASSERT_EQ(all->swept_size(), 2);
  for (const auto& sum : all->swept()) {
    EXPECT_EQ(sum.count(), 6u);
    EXPECT_EQ(sum.sweeps(), 3u);
    EXPECT_EQ(sum.first().seconds(), 100);
    EXPECT_EQ(sum.last().seconds(), 202);
    EXPECT_EQ(sum.last_index(), 2u);
  }
  EXPECT_EQ(all->policy().version(), "2026.1");
  EXPECT_EQ(all->receipt().index(), 52u);
  EXPECT_EQ(all->next_page_token(), "");
}

TEST_F(Auditing, EndsAPastMomentAtTheRowsThatAreWantedAndSaysThatThereIsMore) {
  const auto some = client_.StateAtAll({}, 4);
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_EQ(some->organisations_size(), 1);
  EXPECT_NE(some->next_page_token(), "");
  EXPECT_EQ(service_.page_sizes, std::vector<uint32_t>{4});
}

// ---- Exports ----

TEST_F(Auditing, VerifiesADownloadedExportAndSaysWhatIsProven) {
  const auto file = folder_.path() / "log.export";
  uint64_t told = 0;
  ASSERT_TRUE(client_.Export({}, file, [&](uint64_t done, uint64_t) { told = done; }).ok());
  EXPECT_GT(told, 0u);
  EXPECT_EQ(crypto::ReadText(file), log_.Export());
  const auto report = VerifyExport(file, LogVerifier(), std::nullopt);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->verified) << report->fault->message;
  EXPECT_EQ(report->summary.entries, 300u);
  EXPECT_EQ(report->summary.records, 240u);
  EXPECT_EQ(report->summary.details, 80u);
  EXPECT_TRUE(report->first_look);
  EXPECT_NE(report->sentence_en.find("first look"), std::string::npos);
  EXPECT_NE(report->sentence_nl.find("eerste blik"), std::string::npos);
  EXPECT_NE(report->sentence_nl.find("niet bewezen: de tijdstippen"), std::string::npos);
  const auto later = VerifyExport(file, LogVerifier(), log_.Head(100));
  EXPECT_TRUE(later->verified);
  EXPECT_FALSE(later->first_look);
  EXPECT_NE(later->sentence_en.find("continues"), std::string::npos);
}

TEST_F(Auditing, LeavesNoFileOfAnExportThatBrokeOff) {
  service_.cuts_export = true;
  const auto file = folder_.path() / "log.export";
  EXPECT_EQ(client_.Export({}, file).error().reason, "EXPORT_MALFORMED");
  EXPECT_FALSE(std::filesystem::exists(file));
}

// ---- Tiles ----

std::map<std::string, std::string> FilesOf(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().lexically_relative(folder).generic_string()] =
        crypto::ReadText(entry.path());
  }
  return files;
}

TEST_F(Auditing, WritesTheSameTilesFromTheNetworkAndFromAnExport) {
  const auto from_network = folder_.path() / "network";
  const auto look = client_.ExportTiles(from_network);
  ASSERT_TRUE(look.ok()) << look.error().message;
  const auto file = folder_.path() / "log.export";
  ASSERT_TRUE(client_.Export({}, file).ok());
  const auto from_export = folder_.path() / "export";
  ASSERT_TRUE(TilesFromExport(file, from_export, LogVerifier()).ok());
  const auto files = FilesOf(from_network);
  EXPECT_EQ(files, FilesOf(from_export));
  std::vector<std::string> names;
  for (const auto& [name, content] : files) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"checkpoint", "tile/0/000", "tile/0/001.p/44",
                                             "tile/1/000.p/1", "tile/entries/000",
                                             "tile/entries/001.p/44"}));
  EXPECT_EQ(files.at("tile/0/000").size(), 256u * 32);
  EXPECT_EQ(files.at("tile/entries/000").size(), 256u * 34);
  EXPECT_EQ(files.at("checkpoint"), log_.Note(300));
}

TEST_F(Auditing, LeavesNoCheckpointWhenTheTilesAreNotTheSignedTree) {
  service_.spoils_tile = true;
  const auto folder = folder_.path() / "tiles";
  EXPECT_EQ(client_.ExportTiles(folder).error().reason, "TREE_MISMATCH");
  EXPECT_FALSE(std::filesystem::exists(folder / "checkpoint"));
}

}  // namespace
}  // namespace schakel::sdk
