// CustodianService, and the services that broker and custodian both have.
#include "broker/crypto/ristretto.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "schakel/v1/custodian.pb.h"
#include "tests/e2e/bad_input/log_rows.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {

using grpc::StatusCode;

namespace {

constexpr const char* kMember = "region-auditor";

std::vector<RpcTable> LogProofs(const std::string& service) {
  RpcTable inclusion(service + "GetLogInclusionProof", kMember, v1::GetLogInclusionProofRequest());
  InclusionRows(inclusion);

  v1::GetLogConsistencyProofRequest from_one;
  from_one.set_first_size(1);
  RpcTable consistency(service + "GetLogConsistencyProof", kMember, from_one);
  ConsistencyRows(consistency);

  v1::GetLogTileRequest first;
  first.set_width(1);
  RpcTable tile(service + "GetLogTile", kMember, first);
  TileRows(tile);
  // Without a field there is nothing to name.
  RpcTable checkpoint(service + "GetLogCheckpoint", kMember, v1::GetLogCheckpointRequest());
  std::vector<RpcTable> tables;
  tables.push_back(std::move(inclusion));
  tables.push_back(std::move(consistency));
  tables.push_back(std::move(tile));
  tables.push_back(std::move(checkpoint));
  return tables;
}

RpcTable QueryLog(const std::string& service, World& world) {
  v1::QueryLogRequest valid;
  valid.set_request_id(world.Random(16));
  valid.mutable_filter()->mutable_from()->set_seconds(1'000'000);
  valid.mutable_filter()->mutable_until()->set_seconds(2'000'000'000);
  valid.set_ground("internal-audit");
  valid.set_reference("case 7");
  RpcTable t(service + "QueryLog", kMember, valid);
  t.Sized("request_id", 16);
  RecordFilterRows(t);
  t.BadIf<v1::QueryLogRequest>(
      "filter.subject", "which a custodian can't know",
      [](v1::QueryLogRequest& r) {
        *r.mutable_filter()->mutable_subject() = testing::Linked("somebody");
      },
      FieldInvalid());
  for (const std::string& path : FieldPaths(valid.GetDescriptor())) {
    if (path.starts_with("filter.subject.")) t.Free(path, "a subject is refused whatever is in it");
  }
  t.Bad("filter.signal_id", "which a custodian can't know", Set(Bytes(16, 's')), FieldInvalid());
  t.Bad("filter.ground", "which a custodian can't know", Set("rent-act"), FieldInvalid());
  t.Text("ground", 200, false);
  t.Text("reference", 200, false);
  t.Page();
  return t;
}

RpcTable ExportLog(const std::string& service, World& world) {
  v1::ExportLogRequest valid;
  valid.set_request_id(world.Random(16));
  valid.set_ground("internal-audit");
  valid.set_reference("case 7");
  RpcTable t(service + "ExportLog", kMember, valid);
  t.Sized("request_id", 16);
  t.Text("ground", 200, false);
  t.Text("reference", 200, false);
  t.Free("entries_only", "both truth values ask something");
  return t;
}

}  // namespace

std::vector<RpcTable> CustodianTables(World& world) {
  const std::string service = "schakel.v1.CustodianService.";
  const auto epoch = Refused("EPOCH_UNKNOWN").Code(StatusCode::NOT_FOUND);
  v1::EvaluateRequest valid;
  valid.set_epoch(1);
  valid.add_blinded_elements(crypto::Point::Generator().str());
  RpcTable evaluate(service + "Evaluate", "police", valid);
  const auto element = Refused("ELEMENT_INVALID").At("blinded_elements[0]");
  evaluate.Bad("epoch", "not said", Number(0), FieldMissing());
  evaluate.Bad("epoch", "that is not held", Number(2), epoch);
  evaluate.Bad("epoch", "the largest", Number(UINT32_MAX), epoch);
  const std::string elements = "blinded_elements";
  evaluate.Bad(elements, "none", Missing(), FieldMissing());
  evaluate.Bad(elements, "257", Times(257), TooLarge());
  evaluate.Bad(elements, "empty", Set(""), element);
  evaluate.Bad(elements, "31 bytes", Set(Bytes(31, '\1')), element);
  evaluate.Bad(elements, "33 bytes", Set(Bytes(33, '\1')), element);
  evaluate.Bad(elements, "the identity", Set(Bytes(32, '\0')), element);
  evaluate.Bad(elements, "no canonical encoding", Set(Bytes(32, '\xFF')), element);
  evaluate.Bad(elements, "a second one that is none", Add(Bytes(32, '\xFF')),
               element.At("blinded_elements[1]"));

  RpcTable document(service + "GetKeyDocument", "police", v1::GetKeyDocumentRequest());
  document.Bad("epoch", "that is not held", Number(2), epoch);
  RpcTable budget(service + "GetBudget", "police", v1::GetBudgetRequest());
  std::vector<RpcTable> tables = LogProofs(service);
  tables.push_back(QueryLog(service, world));
  tables.push_back(ExportLog(service, world));
  tables.push_back(std::move(evaluate));
  tables.push_back(std::move(document));
  tables.push_back(std::move(budget));
  return tables;
}

std::vector<RpcTable> PeerTables(const std::string& as) {
  const std::string health = "grpc.health.v1.Health.";
  RpcTable check(health + "Check", as, grpc::health::v1::HealthCheckRequest());
  check.Bad("service", "201 bytes", Set(std::string(201, 's')), TooLarge());
  check.Bad("service", "that is not there", Set("schakel.v2.Everything"),
            Refused("NOT_FOUND").Code(StatusCode::NOT_FOUND));
  RpcTable list(health + "List", as, grpc::health::v1::HealthListRequest());
  RpcTable watch(health + "Watch", as, grpc::health::v1::HealthCheckRequest());
  watch.Bad("service", "201 bytes", Set(std::string(201, 's')), TooLarge());

  watch.Endless();

  grpc::reflection::v1::ServerReflectionRequest services;
  services.set_list_services("*");
  RpcTable reflection("grpc.reflection.v1.ServerReflection.ServerReflectionInfo", as, services);
  const std::string inside =
      "a wrong question is answered inside the stream, as that protocol says";
  for (const std::string& path : FieldPaths(services.GetDescriptor()))
    reflection.Free(path, inside);
  std::vector<RpcTable> tables;
  tables.push_back(std::move(check));
  tables.push_back(std::move(list));
  tables.push_back(std::move(watch));
  tables.push_back(std::move(reflection));
  return tables;
}

}  // namespace schakel::e2e
