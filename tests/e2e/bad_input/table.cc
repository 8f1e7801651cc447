#include "tests/e2e/bad_input/table.h"

#include <algorithm>
#include <set>

#include "schakel/v1/common.pb.h"

namespace schakel::e2e {

Refusal Refusal::At(std::string other) const {
  Refusal changed = *this;
  changed.field = std::move(other);
  return changed;
}
Refusal Refusal::Code(grpc::StatusCode other) const {
  Refusal changed = *this;
  changed.code = other;
  return changed;
}
Refusal Refusal::Retry() const {
  Refusal changed = *this;
  changed.retry = true;
  return changed;
}
Refusal Refusal::Recorded() const {
  Refusal changed = *this;
  changed.recorded = true;
  return changed;
}
Refusal Refused(std::string reason) {
  Refusal refusal;
  refusal.reason = std::move(reason);
  return refusal;
}

RpcTable::RpcTable(std::string method, std::string as, const Message& valid, Finish finish)
    : method_(std::move(method)), as_(std::move(as)), finish_(std::move(finish)) {
  Base(valid, {});
}

void RpcTable::Base(const Message& valid, std::vector<Bytes> before) {
  std::shared_ptr<Message> base(valid.New());
  base->CopyFrom(valid);
  base_ = std::move(base);
  before_ = std::move(before);
  valid_.push_back(before_);
  valid_.back().push_back(valid.SerializeAsString());
}

std::unique_ptr<Message> RpcTable::Copy() const {
  std::unique_ptr<Message> copy(base_->New());
  copy->CopyFrom(*base_);
  return copy;
}

void RpcTable::AddRow(const std::string& path, const std::string& what,
                      std::unique_ptr<Message> request, const Refusal& refusal, bool finish) {
  if (finish && finish_) finish_(*request);
  Row row{what, path, before_, refusal};
  row.messages.push_back(request->SerializeAsString());
  if (!row.refusal.field) row.refusal.field = ErrorPath(request->GetDescriptor(), path);
  rows_.push_back(std::move(row));
}

void RpcTable::Bad(const std::string& path, const std::string& what, const FieldChange& change,
                   const Refusal& refusal) {
  auto request = Copy();
  ChangeField(*request, path, change);
  AddRow(path, what, std::move(request), refusal, true);
}

void RpcTable::BadRaw(const std::string& path, const std::string& what, const FieldChange& change,
                      const Refusal& refusal) {
  auto request = Copy();
  ChangeField(*request, path, change);
  AddRow(path, what, std::move(request), refusal, false);
}

void RpcTable::Free(const std::string& path, const std::string& why) {
  free_.push_back({path, why});
}

void RpcTable::Sized(const std::string& path, size_t size, bool required) {
  if (required) Bad(path, "missing", Missing(), FieldMissing());
  Bad(path, "a byte short", Set(Bytes(size - 1, 'x')), FieldInvalid());
  Bad(path, "a byte long", Set(Bytes(size + 1, 'x')), FieldInvalid());
}

void RpcTable::Text(const std::string& path, size_t max, bool required) {
  if (required) Bad(path, "missing", Missing(), FieldMissing());
  Bad(path, "a byte too long", Set(std::string(max + 1, 't')), TooLarge());
}

void RpcTable::CodeOf(const std::string& path, bool required) {
  if (required) Bad(path, "missing", Missing(), FieldMissing());
  Bad(path, "65 bytes", Set(std::string(65, 'c')), TooLarge());
  Bad(path, "capitals", Set("Rent-Arrears"), FieldInvalid());
  Bad(path, "a path", Set("../etc"), FieldInvalid());
}

void RpcTable::Oin(const std::string& path) {
  Bad(path, "missing", Missing(), FieldMissing());
  Bad(path, "19 digits", Set("0000009900000000100"), FieldInvalid());
  Bad(path, "21 digits", Set("000000990000000010000"), FieldInvalid());
  Bad(path, "a letter in it", Set("0000009900000000100O"), FieldInvalid());
}

void RpcTable::EnumOf(const std::string& path) {
  Bad(path, "not said", Number(0), FieldMissing());
  Bad(path, "a number that is no value", Number(99), FieldInvalid());
}

void RpcTable::Reference(const std::string& path, bool linked_only, bool recorded) {
  const std::string field = ErrorPath(request(), path);
  const Refusal invalid = Refused("SUBJECT_REF_INVALID").At(field);
  const auto with = [&](const std::string& what, const std::function<void(v1::SubjectRef&)>& change,
                        const std::string& about, const Refusal& refusal) {
    Bad(
        path, what,
        [&](Message& in, const FieldDescriptor& place) {
          change(static_cast<v1::SubjectRef&>(*in.GetReflection()->MutableMessage(&in, &place)));
        },
        refusal);
    rows_.back().path = about;
  };
  using Ref = v1::SubjectRef;
  with(
      "nobody", [](Ref& ref) { ref.Clear(); }, path, invalid);
  with(
      "no pairs", [](Ref& ref) { ref.clear_pairs(); }, path + ".pairs", invalid);
  with(
      "three pairs",
      [](Ref& ref) {
        while (ref.pairs_size() < 3) {
          *ref.add_pairs() = ref.pairs(0);
          ref.mutable_pairs()->rbegin()->set_epoch(static_cast<uint32_t>(ref.pairs_size()));
        }
      },
      path + ".pairs", invalid);
  with(
      "a value of 31 bytes", [](Ref& ref) { ref.mutable_pairs(0)->set_value(Bytes(31, 'v')); },
      path + ".pairs.value", invalid);
  with(
      "no value", [](Ref& ref) { ref.mutable_pairs(0)->clear_value(); }, path + ".pairs.value",
      invalid);
  with(
      "one epoch twice", [](Ref& ref) { *ref.add_pairs() = ref.pairs(0); }, path + ".pairs.epoch",
      invalid);
  with(
      "linked and unlinked",
      [](Ref& ref) {
        *ref.add_pairs() = ref.pairs(0);
        ref.mutable_pairs(0)->set_epoch(1);
        ref.mutable_pairs(1)->set_epoch(0);
      },
      path + ".pairs.epoch", invalid);
  with(
      "an epoch that is not live", [](Ref& ref) { ref.mutable_pairs(0)->set_epoch(7); },
      path + ".pairs.epoch", invalid.Recorded());
  if (!linked_only) return;
  Refusal unlinked = Refused("UNLINKED_SUBJECT").At(field);
  unlinked.recorded = recorded;
  with(
      "unlinked", [](Ref& ref) { ref.mutable_pairs(0)->set_epoch(0); }, path + ".pairs.epoch",
      unlinked);
}

void RpcTable::Lease(const std::string& path) {
  const Refusal invalid = FieldInvalid().At(ErrorPath(request(), path));
  Bad(
      path, "an empty one",
      [](Message& in, const FieldDescriptor& field) {
        in.GetReflection()->MutableMessage(&in, &field)->Clear();
      },
      invalid);
  Bad(path + ".seconds", "29 seconds", Number(29), invalid);
  Bad(path + ".seconds", "12 hours and one", Number(12 * 3600 + 1), invalid);
  Bad(path + ".seconds", "before now", Number(-60), invalid);
  Bad(path + ".seconds", "for ever", Number(INT64_MAX), invalid);
  Bad(path + ".seconds", "since ever", Number(INT64_MIN), invalid);
  Bad(
      path + ".nanos", "more than a second of nanoseconds",
      [](Message& in, const FieldDescriptor& field) {
        ChangeField(in, "seconds", Number(60));
        in.GetReflection()->SetInt32(&in, &field, 1'000'000'000);
      },
      invalid);
  Bad(
      path + ".nanos", "negative nanoseconds",
      [](Message& in, const FieldDescriptor& field) {
        ChangeField(in, "seconds", Number(60));
        in.GetReflection()->SetInt32(&in, &field, -1);
      },
      invalid);
}

void RpcTable::Moment(const std::string& path) {
  const auto invalid = FieldInvalid().At(ErrorPath(request(), path));
  Bad(path + ".seconds", "before 1970", Number(-1), invalid);
  Bad(path + ".seconds", "after the year 9999", Number(253'402'300'800), invalid);
  Bad(path + ".nanos", "negative", Number(-1), invalid);
  Bad(path + ".nanos", "more than a second", Number(1'000'000'000), invalid);
}

void RpcTable::Page() {
  const Refusal token = Refused("PAGE_TOKEN_INVALID");
  Bad("page_size", "1001", Number(1001), FieldInvalid());
  Bad("page_size", "as many as a number can say", Number(UINT32_MAX), FieldInvalid());
  Bad("page_token", "no token", Set("next please"), token);
  Bad("page_token", "bytes of the right form", Set("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="),
      token);
  Bad("page_token", "a long one", Set(std::string(10'000, 'A')), token);
}

std::vector<std::string> FieldsLeftOut(const RpcTable& table) {
  std::set<std::string> named;
  for (const Row& row : table.rows()) named.insert(row.path);
  for (const FreeField& free : table.free_fields()) named.insert(free.path);
  std::vector<std::string> wrong;
  const auto paths = FieldPaths(table.request());
  for (const std::string& path : paths) {
    if (named.erase(path) == 0) wrong.push_back("no row for " + path);
  }
  for (const std::string& path : named) {
    // "" is the request as a whole.
    if (!path.empty()) wrong.push_back("no such field: " + path);
  }
  return wrong;
}

}  // namespace schakel::e2e
