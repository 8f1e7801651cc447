// The custodian's log as members read it, and the states of its store in which it starts or not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/custodian/service_fixture.h"

namespace schakel::custodian {
namespace {

using ::testing::HasSubstr;

// Of the database alone, where the high-water file tells, and of the whole folder, where only the
// head file outside it does.
TEST_F(ServiceTest, AnOlderCopyEvaluatesNothingAndShowsCheckpointsStill) {
  for (const std::string part : {"db", ""}) {
    SCOPED_TRACE(part);
    const auto copy = set_.folder() / "copy";
    Start(0);
    EXPECT_EQ(EvaluateSome(0, 1).reason, "");
    Stop(0);
    std::filesystem::copy(set_.data(0) / part, copy, std::filesystem::copy_options::recursive);
    Start(0);
    EXPECT_EQ(EvaluateSome(0, 1).reason, "");
    Stop(0);
    std::filesystem::remove_all(set_.data(0) / part);
    std::filesystem::rename(copy, set_.data(0) / part);
    auto& server = Start(0);
    EXPECT_TRUE(server.restored());
    EXPECT_EQ(EvaluateSome(0, 1).reason, "RESTORED");
    EXPECT_EQ(EvaluateSome(0, 1, &other_).reason, "NO_AUTHORITY");
    v1::GetBudgetResponse budget;
    EXPECT_EQ(Budget(0, &budget).reason, "RESTORED");
    EXPECT_EQ(Health(0, "schakel.v1.CustodianService"), HealthResponse::NOT_SERVING);
    EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_restored 1"));
    EXPECT_THAT(lines_.str(), HasSubstr("restored_copy"));
    const auto stub = v1::CustodianService::NewStub(Channel(0, member_));
    grpc::ClientContext context;
    Fill(&context);
    v1::GetLogCheckpointResponse checkpoint;
    EXPECT_EQ(End(stub->GetLogCheckpoint(&context, {}, &checkpoint)).reason, "");
    EXPECT_THAT(checkpoint.checkpoint(), HasSubstr("zhz.example/custodian/1\n"));
    grpc::ClientContext second;
    Fill(&second);
    v1::QueryLogRequest query;
    query.set_request_id(Bytes(16, 'q'));
    v1::QueryLogResponse records;
    EXPECT_EQ(End(stub->QueryLog(&second, query, &records)).reason, "RESTORED");
    Stop(0);
    // For the second round: begin anew.
    std::filesystem::remove_all(set_.data(0));
    std::filesystem::remove(set_.head(0));
  }
}

// What is asked is small here, what is answered need not be.
TEST_F(ServiceTest, APageAndAnExportMayBeLargerThanAnyRequest) {
  Admit({.per_day = 5000, .per_30_days = 5000});
  auto& server = Start(0);
  const auto stub = v1::CustodianService::NewStub(Channel(0, member_));
  v1::EvaluateRequest evaluate;
  evaluate.set_epoch(1);
  evaluate.add_blinded_elements(crypto::Point::Generator().str());
  constexpr int kCalls = 600;
  for (int i = 0; i < kCalls; ++i) {
    grpc::ClientContext context;
    Fill(&context);
    v1::EvaluateResponse response;
    ASSERT_EQ(End(stub->Evaluate(&context, evaluate, &response)).reason, "");
  }
  server.Look();
  grpc::ClientContext asking;
  Fill(&asking);
  v1::QueryLogRequest query;
  query.set_request_id(Bytes(16, 'q'));
  query.set_page_size(1000);
  v1::QueryLogResponse page;
  EXPECT_EQ(End(stub->QueryLog(&asking, query, &page)).reason, "");
  EXPECT_EQ(page.records_size(), kCalls);
  EXPECT_GT(page.ByteSizeLong(), limits::kCustodianMessageBytesMax);
  grpc::ClientContext exporting;
  Fill(&exporting);
  v1::ExportLogRequest request;
  request.set_request_id(Bytes(16, 'e'));
  const auto pieces = stub->ExportLog(&exporting, request);
  v1::ExportLogResponse piece;
  size_t bytes = 0;
  bool whole = false;
  while (pieces->Read(&piece)) {
    bytes += piece.frames().size();
    whole = whole || !piece.checkpoint().empty();
  }
  EXPECT_EQ(End(pieces->Finish()).reason, "");
  EXPECT_GT(bytes, limits::kCustodianMessageBytesMax);
  EXPECT_TRUE(whole);
}

TEST_F(ServiceTest, ASecondCustodianOnTheSameDataFolderIsRefused) {
  Start(0);
  const Error problem = RefusedStart(0);
  EXPECT_EQ(problem.field, set_.SettingsOf(0).At("data_folder", "").field);
}

TEST_F(ServiceTest, ADataFolderWithoutALogIsRefused) {
  const Error problem = RefusedStart(0);
  EXPECT_EQ(problem.field, set_.SettingsOf(0).At("data_folder", "").field);
  EXPECT_THAT(problem.message, HasSubstr("schakel-custodian init"));
}

TEST_F(ServiceTest, AnotherLogKeyThanTheLogBeganWithIsRefused) {
  set_.Begin(0);
  std::filesystem::copy_file(set_.log_key_file(1), set_.log_key_file(0),
                             std::filesystem::copy_options::overwrite_existing);
  const Error problem = RefusedStart(0);
  EXPECT_EQ(problem.field, set_.SettingsOf(0).At("log_key_file", "").field);
}

}  // namespace
}  // namespace schakel::custodian
