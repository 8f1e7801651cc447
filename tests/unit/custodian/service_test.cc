// The custodian as members see it: over mutual TLS on loopback.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "broker/crypto/pseudonym.h"
#include "broker/custodian/custodian_server.h"
#include "broker/transport/errors.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "tests/support/paths.h"
#include "tests/unit/custodian/custodian_set.h"

namespace schakel::custodian {
namespace {

using ::testing::HasSubstr;
using HealthResponse = grpc::health::v1::HealthCheckResponse;

const std::string kMember = testing::TestOin(1000);
const std::string kOther = testing::TestOin(2000);

nlohmann::json Vectors(const std::string& name) {
  return nlohmann::json::parse(testing::ReadFile(checkout::SourcePath("tests/vectors/") + name));
}

// What a call ended with: the code's name is in `reason`, empty when it went well.
struct Ended {
  std::string reason;
  Error error;
};

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    member_ = set_.pki().Issue({.oin = kMember, .until = std::chrono::hours(24 * 60)});
    other_ = set_.pki().Issue({.oin = kOther});
    log_ = std::move(transport::Logger::Make("info", lines_.out())).value();
    Admit({});
  }
  void Admit(MemberEntry first) {
    first.oin = kMember;
    if (first.certificate.empty()) first.certificate = member_.certificate;
    set_.WriteMembers({first});
  }
  CustodianServer& Start(size_t i, const std::string& more = {}) {
    std::vector<Error> problems;
    if (!set_.HasLog(i)) set_.Begin(i);
    servers_[i] = CustodianServer::Start(set_.SettingsOf(i, more), &clock_, log_.get(), &problems);
    SCHAKEL_CHECK(servers_[i] != nullptr, "the custodian starts");
    return *servers_[i];
  }
  void Stop(size_t i) { servers_.erase(i); }
  std::shared_ptr<grpc::Channel> Channel(size_t i, const testing::TestCertificate& as) {
    return grpc::CreateChannel(
        "localhost:" + std::to_string(servers_.at(i)->port()),
        transport::MakeChannelCredentials(set_.pki().ca_pem(), as.certificate_pem(), as.key_pem()));
  }
  static void Fill(grpc::ClientContext* context, bool with_actor = true) {
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    if (!with_actor) return;
    context->AddMetadata("schakel-actor", "user-1");
    context->AddMetadata("schakel-actor-role", "worker");
  }
  static Ended End(const grpc::Status& status) {
    if (status.ok()) return {};
    const Error error = transport::ErrorFromStatus(status);
    return {error.reason, error};
  }
  Ended Evaluate(size_t i, const v1::EvaluateRequest& request, v1::EvaluateResponse* response,
                 const testing::TestCertificate* as = nullptr, bool with_actor = true) {
    grpc::ClientContext context;
    Fill(&context, with_actor);
    const auto stub = v1::CustodianService::NewStub(Channel(i, as == nullptr ? member_ : *as));
    return End(stub->Evaluate(&context, request, response));
  }
  // Of `count` random elements.
  Ended EvaluateSome(size_t i, size_t count, const testing::TestCertificate* as = nullptr,
                     bool with_actor = true) {
    v1::EvaluateRequest request;
    request.set_epoch(1);
    for (size_t n = 0; n < count; ++n) {
      request.add_blinded_elements(
          crypto::Point::MultiplyGenerator(crypto::SecretScalar::Random()).str());
    }
    v1::EvaluateResponse response;
    Ended ended = Evaluate(i, request, &response, as, with_actor);
    EXPECT_EQ(response.evaluated_elements_size(),
              ended.reason.empty() ? static_cast<int>(count) : 0);
    return ended;
  }
  Ended Budget(size_t i, v1::GetBudgetResponse* budget,
               const testing::TestCertificate* as = nullptr) {
    grpc::ClientContext context;
    Fill(&context);
    const auto stub = v1::CustodianService::NewStub(Channel(i, as == nullptr ? member_ : *as));
    return End(stub->GetBudget(&context, {}, budget));
  }
  Ended Document(size_t i, uint32_t epoch, v1::GetKeyDocumentResponse* document,
                 const testing::TestCertificate* as = nullptr) {
    grpc::ClientContext context;
    Fill(&context);
    v1::GetKeyDocumentRequest request;
    request.set_epoch(epoch);
    const auto stub = v1::CustodianService::NewStub(Channel(i, as == nullptr ? member_ : *as));
    return End(stub->GetKeyDocument(&context, request, document));
  }
  HealthResponse::ServingStatus Health(size_t i, const std::string& service) {
    grpc::ClientContext context;
    Fill(&context, false);
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    HealthResponse response;
    const auto stub = grpc::health::v1::Health::NewStub(Channel(i, member_));
    EXPECT_TRUE(stub->Check(&context, request, &response).ok());
    return response.status();
  }
  // Reads the health watch of a service until it says `wanted`.
  bool HealthBecomes(size_t i, const std::string& service, HealthResponse::ServingStatus wanted) {
    grpc::ClientContext context;
    Fill(&context, false);
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    const auto stub = grpc::health::v1::Health::NewStub(Channel(i, member_));
    const auto watch = stub->Watch(&context, request);
    HealthResponse response;
    while (watch->Read(&response)) {
      if (response.status() == wanted) return true;
    }
    return false;
  }

