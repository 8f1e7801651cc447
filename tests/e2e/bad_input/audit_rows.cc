// AuditService.
#include "schakel/v1/audit.pb.h"
#include "tests/e2e/bad_input/log_rows.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {
namespace {

const std::string kAuditService = "schakel.v1.AuditService.";
constexpr const char* kAuditor = "region-auditor";

RpcTable QueryRecords(World& world) {
  v1::QueryRecordsRequest valid;
  valid.set_request_id(world.Random(16));
  valid.mutable_filter()->mutable_from()->set_seconds(1'000'000);
  valid.mutable_filter()->mutable_until()->set_seconds(2'000'000'000);
  *valid.mutable_filter()->mutable_subject() = testing::Linked("somebody");
  valid.set_ground("internal-audit");
  valid.set_reference("case 7");
  RpcTable t(kAuditService + "QueryRecords", kAuditor, valid);
  t.Sized("request_id", 16);
  RecordFilterRows(t);
  t.Reference("filter.subject", true, false);
  t.Sized("filter.signal_id", 16, false);
  t.Text("filter.ground", 64, false);
  t.Text("ground", 200, true);
  t.Text("reference", 200, true);
  t.Page();
  t.Free("with_details", "both truth values ask something");
  return t;
}

RpcTable SubjectReport(World& world) {
  v1::SubjectReportRequest valid;
  valid.set_request_id(world.Random(16));
  *valid.mutable_subject() = testing::Linked("somebody");
  valid.set_ground("data-subject-request");
  valid.set_reference("letter 7");
  RpcTable t(kAuditService + "SubjectReport", kAuditor, valid);
  t.Sized("request_id", 16);
  t.Bad("subject", "missing", Missing(), FieldMissing());
  t.Reference("subject", true, false);
  t.Text("ground", 200, true);
  t.Text("reference", 200, true);
  t.Page();
  return t;
}

RpcTable GetStateAt(World& world) {
  v1::GetStateAtRequest valid;
  valid.set_request_id(world.Random(16));
  valid.set_index(0);
  valid.set_part(v1::STATE_PART_STATEMENTS);
  valid.set_organisation("00000099000000002004");
  *valid.mutable_subject() = testing::Linked("somebody");
  valid.set_ground("internal-audit");
  valid.set_reference("case 7");
  RpcTable t(kAuditService + "GetStateAt", kAuditor, valid);
  const auto moment = [](int64_t seconds) {
    return [=](v1::GetStateAtRequest& r) {
      r.clear_index();
      r.mutable_at()->set_seconds(seconds);
    };
  };
  using Request = v1::GetStateAtRequest;
  t.Sized("request_id", 16);
  t.Bad("index", "neither index nor moment", Missing(), FieldMissing().At("at"));
  t.Bad("index", "beyond the log", Number(1'000'000'000), FieldInvalid().Recorded());
  t.Bad("index", "the largest", Number(-1), FieldInvalid().Recorded());
  t.BadIf<Request>(
      "at", "beside an index", [](Request& r) { r.mutable_at()->set_seconds(1'700'000'000); },
      FieldInvalid().At("index"));
  t.BadIf<Request>("at.seconds", "before 1970", moment(-1), FieldInvalid().At("at"));
  t.BadIf<Request>("at.seconds", "after the year 9999", moment(253'402'300'800),
                   FieldInvalid().At("at"));
  t.BadIf<Request>("at.seconds", "before the log began", moment(1'000'000'000),
                   FieldInvalid().At("at").Recorded());
  t.BadIf<Request>("at.seconds", "to come", moment(4'000'000'000),
                   FieldInvalid().At("at").Recorded());
  t.BadIf<Request>(
      "at.nanos", "negative",
      [=](Request& r) {
        moment(1'700'000'000)(r);
        r.mutable_at()->set_nanos(-1);
      },
      FieldInvalid().At("at"));
  t.EnumOf("part");
  t.Bad("part", "one that has no subject", Number(v1::STATE_PART_DIRECTORY),
        FieldInvalid().At("subject"));
  t.Bad("part", "one that has no organisation", Number(v1::STATE_PART_POLICY),
        FieldInvalid().At("organisation"));
  t.Bad("organisation", "19 digits", Set("0000009900000000100"), FieldInvalid());
  t.BadIf<Request>(
      "subject", "neither subject nor recorder",
      [](Request& r) {
        r.clear_subject();
        r.clear_organisation();
      },
      FieldMissing());
  t.Reference("subject", true, false);
  t.Text("ground", 200, true);
  t.Text("reference", 200, true);
  t.Page();
  return t;
}

RpcTable Export(World& world) {
  v1::ExportRequest valid;
  valid.set_request_id(world.Random(16));
  valid.set_with_details(true);
  RpcTable t(kAuditService + "Export", kAuditor, valid);
  t.Sized("request_id", 16);
  t.Text("ground", 200, false);
  t.Text("reference", 200, false);
  t.Bad("entries_only", "with details", Number(1), FieldInvalid().At("with_details"));
  t.Free("with_details", "both truth values ask something; with entries_only it has a row there");
  return t;
}

std::vector<RpcTable> Proofs() {
  RpcTable inclusion(kAuditService + "GetInclusionProof", "care", v1::GetInclusionProofRequest());
  InclusionRows(inclusion);

  v1::GetConsistencyProofRequest from_one;
  from_one.set_first_size(1);
  RpcTable consistency(kAuditService + "GetConsistencyProof", "care", from_one);
  ConsistencyRows(consistency);

  v1::GetTileRequest first;
  first.set_width(1);
  RpcTable tile(kAuditService + "GetTile", "care", first);
  TileRows(tile);
  // Without a field there is nothing to name.
  RpcTable checkpoint(kAuditService + "GetCheckpoint", "care", v1::GetCheckpointRequest());
  std::vector<RpcTable> tables;
  tables.push_back(std::move(inclusion));
  tables.push_back(std::move(consistency));
  tables.push_back(std::move(tile));
  tables.push_back(std::move(checkpoint));
  return tables;
}

}  // namespace

std::vector<RpcTable> AuditTables(World& world) {
  auto tables = Proofs();
  tables.push_back(QueryRecords(world));
  tables.push_back(SubjectReport(world));
  tables.push_back(GetStateAt(world));
  tables.push_back(Export(world));
  return tables;
}

}  // namespace schakel::e2e
