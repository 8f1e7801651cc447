#include "broker/transport/role_table.h"

#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <set>

#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "schakel/v1/audit.pb.h"
#include "schakel/v1/consent.pb.h"
#include "schakel/v1/custodian.pb.h"
#include "schakel/v1/directory.pb.h"
#include "schakel/v1/flow.pb.h"
#include "schakel/v1/inbox.pb.h"
#include "schakel/v1/policy.pb.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::transport {
namespace {

using google::protobuf::DescriptorPool;

// Every service of every file that this program links, found by its files, not by the table.
std::vector<std::string> AllServices() {
  std::vector<std::string> names;
  for (const google::protobuf::FileDescriptor* file :
       {v1::PublishRequest::descriptor()->file(), v1::PullRequest::descriptor()->file(),
        v1::Statement::descriptor()->file(), v1::Organisation::descriptor()->file(),
        v1::GetPolicyRequest::descriptor()->file(), v1::ExportRequest::descriptor()->file(),
        v1::EvaluateRequest::descriptor()->file(), v1::GetFlowRequest::descriptor()->file(),
        grpc::health::v1::HealthCheckRequest::descriptor()->file(),
        grpc::reflection::v1::ServerReflectionRequest::descriptor()->file()}) {
    EXPECT_GT(file->service_count(), 0);
    for (int i = 0; i < file->service_count(); ++i) names.push_back(file->service(i)->full_name());
  }
  return names;
}

TEST(RoleTable, HasEveryRpcAndNothingElse) {
  const std::vector<std::string> services = AllServices();
  EXPECT_TRUE(CheckComplete(*DescriptorPool::generated_pool(), services).ok());
  std::set<std::string> methods;
  for (const std::string& name : services) {
    const auto* service = DescriptorPool::generated_pool()->FindServiceByName(name);
    for (int i = 0; i < service->method_count(); ++i) {
      methods.insert(service->method(i)->full_name());
    }
  }
  for (const MethodRule& rule : RoleTable()) {
    EXPECT_EQ(methods.count(std::string(rule.method)), 1u) << rule.method;
  }
  EXPECT_EQ(methods.size(), RoleTable().size());
}

TEST(RoleTable, RefusesAServiceWithAnRpcThatIsNotInIt) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("test.proto");
  file.set_package("schakel.v1");
  file.add_message_type()->set_name("M");
  auto* service = file.add_service();
  service->set_name("NewService");
  auto* method = service->add_method();
  method->set_name("DoIt");
  method->set_input_type(".schakel.v1.M");
  method->set_output_type(".schakel.v1.M");
  DescriptorPool pool;
  ASSERT_NE(pool.BuildFile(file), nullptr);
  const Status status = CheckComplete(pool, std::vector<std::string>{"schakel.v1.NewService"});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().field, "schakel.v1.NewService.DoIt");
  EXPECT_FALSE(CheckComplete(pool, std::vector<std::string>{"schakel.v1.Nowhere"}).ok());
}

TEST(RoleTable, FindsBothFormsOfANameAndNothingNearIt) {
  ASSERT_NE(FindMethod("schakel.v1.SignalService.Publish"), nullptr);
  EXPECT_EQ(FindMethod("/schakel.v1.SignalService/Publish"),
            FindMethod("schakel.v1.SignalService.Publish"));
  for (const char* name :
       {"", "/", "//", "Publish", "schakel.v1.SignalService.Publis",
        "schakel.v1.SignalService.publish", "schakel.v1.SignalService.PublishX",
        "/schakel.v1.SignalService.Publish", "/schakel.v1.SignalService/Publish/",
        "/schakel.v1/SignalService/Publish", "schakel.v1.SignalService/Publish"}) {
    EXPECT_EQ(FindMethod(name), nullptr) << name;
  }
}

TEST(RoleTable, SaysWhoMayDoWhat) {
  struct Expected {
    const char* method;
    std::set<v1::Role> roles;
  };
  const std::set<v1::Role> all = {v1::ROLE_PARTNER, v1::ROLE_CHAIN_DIRECTOR, v1::ROLE_AUDITOR,
                                  v1::ROLE_REGISTRAR};
  const std::vector<Expected> table = {
      {"schakel.v1.SignalService.Publish", {v1::ROLE_PARTNER}},
      {"schakel.v1.InboxService.Pull", {v1::ROLE_PARTNER}},
      {"schakel.v1.ConsentService.WithdrawStatement", {v1::ROLE_PARTNER}},
      {"schakel.v1.DirectoryService.AdmitOrganisation", {v1::ROLE_REGISTRAR}},
      {"schakel.v1.DirectoryService.DisableOrganisation", {v1::ROLE_REGISTRAR}},
      {"schakel.v1.DirectoryService.RegisterKeySet", all},
      {"schakel.v1.DirectoryService.GetOrganisation", all},
      {"schakel.v1.PolicyService.ActivatePolicy", {v1::ROLE_REGISTRAR}},
      {"schakel.v1.PolicyService.GetPolicy", all},
      {"schakel.v1.PolicyService.Replay", {v1::ROLE_REGISTRAR, v1::ROLE_AUDITOR}},
      {"schakel.v1.AuditService.QueryRecords", {v1::ROLE_AUDITOR}},
      {"schakel.v1.AuditService.GetStateAt", {v1::ROLE_AUDITOR}},
      {"schakel.v1.FlowService.GetFlow", {v1::ROLE_CHAIN_DIRECTOR}},
      {"schakel.v1.FlowService.Remind", {v1::ROLE_CHAIN_DIRECTOR}},
      {"schakel.v1.AuditService.Export", {v1::ROLE_AUDITOR}},
      {"schakel.v1.AuditService.GetTile", all},
      {"schakel.v1.CustodianService.Evaluate", {v1::ROLE_PARTNER, v1::ROLE_AUDITOR}},
      {"schakel.v1.CustodianService.QueryLog", {v1::ROLE_PARTNER, v1::ROLE_AUDITOR}},
      {"schakel.v1.CustodianService.ExportLog", {v1::ROLE_PARTNER, v1::ROLE_AUDITOR}},
  };
  for (const Expected& expected : table) {
    const MethodRule* rule = FindMethod(expected.method);
    ASSERT_NE(rule, nullptr) << expected.method;
    EXPECT_EQ(rule->access, Access::kMember);
    for (v1::Role role : all) {
      EXPECT_EQ(rule->roles.Contains(role), expected.roles.count(role) == 1)
          << expected.method << " " << role;
    }
  }
}

TEST(RoleTable, OnlyHealthAndReflectionAreOpenToEveryPeer) {
  for (const MethodRule& rule : RoleTable()) {
    const bool ours = rule.method.starts_with("schakel.v1.");
    EXPECT_EQ(rule.access == Access::kMember, ours) << rule.method;
  }
}

TEST(RoleSet, HoldsNoRoleThatIsNone) {
  EXPECT_FALSE(kAnyMember.Contains(v1::ROLE_UNSPECIFIED));
  EXPECT_FALSE(kAnyMember.Contains(static_cast<v1::Role>(5)));
  EXPECT_FALSE(kAnyMember.Contains(static_cast<v1::Role>(-1)));
  EXPECT_FALSE(kAnyMember.Contains(static_cast<v1::Role>(33)));
}

}  // namespace
}  // namespace schakel::transport
