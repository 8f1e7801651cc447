// Custodians over mutual TLS on loopback, and the calls of their members.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "broker/crypto/ristretto.h"
#include "broker/custodian/custodian_server.h"
#include "broker/transport/errors.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "tests/unit/custodian/custodian_set.h"

namespace schakel::custodian {

using HealthResponse = grpc::health::v1::HealthCheckResponse;

inline const std::string kMember = testing::TestOin(1000);
inline const std::string kOther = testing::TestOin(2000);

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
  // Of one that does not start: its one problem.
  Error RefusedStart(size_t i) {
    std::vector<Error> problems;
    EXPECT_EQ(CustodianServer::Start(set_.SettingsOf(i), &clock_, log_.get(), &problems), nullptr);
    EXPECT_EQ(problems.size(), 1u);
    return problems.empty() ? Error() : problems[0];
  }
  void Stop(size_t i) { servers_.erase(i); }
  std::shared_ptr<grpc::Channel> Channel(size_t i, const testing::TestCertificate& as) {
    return grpc::CreateChannel(
        "127.0.0.1:" + std::to_string(servers_.at(i)->port()),
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

}  // namespace schakel::custodian
