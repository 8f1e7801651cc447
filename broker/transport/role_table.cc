#include "broker/transport/role_table.h"

#include <algorithm>
#include <array>

namespace schakel::transport {
namespace {

constexpr RoleSet kPartner(v1::ROLE_PARTNER);
constexpr RoleSet kChainDirector(v1::ROLE_CHAIN_DIRECTOR);
constexpr RoleSet kRegistrar(v1::ROLE_REGISTRAR);
constexpr RoleSet kAuditor(v1::ROLE_AUDITOR);
constexpr RoleSet kRegistrarAuditor(v1::ROLE_REGISTRAR, v1::ROLE_AUDITOR);
constexpr RoleSet kPartnerAuditor(v1::ROLE_PARTNER, v1::ROLE_AUDITOR);
constexpr RoleSet kNobody{};

constexpr Access kMember = Access::kMember;
constexpr Access kAnyPeer = Access::kAnyPeer;

// Sorted by name (checked below): FindMethod searches it.
constexpr auto kTable = std::to_array<MethodRule>({
    {"grpc.health.v1.Health.Check", kAnyPeer, kNobody},
    {"grpc.health.v1.Health.List", kAnyPeer, kNobody},
    {"grpc.health.v1.Health.Watch", kAnyPeer, kNobody},
    {"grpc.reflection.v1.ServerReflection.ServerReflectionInfo", kAnyPeer, kNobody},

    {"schakel.v1.AuditService.Export", kMember, kAuditor},
    {"schakel.v1.AuditService.GetCheckpoint", kMember, kAnyMember},
    {"schakel.v1.AuditService.GetConsistencyProof", kMember, kAnyMember},
    {"schakel.v1.AuditService.GetInclusionProof", kMember, kAnyMember},
    {"schakel.v1.AuditService.GetStateAt", kMember, kAuditor},
    {"schakel.v1.AuditService.GetTile", kMember, kAnyMember},
    {"schakel.v1.AuditService.QueryRecords", kMember, kAuditor},
    {"schakel.v1.AuditService.SubjectReport", kMember, kAuditor},

    {"schakel.v1.ConsentService.CheckConsent", kMember, kPartner},
    {"schakel.v1.ConsentService.ListStatements", kMember, kPartner},
    {"schakel.v1.ConsentService.RecordStatement", kMember, kPartner},
    {"schakel.v1.ConsentService.WithdrawStatement", kMember, kPartner},

    // On the custodian; its members file says who has authority.
    {"schakel.v1.CustodianService.Evaluate", kMember, kPartnerAuditor},
    {"schakel.v1.CustodianService.ExportLog", kMember, kPartnerAuditor},
    {"schakel.v1.CustodianService.GetBudget", kMember, kPartnerAuditor},
    {"schakel.v1.CustodianService.GetKeyDocument", kMember, kPartnerAuditor},
    {"schakel.v1.CustodianService.GetLogCheckpoint", kMember, kPartnerAuditor},
    {"schakel.v1.CustodianService.GetLogConsistencyProof", kMember, kPartnerAuditor},
    {"schakel.v1.CustodianService.GetLogInclusionProof", kMember, kPartnerAuditor},
    {"schakel.v1.CustodianService.GetLogTile", kMember, kPartnerAuditor},
    {"schakel.v1.CustodianService.QueryLog", kMember, kPartnerAuditor},

    {"schakel.v1.DirectoryService.AdmitOrganisation", kMember, kRegistrar},
    {"schakel.v1.DirectoryService.DisableOrganisation", kMember, kRegistrar},
    {"schakel.v1.DirectoryService.GetOrganisation", kMember, kAnyMember},
    {"schakel.v1.DirectoryService.ListOrganisations", kMember, kAnyMember},
    {"schakel.v1.DirectoryService.RegisterKeySet", kMember, kAnyMember},
    {"schakel.v1.DirectoryService.ResolveFunction", kMember, kAnyMember},

    {"schakel.v1.FlowService.GetFlow", kMember, kChainDirector},
    {"schakel.v1.FlowService.ListStalled", kMember, kChainDirector},
    {"schakel.v1.FlowService.Remind", kMember, kChainDirector},

    {"schakel.v1.InboxService.Acknowledge", kMember, kPartner},
    {"schakel.v1.InboxService.Extend", kMember, kPartner},
    {"schakel.v1.InboxService.Fetch", kMember, kPartner},
    {"schakel.v1.InboxService.Pull", kMember, kPartner},
    {"schakel.v1.InboxService.Refuse", kMember, kPartner},
    {"schakel.v1.InboxService.Release", kMember, kPartner},
    {"schakel.v1.InboxService.ReportOutcome", kMember, kPartner},

    {"schakel.v1.PolicyService.ActivatePolicy", kMember, kRegistrar},
    {"schakel.v1.PolicyService.Explain", kMember, kRegistrarAuditor},
    {"schakel.v1.PolicyService.GetPolicy", kMember, kAnyMember},
    {"schakel.v1.PolicyService.Replay", kMember, kRegistrarAuditor},

    {"schakel.v1.SignalService.AttachSubject", kMember, kPartner},
    {"schakel.v1.SignalService.GetSignal", kMember, kPartner},
    {"schakel.v1.SignalService.ListSignals", kMember, kPartner},
    {"schakel.v1.SignalService.Preflight", kMember, kPartner},
    {"schakel.v1.SignalService.Publish", kMember, kPartner},
    {"schakel.v1.SignalService.PublishStream", kMember, kPartner},
    {"schakel.v1.SignalService.ReadOutcomes", kMember, kPartner},
});

constexpr bool ByName(const MethodRule& a, const MethodRule& b) { return a.method < b.method; }
static_assert(std::is_sorted(kTable.begin(), kTable.end(), ByName), "keep the table sorted");

}  // namespace

std::span<const MethodRule> RoleTable() { return kTable; }

const MethodRule* FindMethod(std::string_view method) {
  std::string dotted;
  if (!method.empty() && method.front() == '/') {
    dotted = method.substr(1);
    const size_t slash = dotted.find('/');
    if (slash == std::string::npos || dotted.find('/', slash + 1) != std::string::npos) {
      return nullptr;
    }
    dotted[slash] = '.';
    method = dotted;
  }
  const auto at = std::lower_bound(
      kTable.begin(), kTable.end(), method,
      [](const MethodRule& rule, std::string_view name) { return rule.method < name; });
  return at != kTable.end() && at->method == method ? &*at : nullptr;
}

Status CheckComplete(const google::protobuf::DescriptorPool& pool,
                     std::span<const std::string> services) {
  for (const std::string& name : services) {
    const google::protobuf::ServiceDescriptor* service = pool.FindServiceByName(name);
    if (service == nullptr) {
      return InvalidArgument("FIELD_INVALID", name, "no descriptor of this service is linked");
    }
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string& method = service->method(i)->full_name();
      if (FindMethod(method) == nullptr) {
        return InvalidArgument("FIELD_INVALID", method,
                               "the role table has no entry for this RPC, so nobody may call it");
      }
    }
  }
  return {};
}

}  // namespace schakel::transport