  // How a question for the list of services ends.
  grpc::StatusCode Reflected(size_t i) {
    grpc::ClientContext context;
    Fill(&context, false);
    const auto stub = grpc::reflection::v1::ServerReflection::NewStub(Channel(i, member_));
    const auto stream = stub->ServerReflectionInfo(&context);
    grpc::reflection::v1::ServerReflectionRequest request;
    request.set_list_services("*");
    grpc::reflection::v1::ServerReflectionResponse response;
    if (stream->Write(request) && stream->Read(&response)) {
      bool listed = false;
      for (const auto& service : response.list_services_response().service()) {
        listed = listed || service.name() == "schakel.v1.CustodianService";
      }
      EXPECT_TRUE(listed);
    }
    stream->WritesDone();
    return stream->Finish().error_code();
  }

  CustodianSet set_;
  SetClock clock_;
  SharedLines lines_;
  std::unique_ptr<transport::Logger> log_;
  testing::TestCertificate member_, other_;
  std::map<size_t, std::unique_ptr<CustodianServer>> servers_;
};

TEST_F(ServiceTest, AnyTwoOfThreeGiveTheSamePseudonyms) {
  const auto numbers = Vectors("identifiers/rvig-test-bsn.json").at("valid");
  std::vector<std::string> bsns;
  for (size_t i = 0; i < 5; ++i) bsns.push_back(numbers[i].get<std::string>());
  const std::vector<std::string_view> views(bsns.begin(), bsns.end());
  const auto request = crypto::PseudonymRequest::Begin(views);
  ASSERT_TRUE(request.ok());
  v1::EvaluateRequest wire;
  wire.set_epoch(1);
  for (const auto& element : request->blinded_elements()) {
    wire.add_blinded_elements(element.str());
  }
  std::vector<crypto::CustodianAnswer> answers;
  for (size_t i = 0; i < 3; ++i) {
    Start(i);
    v1::EvaluateResponse response;
    ASSERT_EQ(Evaluate(i, wire, &response).reason, "");
    EXPECT_EQ(response.share(), i + 1);
    answers.push_back({*OrganisationId::From(CustodianSet::CustodianOin(i)),
                       {response.evaluated_elements().begin(), response.evaluated_elements().end()},
                       response.proof()});
  }
  v1::GetKeyDocumentResponse served;
  ASSERT_EQ(Document(0, 1, &served).reason, "");
  const auto document = crypto::KeyDocument::Parse(served.key_document());
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->digest(), set_.digest());

  const auto first = request->Combine(*document, std::vector{answers[0], answers[1]});
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_EQ(first->size(), bsns.size());
  EXPECT_NE(first->at(0), first->at(1));
  for (const auto& [a, b] : {std::pair(0, 2), std::pair(1, 2), std::pair(2, 1), std::pair(1, 0)}) {
    const auto again = request->Combine(*document, std::vector{answers[a], answers[b]});
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*again, *first);
  }
  EXPECT_FALSE(request->Combine(*document, std::vector{answers[0]}).ok());
  auto forged = answers[1];
  std::swap(forged.elements[0], forged.elements[1]);
  EXPECT_EQ(request->Combine(*document, std::vector{answers[0], forged}).error().reason,
            "CUSTODIAN_ANSWER_INVALID");
}

