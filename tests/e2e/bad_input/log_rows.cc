#include "tests/e2e/bad_input/log_rows.h"

#include <grpcpp/support/status.h>

namespace schakel::e2e {

namespace {

// The field, and another one of the same message.
FieldChange Both(int64_t value, const std::string& other, int64_t others) {
  return [=](Message& in, const FieldDescriptor& field) {
    Number(value)(in, field);
    ChangeField(in, other, Number(others));
  };
}

FieldChange Seconds(int64_t seconds) {
  return [=](Message& in, const FieldDescriptor& field) {
    ChangeField(*in.GetReflection()->MutableMessage(&in, &field), "seconds", Number(seconds));
  };
}

}  // namespace

void InclusionRows(RpcTable& t) {
  t.Bad("index", "beyond the tree", Number(1'000'000'000), FieldInvalid());
  t.Bad("index", "the largest", Number(-1), FieldInvalid());
  t.Bad("tree_size", "beyond the checkpoint", Number(1'000'000'000), FieldInvalid());
  t.Bad("tree_size", "the largest", Number(-1), FieldInvalid());
  t.Bad("index", "equal to the size", Both(1, "tree_size", 1), FieldInvalid());
}

void ConsistencyRows(RpcTable& t) {
  t.Bad("first_size", "none", Number(0), FieldInvalid());
  t.Bad("first_size", "the largest", Number(-1), FieldInvalid());
  t.Bad("second_size", "beyond the checkpoint", Number(1'000'000'000), FieldInvalid());
  t.Bad("first_size", "larger than the second", Both(2, "second_size", 1), FieldInvalid());
}

void TileRows(RpcTable& t) {
  const auto none = Refused("NOT_FOUND").Code(grpc::StatusCode::NOT_FOUND);
  t.Bad("level", "8", Number(8), FieldInvalid());
  t.Bad("level", "the largest", Number(UINT32_MAX), FieldInvalid());
  t.Bad("index", "beyond the tree", Number(1'000'000), none);
  t.Bad("index", "the largest", Number(-1), none);
  t.Bad("width", "256", Number(256), FieldInvalid());
  t.Bad("entries", "of a level above", Both(1, "level", 1), FieldInvalid().At("level"));
}

void RecordFilterRows(RpcTable& t) {
  t.Free("filter", "without one every record matches; its fields have rows");
  t.Moment("filter.from");
  t.Moment("filter.until");
  t.Bad("filter.from", "after until", Seconds(2'000'000'001), FieldInvalid().At("filter.until"));
  t.Bad("filter.until", "equal to from", Seconds(1'000'000), FieldInvalid());
  t.Bad("filter.organisation", "19 digits", Set("0000009900000000100"), FieldInvalid());
  t.Text("filter.actor", 128, false);
  t.Bad("filter.kinds", "not said", Number(0), FieldInvalid());
  t.Bad("filter.kinds", "a number that is no value", Number(99), FieldInvalid());
  t.Free("filter.index", "any place may be asked for; behind the end of the log nothing stands");
  t.Bad("filter.outcome", "a number that is no value", Number(99), FieldInvalid());
}

}  // namespace schakel::e2e
