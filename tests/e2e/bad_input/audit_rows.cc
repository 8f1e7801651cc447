// AuditService.
#include "schakel/v1/audit.pb.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {
namespace {

using grpc::StatusCode;

const std::string kService = "schakel.v1.AuditService.";
constexpr const char* kAuditor = "region-auditor";

RpcTable QueryRecords(World& world) {
  v1::QueryRecordsRequest valid;
  valid.set_request_id(world.Random(16));
  valid.mutable_filter()->mutable_from()->set_seconds(1'000'000);
  valid.mutable_filter()->mutable_until()->set_seconds(2'000'000'000);
  *valid.mutable_filter()->mutable_subject() = testing::Linked("somebody");
  valid.set_ground("internal-audit");
  valid.set_reference("case 7");
  RpcTable t(kService + "QueryRecords", kAuditor, valid);
  t.Sized("request_id", 16);
  t.Free("filter", "without one every record matches; its fields have rows");
  t.Moment("filter.from");
  t.Moment("filter.until");
  t.Bad(
      "filter.from", "after until",
      [](Message& in, const FieldDescriptor& field) {
        ChangeField(*in.GetReflection()->MutableMessage(&in, &field), "seconds",
                    Number(2'000'000'001));
      },
      FieldInvalid().At("filter.until"));
  t.Bad(
      "filter.until", "equal to from",
      [](Message& in, const FieldDescriptor& field) {
        ChangeField(*in.GetReflection()->MutableMessage(&in, &field), "seconds", Number(1'000'000));
      },
      FieldInvalid());
  t.Bad("filter.organisation", "19 digits", Set("0000009900000000100"), FieldInvalid());
  t.Text("filter.actor", 128, false);
  t.Bad("filter.kinds", "not said", Number(0), FieldInvalid());
  t.Bad("filter.kinds", "a number that is no value", Number(99), FieldInvalid());
  t.Reference("filter.subject", true, false);
  t.Sized("filter.signal_id", 16, false);
  t.Text("filter.ground", 64, false);
  t.Bad("filter.outcome", "a number that is no value", Number(99), FieldInvalid());
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
  RpcTable t(kService + "SubjectReport", kAuditor, valid);
  t.Sized("request_id", 16);
  t.Bad("subject", "missing", Missing(), FieldMissing());
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
  RpcTable t(kService + "Export", kAuditor, valid);
  t.Sized("request_id", 16);
  t.Text("ground", 200, false);
  t.Text("reference", 200, false);
  t.Bad("entries_only", "with details", Number(1), FieldInvalid().At("with_details"));
  t.Free("with_details", "both truth values ask something; with entries_only it has a row there");
  return t;
}

std::vector<RpcTable> Proofs() {
  RpcTable inclusion(kService + "GetInclusionProof", "care", v1::GetInclusionProofRequest());
  inclusion.Bad("index", "beyond the tree", Number(1'000'000'000), FieldInvalid());
  inclusion.Bad("index", "the largest", Number(-1), FieldInvalid());
  inclusion.Bad("tree_size", "beyond the checkpoint", Number(1'000'000'000), FieldInvalid());
  inclusion.Bad("tree_size", "the largest", Number(-1), FieldInvalid());
  inclusion.BadIf<v1::GetInclusionProofRequest>(
      "index", "equal to the size",
      [](v1::GetInclusionProofRequest& r) {
        r.set_index(3);
        r.set_tree_size(3);
      },
      FieldInvalid());

  v1::GetConsistencyProofRequest from_one;
  from_one.set_first_size(1);
  RpcTable consistency(kService + "GetConsistencyProof", "care", from_one);
  consistency.Bad("first_size", "none", Number(0), FieldInvalid());
  consistency.Bad("first_size", "the largest", Number(-1), FieldInvalid());
  consistency.Bad("second_size", "beyond the checkpoint", Number(1'000'000'000), FieldInvalid());
  consistency.BadIf<v1::GetConsistencyProofRequest>(
      "first_size", "larger than the second",
      [](v1::GetConsistencyProofRequest& r) {
        r.set_first_size(3);
        r.set_second_size(2);
      },
      FieldInvalid());

  v1::GetTileRequest first;
  first.set_width(1);
  RpcTable tile(kService + "GetTile", "care", first);
  const auto none = Refused("NOT_FOUND").Code(StatusCode::NOT_FOUND);
  tile.Bad("level", "8", Number(8), FieldInvalid());
  tile.Bad("level", "the largest", Number(UINT32_MAX), FieldInvalid());
  tile.Bad("index", "beyond the tree", Number(1'000'000), none);
  tile.Bad("index", "the largest", Number(-1), none);
  tile.Bad("width", "256", Number(256), FieldInvalid());
  tile.Bad(
      "entries", "of a level above",
      [](Message& in, const FieldDescriptor& field) {
        in.GetReflection()->SetBool(&in, &field, true);
        ChangeField(in, "level", Number(1));
      },
      FieldInvalid().At("level"));
  // Without a field there is nothing to name.
  RpcTable checkpoint(kService + "GetCheckpoint", "care", v1::GetCheckpointRequest());
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
  tables.push_back(Export(world));
  return tables;
}

}  // namespace schakel::e2e
