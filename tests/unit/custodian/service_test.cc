// The custodian as members see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "broker/crypto/pseudonym.h"
#include "tests/support/paths.h"
#include "tests/unit/custodian/service_fixture.h"

namespace schakel::custodian {
namespace {

using ::testing::HasSubstr;

nlohmann::json Vectors(const std::string& name) {
  return nlohmann::json::parse(testing::ReadFile(checkout::SourcePath("tests/vectors/") + name));
}

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
  // A replaced list is looked for every kCrlLookEvery.
  v1::GetBudgetResponse budget;
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (Budget(0, &budget).reason.empty() && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(Budget(0, &budget).reason, "CERTIFICATE_REVOKED");
  EXPECT_EQ(EvaluateSome(0, 1).reason, "CERTIFICATE_REVOKED");
  // A revoked stranger is refused as revoked: nothing is told about the members file.
  EXPECT_EQ(EvaluateSome(0, 1, &other_).reason, "CERTIFICATE_REVOKED");
}

TEST_F(ServiceTest, ACertificateOfAnotherAuthorityDoesNotGetAsFarAsACall) {
  Start(0);
  testing::TestPki forger(set_.folder(), "forger");
  const auto forged = forger.Issue({.oin = kMember});
  EXPECT_EQ(EvaluateSome(0, 1, &forged).error.code, ErrorCode::kUnavailable);
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

}  // namespace
}  // namespace schakel::custodian