TEST_F(ServiceTest, TheKeyDocumentIsTheDealersFile) {
  Start(0);
  for (const uint32_t epoch : {0u, 1u}) {
    v1::GetKeyDocumentResponse document;
    ASSERT_EQ(Document(0, epoch, &document).reason, "");
    EXPECT_EQ(document.SerializeAsString(), testing::ReadFile(set_.document()));
  }
  v1::GetKeyDocumentResponse document;
  const Ended unknown = Document(0, 2, &document);
  EXPECT_EQ(unknown.reason, "EPOCH_UNKNOWN");
  EXPECT_EQ(unknown.error.field, "epoch");
}

TEST_F(ServiceTest, WhoIsNotInTheMembersFileHasNoAuthorityForAnyCall) {
  Start(0);
  v1::GetBudgetResponse budget;
  v1::GetKeyDocumentResponse document;
  EXPECT_EQ(EvaluateSome(0, 1, &other_).reason, "NO_AUTHORITY");
  EXPECT_EQ(EvaluateSome(0, 1, &other_).error.code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(Budget(0, &budget, &other_).reason, "NO_AUTHORITY");
  EXPECT_EQ(Document(0, 1, &document, &other_).reason, "NO_AUTHORITY");
}

TEST_F(ServiceTest, RefusesEachWrongCallerWithItsReason) {
  Start(0);
  const auto same_oin_other_key = set_.pki().Issue({.oin = kMember});
  EXPECT_EQ(EvaluateSome(0, 1, &same_oin_other_key).reason, "CERTIFICATE_UNKNOWN");
  const auto nameless = set_.pki().Issue(testing::TestPki::Leaf{.oin = ""});
  EXPECT_EQ(EvaluateSome(0, 1, &nameless).reason, "CERTIFICATE_UNKNOWN");
  EXPECT_EQ(EvaluateSome(0, 1, nullptr, false).reason, "ACTOR_MISSING");

  Admit({.disabled = true});
  EXPECT_EQ(EvaluateSome(0, 1).reason, "ORGANISATION_DISABLED");
  Admit({});
  EXPECT_EQ(EvaluateSome(0, 1).reason, "");

  set_.pki().Revoke(member_);
  set_.pki().Revoke(other_);
  set_.pki().WriteCrl();
  EXPECT_EQ(EvaluateSome(0, 1).reason, "CERTIFICATE_REVOKED");
  // A revoked stranger is refused as revoked: nothing is told about the members file.
  EXPECT_EQ(EvaluateSome(0, 1, &other_).reason, "CERTIFICATE_REVOKED");
  v1::GetBudgetResponse budget;
  EXPECT_EQ(Budget(0, &budget).reason, "CERTIFICATE_REVOKED");
}

TEST_F(ServiceTest, ACertificateOfAnotherAuthorityDoesNotGetAsFarAsACall) {
  Start(0);
  testing::TestPki forger(set_.folder(), "forger");
  const auto forged = forger.Issue({.oin = kMember});
  EXPECT_EQ(EvaluateSome(0, 1, &forged).error.code, ErrorCode::kUnavailable);
}

TEST_F(ServiceTest, ABudgetStaysUsedUpAfterARestart) {
  Admit({.per_day = 10, .per_30_days = 100});
  Start(0);
  EXPECT_EQ(EvaluateSome(0, 8).reason, "");
  const Ended refused = EvaluateSome(0, 3);
  EXPECT_EQ(refused.reason, "BUDGET_EXHAUSTED");
  EXPECT_EQ(refused.error.code, ErrorCode::kResourceExhausted);
  EXPECT_GT(refused.error.retry_after_ms, 0);
  EXPECT_EQ(EvaluateSome(0, 2).reason, "");

  Stop(0);
  Start(0);
  EXPECT_EQ(EvaluateSome(0, 1).reason, "BUDGET_EXHAUSTED");
  v1::GetBudgetResponse budget;
  EXPECT_EQ(Budget(0, &budget).reason, "");
  EXPECT_EQ(budget.day_remaining(), 0u);
  EXPECT_EQ(budget.day_limit(), 10u);
  EXPECT_EQ(budget.month_remaining(), 90u);
  EXPECT_EQ(budget.month_limit(), 100u);
  EXPECT_EQ(budget.day_resets().seconds() % 86'400, 0);
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Wall()).count();
  EXPECT_GT(budget.day_resets().seconds(), now);
  EXPECT_LE(budget.day_resets().seconds(), now + 86'400);
}

TEST_F(ServiceTest, TheNextDayFillsTheDaysBudgetAndNotThatOf30Days) {
  Admit({.per_day = 10, .per_30_days = 15});
  Start(0);
  EXPECT_EQ(EvaluateSome(0, 10).reason, "");
  clock_.SetAhead(std::chrono::days(1));
  EXPECT_EQ(EvaluateSome(0, 5).reason, "");
  EXPECT_EQ(EvaluateSome(0, 1).reason, "BUDGET_EXHAUSTED");
  clock_.SetAhead(std::chrono::days(0));
  EXPECT_EQ(EvaluateSome(0, 1).reason, "BUDGET_EXHAUSTED");
  clock_.SetAhead(std::chrono::days(30));
  EXPECT_EQ(EvaluateSome(0, 10).reason, "");
}

TEST_F(ServiceTest, TheCapHoldsOverAllMembers) {
  set_.WriteMembers({{kMember, member_.certificate}, {kOther, other_.certificate}});
  Start(0, "cap_per_day: 12\n");
  EXPECT_EQ(EvaluateSome(0, 8).reason, "");
  const Ended refused = EvaluateSome(0, 5, &other_);
  EXPECT_EQ(refused.reason, "BUDGET_EXHAUSTED");
  EXPECT_THAT(refused.error.message, HasSubstr("cap"));
  EXPECT_EQ(EvaluateSome(0, 4, &other_).reason, "");
}

TEST_F(ServiceTest, ConcurrentCallsNeverGetMoreThanTheBudget) {
  Admit({.per_day = 50, .per_30_days = 5000});
  Start(0);
  std::atomic<int> granted = 0, exhausted = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int n = 0; n < 10; ++n) {
        const std::string reason = EvaluateSome(0, 1).reason;
        granted += reason.empty() ? 1 : 0;
        exhausted += reason == "BUDGET_EXHAUSTED" ? 1 : 0;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(granted, 50);
  EXPECT_EQ(exhausted, 30);
}

TEST_F(ServiceTest, AMembersFileAppliesWithoutRestartAndABrokenOneChangesNothing) {
  auto& server = Start(0);
  EXPECT_EQ(EvaluateSome(0, 1, &other_).reason, "NO_AUTHORITY");
  set_.WriteMembers({{kMember, member_.certificate}, {kOther, other_.certificate, 5, 50}});
  EXPECT_EQ(EvaluateSome(0, 5, &other_).reason, "");
  EXPECT_EQ(EvaluateSome(0, 1, &other_).reason, "BUDGET_EXHAUSTED");
  set_.WriteMembers({{kMember, member_.certificate}, {kOther, other_.certificate, 6, 50}});
  EXPECT_EQ(EvaluateSome(0, 1, &other_).reason, "");
  EXPECT_EQ(Health(0, kReloadHealth), HealthResponse::SERVING);

  testing::WriteFile(set_.members(), "members:\n  - oin: everybody\n");
  EXPECT_EQ(EvaluateSome(0, 1).reason, "");
  EXPECT_THAT(lines_.str(), HasSubstr("members_not_read"));
  EXPECT_THAT(lines_.str(), HasSubstr(set_.members().string() + ":2"));
  EXPECT_TRUE(HealthBecomes(0, kReloadHealth, HealthResponse::NOT_SERVING));
  EXPECT_EQ(Health(0, ""), HealthResponse::SERVING);
  EXPECT_THAT(server.metrics().Text(), HasSubstr("members_reload_failures_total 1"));
  EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_members_file_current 0"));

  set_.WriteMembers({{kMember, member_.certificate}});
  EXPECT_EQ(EvaluateSome(0, 1, &other_).reason, "NO_AUTHORITY");
  EXPECT_TRUE(HealthBecomes(0, kReloadHealth, HealthResponse::SERVING));
}

struct BadRequest {
  const char* name;
  std::function<void(v1::EvaluateRequest*)> change;
  const char* reason;
  const char* field;
};

TEST_F(ServiceTest, RefusesMalformedRequestsWithReasonAndField) {
  Start(0);
  const auto set_element = [](int i, Bytes raw) {
    return [=](v1::EvaluateRequest* r) { r->set_blinded_elements(i, raw); };
  };
  const Bytes good = crypto::Point::Generator().str();
  const std::vector<BadRequest> cases = {
      {"no epoch", [](auto* r) { r->set_epoch(0); }, "FIELD_MISSING", "epoch"},
      {"other epoch", [](auto* r) { r->set_epoch(2); }, "EPOCH_UNKNOWN", "epoch"},
      {"no elements", [](auto* r) { r->clear_blinded_elements(); }, "FIELD_MISSING",
       "blinded_elements"},
      {"257 elements",
       [&](auto* r) {
         while (r->blinded_elements_size() < 257) r->add_blinded_elements(good);
       },
       "TOO_LARGE", "blinded_elements"},
      {"empty", set_element(0, ""), "ELEMENT_INVALID", "blinded_elements[0]"},
      {"31 bytes", set_element(1, good.substr(1)), "ELEMENT_INVALID", "blinded_elements[1]"},
      {"33 bytes", set_element(2, good + '\0'), "ELEMENT_INVALID", "blinded_elements[2]"},
      {"identity", set_element(2, Bytes(32, '\0')), "ELEMENT_INVALID", "blinded_elements[2]"},
      {"too much for a message",
       [](auto* r) { r->add_blinded_elements(Bytes(limits::kCustodianMessageBytesMax, 'x')); },
       "TOO_LARGE", ""},
  };
  const auto check = [&](const BadRequest& bad) {
    v1::EvaluateRequest request;
    request.set_epoch(1);
    for (int i = 0; i < 3; ++i) request.add_blinded_elements(good);
    bad.change(&request);
    v1::EvaluateResponse response;
    const Ended ended = Evaluate(0, request, &response);
    EXPECT_EQ(ended.reason, bad.reason) << bad.name;
    EXPECT_EQ(ended.error.field, bad.field) << bad.name;
    EXPECT_EQ(response.ByteSizeLong(), 0u) << bad.name;
  };
  for (const BadRequest& bad : cases) check(bad);
  const auto invalid = Vectors("ristretto255/rfc9496.json").at("invalid_encodings");
  ASSERT_EQ(invalid.size(), 29u);
  for (const auto& encoding : invalid) {
    const std::string hex = encoding.get<std::string>();
    check({hex.c_str(), set_element(1, *HexDecode(hex)), "ELEMENT_INVALID", "blinded_elements[1]"});
  }
  v1::GetBudgetResponse budget;
  EXPECT_EQ(Budget(0, &budget).reason, "");
  EXPECT_EQ(budget.day_remaining(), 500u);
}

TEST_F(ServiceTest, ServesHealthMetricsAndReflectionAsConfigured) {
  auto& server = Start(0, "metrics_address: 127.0.0.1:0\nreflection: true\n");
  EXPECT_GT(server.metrics_port(), 0);
  EXPECT_EQ(Health(0, ""), HealthResponse::SERVING);
  EXPECT_EQ(Health(0, "schakel.v1.CustodianService"), HealthResponse::SERVING);
  EXPECT_EQ(Reflected(0), grpc::StatusCode::OK);
  EXPECT_EQ(EvaluateSome(0, 3).reason, "");
  EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_evaluations_total 3"));
  EXPECT_EQ(server.metrics().Text().find(kMember), std::string::npos);

  EXPECT_EQ(Start(1).metrics_port(), 0);
  EXPECT_EQ(Reflected(1), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServiceTest, ASecondCustodianOnTheSameDataFolderIsRefused) {
  Start(0);
  std::vector<Error> problems;
  const Settings settings = set_.SettingsOf(0);
  EXPECT_EQ(CustodianServer::Start(settings, &clock_, log_.get(), &problems), nullptr);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].field, settings.At("data_folder", "").field);
}

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

TEST_F(ServiceTest, ADataFolderWithoutALogIsRefused) {
  std::vector<Error> problems;
  const Settings settings = set_.SettingsOf(0);
  EXPECT_EQ(CustodianServer::Start(settings, &clock_, log_.get(), &problems), nullptr);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].field, settings.At("data_folder", "").field);
  EXPECT_THAT(problems[0].message, HasSubstr("schakel-custodian init"));
}

