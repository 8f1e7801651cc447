// InboxService.
#include "schakel/v1/inbox.pb.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {
namespace {

using grpc::StatusCode;

const std::string kInboxService = "schakel.v1.InboxService.";

Refusal UnknownDelivery() {
  return Refused("DELIVERY_UNKNOWN").Code(StatusCode::NOT_FOUND).Recorded();
}
Refusal Settled() {
  return Refused("DELIVERY_SETTLED").Code(StatusCode::FAILED_PRECONDITION).Recorded();
}

// A delivery that was acknowledged.
Bytes Acknowledged(World& world) {
  const auto held = world.NewDelivery();
  v1::AcknowledgeRequest request;
  request.set_delivery_id(held.delivery_id);
  const auto& connection = world.ConnectionOf("debt-relief");
  const auto stub = v1::InboxService::NewStub(connection.channel());
  (void)Must(connection.Call(*stub, &v1::InboxService::Stub::Acknowledge, request));
  return held.delivery_id;
}

void DeliveryId(RpcTable& t, const std::string& path) {
  t.Sized(path, 16);
  t.Bad(path, "of no delivery", Set(Bytes(16, 'd')), UnknownDelivery());
}

RpcTable Fetch(World& world) {
  v1::FetchRequest valid;
  valid.set_fetch_id(world.Random(16));
  valid.set_max_items(1);
  valid.mutable_lease()->set_seconds(60);
  RpcTable t(kInboxService + "Fetch", "debt-relief", valid);
  t.Sized("fetch_id", 16);
  t.Bad("max_items", "none", Number(0), FieldMissing());
  t.Bad("max_items", "65", Number(65), FieldInvalid());
  t.Bad("max_items", "as many as a number can say", Number(UINT32_MAX), FieldInvalid());
  t.Lease("lease");
  return t;
}

RpcTable Acknowledge(const Bytes& held) {
  v1::AcknowledgeRequest valid;
  valid.set_delivery_id(held);
  RpcTable t(kInboxService + "Acknowledge", "debt-relief", valid);
  DeliveryId(t, "delivery_id");
  return t;
}

void RefusalTexts(RpcTable& t, const std::string& prefix) {
  t.Text(prefix + "reason_text", 500, true);
  t.Bad(prefix + "reason_code", "another than there is", Set("NOT_TODAY"), FieldInvalid());
  t.CodeOf(prefix + "redirect.function");
  t.CodeOf(prefix + "redirect.area");
  t.Bad(prefix + "redirect", "a field that nobody knows", Unknown(), FieldInvalid());
}

v1::RefuseRequest ValidRefusal(const Bytes& held) {
  v1::RefuseRequest valid;
  valid.set_delivery_id(held);
  valid.set_reason_text("not for us");
  valid.mutable_redirect()->set_function("neighbourhood-team");
  valid.mutable_redirect()->set_area("dordrecht");
  return valid;
}

RpcTable Refuse(const Bytes& held, const Bytes& acknowledged) {
  RpcTable t(kInboxService + "Refuse", "debt-relief", ValidRefusal(held));
  DeliveryId(t, "delivery_id");
  t.Bad("delivery_id", "of one that was acknowledged", Set(acknowledged), Settled());
  RefusalTexts(t, "");
  return t;
}

RpcTable Release(const Bytes& held, const Bytes& acknowledged) {
  v1::ReleaseRequest valid;
  valid.set_delivery_id(held);
  RpcTable t(kInboxService + "Release", "debt-relief", valid);
  DeliveryId(t, "delivery_id");
  t.Bad("delivery_id", "of one that was acknowledged", Set(acknowledged), Settled());
  return t;
}

RpcTable Extend(const Bytes& held, const Bytes& acknowledged) {
  v1::ExtendRequest valid;
  valid.set_delivery_id(held);
  valid.mutable_lease()->set_seconds(3600);
  RpcTable t(kInboxService + "Extend", "debt-relief", valid);
  DeliveryId(t, "delivery_id");
  t.Bad("delivery_id", "of one that was acknowledged", Set(acknowledged), Settled());
  t.Bad("lease", "missing", Missing(), FieldMissing());
  t.Lease("lease");
  return t;
}

RpcTable ReportOutcome(World& world, const Bytes& acknowledged, const Bytes& held) {
  const auto failed = [](const char* reason) {
    return Refused(reason).Code(StatusCode::FAILED_PRECONDITION).Recorded();
  };
  v1::ReportOutcomeRequest valid;
  valid.set_request_id(world.Random(16));
  valid.set_delivery_id(acknowledged);
  valid.set_code("taken-up");
  RpcTable t(kInboxService + "ReportOutcome", "debt-relief", valid);
  t.Sized("request_id", 16);
  DeliveryId(t, "delivery_id");
  t.Bad("delivery_id", "of one that was not acknowledged", Set(held), failed("NOT_ACKNOWLEDGED"));
  t.CodeOf("code");
  t.Bad("code", "that the bundle does not have", Set("moved-to-spain"),
        Refused("UNKNOWN_CODE").Code(StatusCode::INVALID_ARGUMENT).Recorded());
  t.Bad("code", "that the bundle has for other types", Set("test-received"),
        failed("OUTCOME_NOT_APPLICABLE"));
  return t;
}

// One that is of no delivery is told in the answer, beside the others: pull_batches_test.cc.
void AcknowledgementRows(RpcTable& t, World& world, const std::vector<Bytes>& opened) {
  const std::string ids = "acknowledgements.delivery_ids";
  v1::PullRequest valid;
  for (int i = 0; i < 3; ++i) {
    valid.mutable_acknowledgements()->add_delivery_ids(world.Random(16));
  }
  t.Base(valid, opened);
  t.Bad(ids, "missing", Missing(), FieldMissing());
  t.Bad(ids, "one of no bytes", Set(""), FieldMissing().At(ids + "[0]"));
  t.Bad(ids, "one that is a byte short", Set(Bytes(15, 'x')), FieldInvalid().At(ids + "[0]"));
  t.Bad(ids, "one that is a byte long", Set(Bytes(17, 'x')), FieldInvalid().At(ids + "[0]"));
  t.BadIf<v1::PullRequest>(
      ids, "one of them twice",
      [](v1::PullRequest& r) {
        auto* batch = r.mutable_acknowledgements();
        batch->add_delivery_ids(batch->delivery_ids(1));
      },
      FieldInvalid().At(ids + "[3]"));
  t.BadIf<v1::PullRequest>(
      ids, "257",
      [&](v1::PullRequest& r) {
        auto* batch = r.mutable_acknowledgements();
        while (batch->delivery_ids_size() < 257) batch->add_delivery_ids(world.Random(16));
      },
      TooLarge());
  t.Free("acknowledgements", "as credit");
}

// Of a stream the end says what was wrong with its last message. What the machine refuses is told
// on the stream, which goes on: SettlementResult, in tests/e2e/inbox_test.cc.
RpcTable Pull(World& world) {
  v1::PullRequest open;
  open.mutable_open()->set_window(4);
  open.mutable_open()->mutable_lease()->set_seconds(60);
  open.mutable_open()->set_batch_max(64);
  RpcTable t(kInboxService + "Pull", "volunteers", open);
  t.Bad("open.window", "none", Number(0), FieldInvalid());
  t.Bad("open.window", "257", Number(257), FieldInvalid());
  t.Lease("open.lease");
  t.Bad("open.batch_max", "65", Number(65), FieldInvalid());
  t.Bad("open.batch_max", "as many as a number can say", Number(UINT32_MAX), FieldInvalid());
  v1::PullRequest credit;
  credit.mutable_credit()->set_deliveries(1);
  t.BadIf<v1::PullRequest>(
      "open", "something else first", [&](v1::PullRequest& r) { r = credit; }, FieldMissing());
  t.BadIf<v1::PullRequest>(
      "open", "an empty message first", [](v1::PullRequest& r) { r.Clear(); }, FieldMissing());

  const std::vector<Bytes> opened = {open.SerializeAsString()};
  t.Base(credit, opened);
  t.Bad("credit.deliveries", "none", Number(0), FieldInvalid());
  t.Bad("credit.deliveries", "257", Number(257), FieldInvalid());
  t.BadIf<v1::PullRequest>(
      "open", "twice", [&](v1::PullRequest& r) { r = open; }, FieldInvalid());
  t.BadIf<v1::PullRequest>(
      "", "an empty message", [](v1::PullRequest& r) { r.Clear(); }, FieldMissing().At("request"));
  t.Free("credit", "one of the things that a message can be; its field has rows");

  v1::PullRequest settle;
  settle.mutable_acknowledge()->set_delivery_id(world.Random(16));
  t.Base(settle, opened);
  t.Sized("acknowledge.delivery_id", 16);
  t.Free("acknowledge", "as credit");
  settle.mutable_release()->set_delivery_id(world.Random(16));
  t.Base(settle, opened);
  t.Sized("release.delivery_id", 16);
  t.Free("release", "as credit");
  *settle.mutable_refuse() = ValidRefusal(world.Random(16));
  t.Base(settle, opened);
  t.Sized("refuse.delivery_id", 16);
  RefusalTexts(t, "refuse.");
  t.Free("refuse", "as credit");
  settle.mutable_extend()->set_delivery_id(world.Random(16));
  settle.mutable_extend()->mutable_lease()->set_seconds(60);
  t.Base(settle, opened);
  t.Sized("extend.delivery_id", 16);
  t.Bad("extend.lease", "missing", Missing(), FieldMissing());
  t.Lease("extend.lease");
  t.Free("extend", "as credit");
  AcknowledgementRows(t, world, opened);
  return t;
}

}  // namespace

std::vector<RpcTable> InboxTables(World& world) {
  const Bytes acknowledged = Acknowledged(world);
  const Bytes first = world.NewDelivery().delivery_id;
  const Bytes second = world.NewDelivery().delivery_id;
  const Bytes third = world.NewDelivery().delivery_id;
  const Bytes fourth = world.NewDelivery().delivery_id;
  std::vector<RpcTable> tables;
  tables.push_back(Fetch(world));
  tables.push_back(Extend(first, acknowledged));
  tables.push_back(Acknowledge(second));
  tables.push_back(ReportOutcome(world, acknowledged, third));
  tables.push_back(Refuse(third, acknowledged));
  tables.push_back(Release(fourth, acknowledged));
  tables.push_back(Pull(world));
  return tables;
}

}  // namespace schakel::e2e