TEST_F(ServiceTest, AnotherLogKeyThanTheLogBeganWithIsRefused) {
  set_.Begin(0);
  std::filesystem::copy_file(set_.log_key_file(1), set_.log_key_file(0),
                             std::filesystem::copy_options::overwrite_existing);
  std::vector<Error> problems;
  const Settings settings = set_.SettingsOf(0);
  EXPECT_EQ(CustodianServer::Start(settings, &clock_, log_.get(), &problems), nullptr);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].field, settings.At("log_key_file", "").field);
}

TEST_F(ServiceTest, AGaugeNamesWhoUsedHalfOfABudget) {
  Admit({.per_day = 10, .per_30_days = 40});
  auto& server = Start(0, "cap_per_day: 20\n");
  const std::string day =
      "schakel_custodian_budget_used_ratio{organisation=\"" + kMember + "\",scope=\"day\"} ";
  const std::string window =
      "schakel_custodian_budget_used_ratio{organisation=\"" + kMember + "\",scope=\"30-days\"} ";
  EXPECT_EQ(EvaluateSome(0, 4).reason, "");
  server.Look();
  EXPECT_EQ(server.metrics().Text().find(kMember), std::string::npos);
  EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_members_over_half 0"));
  EXPECT_EQ(lines_.str().find("budget_half_used"), std::string::npos);
  EXPECT_EQ(EvaluateSome(0, 2).reason, "");
  server.Look();
  EXPECT_THAT(server.metrics().Text(), HasSubstr(day + "0.6"));
  EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_members_over_half 1"));
  EXPECT_EQ(server.metrics().Text().find(window), std::string::npos);
  EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_cap_used_ratio 0.3"));
  EXPECT_THAT(lines_.str(), HasSubstr("budget_half_used"));
  EXPECT_EQ(lines_.str().find("user-1"), std::string::npos) << "no personal data";
  EXPECT_EQ(EvaluateSome(0, 4).reason, "");
  clock_.SetAhead(std::chrono::days(1));
  EXPECT_EQ(EvaluateSome(0, 10).reason, "");
  server.Look();
  EXPECT_THAT(server.metrics().Text(), HasSubstr(day + "1"));
  EXPECT_THAT(server.metrics().Text(), HasSubstr(window + "0.5"));
  EXPECT_THAT(server.metrics().Text(),
              HasSubstr("schakel_custodian_budget_half_used_total{scope=\"30-days\"} 1"));
  EXPECT_THAT(server.metrics().Text(),
              HasSubstr("schakel_custodian_budget_half_used_total{scope=\"cap\"} 2"));
}

}  // namespace
}  // namespace schakel::custodian
