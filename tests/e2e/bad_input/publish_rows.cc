// Publish and PublishStream: what can be wrong with an envelope, and with a stream of them.
#include <algorithm>

#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {
namespace {

using grpc::StatusCode;
using PublishCall = v1::PublishRequest;

constexpr uint64_t kHour = 3'600'000;
const std::string kEnvelope = "envelopes[0]";

Refusal UnknownKeySet() {
  return ByMachine("KEY_SET_UNKNOWN")
      .Code(StatusCode::FAILED_PRECONDITION)
      .At(kEnvelope + ".header.sender_key_set_digest");
}

// Bytes that carry a message: header, routing, meta.
void Carried(RpcTable& t, const std::string& path, size_t max) {
  t.Bad(path, "missing", Missing(), FieldMissing());
  t.Bad(path, "a byte too long", Set(Bytes(max + 1, '\n')), TooLarge());
  t.Bad(path, "no message", Set("\xFF\xFF\xFF"), FieldInvalid());
  t.Bad(path, "a field that nobody knows", Unknown(), FieldInvalid());
}

void HeaderRows(RpcTable& t, World& world, const Bytes& used_id) {
  const std::string h = "envelopes.header.";
  const auto now = static_cast<uint64_t>(sdk::Now().count());
  const auto at = [&](int64_t ms) { return Number(static_cast<int64_t>(now) + ms); };
  Carried(t, "envelopes.header", 2048);
  t.Bad(h + "format_version", "not said", Number(0), FieldMissing());
  t.Bad(h + "format_version", "2", Number(2), FieldInvalid());
  t.Text(h + "region", 64, true);
  t.Bad(h + "region", "another region", Set("elders.example"), ByMachine("REGION_WRONG"));
  t.Sized(h + "signal_id", 16);
  t.Bad(h + "signal_id", "used for another envelope", Set(used_id),
        ByMachine("ALREADY_EXISTS").Code(StatusCode::ALREADY_EXISTS));
  t.Oin(h + "sender");
  t.Bad(h + "sender", "another's, with the own key set", Set(world.region().OinOf("team").str()),
        UnknownKeySet());
  t.Sized(h + "sender_key_set_digest", 32);
  t.Bad(h + "sender_key_set_digest", "of no key set", Set(Bytes(32, 'k')), UnknownKeySet());
  t.Bad(h + "sender_key_set_digest", "another's", Set(world.KeysOf("team").digest.str()),
        UnknownKeySet());
  t.CodeOf(h + "signal_type");
  t.CodeOf(h + "purpose");
  t.EnumOf(h + "urgency");
  t.Bad(h + "created_ms", "not said", Number(0), FieldMissing());
  t.Bad(h + "created_ms", "six minutes ahead", at(6 * 60'000), ByMachine("CREATED_IN_FUTURE"));
  t.Bad(h + "created_ms", "25 hours ago", at(-int64_t{25 * kHour}), ByMachine("CREATED_TOO_OLD"));
  t.Bad(h + "created_ms", "before the key set began", at(-int64_t{40 * kHour}), UnknownKeySet());
  t.Bad(h + "created_ms", "at the end of time", Number(-1), UnknownKeySet());
  const auto range = ByMachine("EXPIRY_OUT_OF_RANGE");
  t.Bad(h + "expires_ms", "not said", Number(0), FieldMissing());
  t.Bad(h + "expires_ms", "before it began", at(-60'000), range);
  t.Bad(h + "expires_ms", "91 days on", at(int64_t{91 * 24 * kHour}), range);
  t.Bad(h + "expires_ms", "at the end of time", Number(-1), range);
  t.Sized(h + "follows", 16, false);
  t.Bad(h + "supersedes", "beside follows", Set(Bytes(16, 's')), FieldInvalid());
  t.Bad(h + "supersedes", "a byte short", Set(Bytes(15, 's')), FieldInvalid());
  t.Bad(h + "checkpoint_size", "none, with a root", Number(0),
        FieldInvalid().At(kEnvelope + ".header.checkpoint_root"));
  t.Sized(h + "checkpoint_root", 32);
  t.Sized(h + "random", 32);
}

void RoutingRows(RpcTable& t) {
  const std::string r = "envelopes.routing.";
  const std::string out = kEnvelope + ".routing";
  Carried(t, "envelopes.routing", 16 * 1024);
  t.Bad(r + "recipients", "none", Missing(), FieldMissing());
  t.Bad(r + "recipients", "33", Times(33), TooLarge());
  t.Oin(r + "recipients.oin");
  t.Bad(r + "recipients", "one twice", Times(2), FieldInvalid().At(out + ".recipients[1].oin"));
  t.Bad(r + "recipients.function", "a field that nobody knows", Unknown(), FieldInvalid().At(out));
  t.CodeOf(r + "recipients.function.function");
  t.CodeOf(r + "recipients.function.area");
  t.Sized(r + "case_id", 16, false);
  t.Bad(r + "subjects", "none", Missing(), FieldMissing());
  t.Bad(r + "subjects", "17", Times(17), TooLarge());
  t.Sized(r + "subjects.label", 16);
  t.Bad(r + "subjects", "one label twice", Times(3), FieldInvalid().At(out + ".subjects[2].label"));
  t.Reference(r + "subjects.ref", false);
  t.Text(r + "actor", 128, true);
  t.Bad(r + "actor", "another", Set("somebody-else"), ByMachine("ACTOR_MISMATCH"));
  t.Sized(r + "random", 16);
}

void SectionRows(RpcTable& t, World& world) {
  const std::string s = "envelopes.sections.";
  const auto second = [](PublishCall& request) {
    return request.mutable_envelopes(0)->mutable_sections(1);
  };
  // Changes the reference in the identity-bsn section.
  const auto with_ref = [&](const std::string& path, const std::string& what,
                            const std::function<void(v1::SectionMeta&)>& change,
                            const Refusal& refusal) {
    t.BadIf<PublishCall>(
        s + path, what,
        [&](PublishCall& request) {
          v1::SectionMeta meta;
          SCHAKEL_CHECK(meta.ParseFromString(second(request)->meta()), "a meta of ours parses");
          change(meta);
          second(request)->set_meta(meta.SerializeAsString());
        },
        refusal.At(kEnvelope + ".sections[1].meta.subject_ref"));
  };
  t.Bad("envelopes.sections", "none", Missing(), FieldMissing());
  t.Bad("envelopes.sections", "65", Times(65), TooLarge());
  t.Sized(s + "sid", 16);
  t.BadIf<PublishCall>(
      s + "sid", "in descending order",
      [&](PublishCall& request) {
        request.mutable_envelopes(0)->mutable_sections()->SwapElements(0, 1);
      },
      FieldInvalid().At(kEnvelope + ".sections[1].sid"));
  t.BadIf<PublishCall>(
      s + "sid", "one twice",
      [&](PublishCall& request) {
        second(request)->set_sid(request.envelopes(0).sections(0).sid());
      },
      FieldInvalid().At(kEnvelope + ".sections[1].sid"));
  Carried(t, s + "meta", 2048);
  t.CodeOf(s + "meta.category");
  t.Bad(s + "meta.subject_labels", "none", Missing(), FieldMissing());
  t.Bad(s + "meta.subject_labels", "17", Times(17), TooLarge());
  t.Bad(s + "meta.subject_labels", "of nobody", Set(Bytes(16, 'l')), FieldInvalid());
  t.Bad(s + "meta.subject_labels", "one twice", Times(2), FieldInvalid());
  t.CodeOf(s + "meta.ground");
  t.Bad(
      s + "meta.attested_conditions", "17",
      [](Message& in, const FieldDescriptor& field) {
        Set("a-condition")(in, field);
        Times(17)(in, field);
      },
      TooLarge());
  t.Bad(s + "meta.attested_conditions", "no code", Set("I swear it"), FieldInvalid());
  t.Bad(s + "meta.subject_ref", "in another section", Unknown(),
        FieldInvalid().At(kEnvelope + ".sections[0].meta"));
  t.Bad(
      s + "meta.subject_ref", "in another section, well formed",
      [](Message& in, const FieldDescriptor& field) {
        in.GetReflection()->MutableMessage(&in, &field)->CopyFrom(testing::Linked("first"));
      },
      FieldInvalid());
  with_ref(
      "meta.subject_ref", "left out where it must be",
      [](v1::SectionMeta& meta) { meta.clear_subject_ref(); }, FieldInvalid());
  const auto mismatch = Refused("SUBJECT_MISMATCH");
  with_ref(
      "meta.subject_ref.pairs", "none",
      [](v1::SectionMeta& meta) { meta.mutable_subject_ref()->clear_pairs(); }, mismatch);
  with_ref(
      "meta.subject_ref.pairs.epoch", "another than routing's",
      [](v1::SectionMeta& meta) { meta.mutable_subject_ref()->mutable_pairs(0)->set_epoch(2); },
      mismatch);
  with_ref(
      "meta.subject_ref.pairs.value", "another than routing's",
      [](v1::SectionMeta& meta) {
        meta.mutable_subject_ref()->mutable_pairs(0)->set_value(Bytes(32, 'v'));
      },
      mismatch);
  t.Sized(s + "commitment", 32);
  t.Bad(s + "ciphertext", "missing", Missing(), FieldMissing());
  t.Bad(s + "ciphertext", "of no size that sealing gives", Set(Bytes(1041, 'c')), FieldInvalid());
  t.Bad(s + "wraps", "none", Missing(), FieldMissing());
  t.Bad(s + "wraps", "33", Times(33), TooLarge());
  t.Bad(s + "wraps", "one twice", Times(2),
        Refused("WRAP_UNEXPECTED").At(kEnvelope + ".sections[0].wraps[1].recipient"));
  t.Oin(s + "wraps.recipient");
  t.Bad(s + "wraps.recipient", "who is no recipient", Set(world.region().OinOf("team").str()),
        Refused("WRAP_UNEXPECTED"));
  t.Sized(s + "wraps.recipient_key_set_digest", 32);
  t.Sized(s + "wraps.enc", 32);
  t.Sized(s + "wraps.wrapped", 48);
}

void ValueRows(RpcTable& t, World& world) {
  const auto wrong = Refused("VALUES_INVALID").At(kEnvelope + ".values");
  using Values = google::protobuf::RepeatedPtrField<Bytes>;
  const auto with = [&](const std::string& what, const std::function<void(Values&)>& change) {
    t.BadRaw(
        "envelopes.values", what,
        [&](Message& in, const FieldDescriptor&) {
          change(*static_cast<v1::Envelope&>(in).mutable_values());
        },
        wrong);
  };
  t.BadRaw("envelopes.values", "none", Missing(), FieldMissing());
  t.BadRaw("envelopes.values", "more than there can be", Times(2129), TooLarge());
  with("one of 31 bytes", [](Values& values) { values.Mutable(0)->pop_back(); });
  with("15 of them", [](Values& values) { values.RemoveLast(); });
  with("out of order", [](Values& values) { values.SwapElements(0, 1); });
  with("one twice", [](Values& values) { *values.Mutable(1) = values.Get(0); });
  with("a digest of the envelope missing", [](Values& values) {
    // Whatever is no filling: all are replaced, in order.
    for (int i = 0; i < values.size(); ++i) {
      *values.Mutable(i) = Bytes(31, 'v') + static_cast<char>('a' + i);
    }
  });
  with("16 more than it needs", [&](Values& values) {
    for (int i = 0; i < 16; ++i) *values.Add() = world.Random(32);
    std::sort(values.begin(), values.end());
  });
}

void ProofRows(RpcTable& t, World& world) {
  const std::string p = "envelopes.proof.";
  t.BadRaw("envelopes.proof", "missing", Missing(), FieldMissing().At(kEnvelope + ".proof.count"));
  t.BadRaw(p + "count", "none", Number(0), FieldMissing());
  t.BadRaw(p + "count", "65", Number(65), FieldInvalid());
  t.BadRaw(p + "index", "beyond the batch", Number(1), FieldInvalid());
  t.BadRaw(p + "path", "of 31 bytes", Set(Bytes(31, 'p')), FieldInvalid());
  t.BadRaw(p + "path", "too long for a batch of one", Set(Bytes(32, 'p')), FieldInvalid());
  t.BadRaw(
      p + "path", "7 hashes",
      [](Message& in, const FieldDescriptor& field) {
        Set(Bytes(32, 'p'))(in, field);
        Times(7)(in, field);
      },
      FieldInvalid());
  t.BadRaw(p + "signature", "missing", Missing(), FieldMissing());
  t.BadRaw(p + "signature", "63 bytes", Set(Bytes(63, 's')), FieldInvalid());
  t.BadRaw(p + "signature", "of zeros", Set(Bytes(64, '\0')), ByMachine("SIGNATURE_INVALID"));
  t.BadRaw(
      p + "signature", "another's",
      [&](Message& in, const FieldDescriptor& field) {
        Set(world.KeysOf("team").signing->Sign("something else"))(in, field);
      },
      ByMachine("SIGNATURE_INVALID"));
}

void BatchRows(RpcTable& t, World& world) {
  t.BadRaw("envelopes", "none", Missing(), FieldMissing());
  t.BadRaw("envelopes", "65", Times(65), TooLarge());
  t.BadRaw("envelopes", "a field that nobody knows", Unknown(), FieldInvalid().At(kEnvelope));
  t.BadIf<PublishCall>(
      "envelopes", "one of more than 256 KiB",
      [](PublishCall& request) {
        for (int i = 0; i < 4; ++i) {
          auto* section = request.mutable_envelopes(0)->add_sections();
          *section = request.envelopes(0).sections(0);
          section->set_ciphertext(Bytes(65'552, 'c'));
        }
      },
      TooLarge().At(kEnvelope));
  t.BadRaw(
      "envelopes", "more than 4 MiB together",
      [](Message& in, const FieldDescriptor&) {
        auto& request = static_cast<PublishCall&>(in);
        request.mutable_envelopes(0)->mutable_sections(0)->set_ciphertext(
            Bytes(4 * 1024 * 1024, 'c'));
      },
      TooLarge());
  const v1::Envelope other = world.Report("team");
  t.BadIf<PublishCall>(
      "envelopes.header.sender", "another's envelope, whole",
      [&](PublishCall& request) { *request.mutable_envelopes(0) = other; },
      ByMachine("SENDER_MISMATCH").Code(StatusCode::PERMISSION_DENIED), false);
}

// Each row of Publish once more, as the second message of a stream: a PublishBatch has the bytes of
// a PublishRequest.
RpcTable PublishStream(const RpcTable& publish, const PublishCall& valid) {
  using Request = v1::PublishStreamRequest;
  Request open;
  open.mutable_open();
  const std::vector<Bytes> opened = {open.SerializeAsString()};
  Request batch;
  *batch.mutable_batch()->mutable_envelopes() = valid.envelopes();
  RpcTable t("schakel.v1.SignalService.PublishStream", "police", open);
  t.BadIf<Request>(
      "open", "something else first", [&](Request& r) { r = batch; }, FieldMissing());
  t.BadIf<Request>(
      "open", "an empty message first", [](Request& r) { r.Clear(); }, FieldMissing());
  t.Free("open.full_receipts", "either is a wish that is met");
  t.Base(batch, opened);
  t.BadIf<Request>(
      "open", "twice", [&](Request& r) { r = open; }, FieldInvalid());
  t.BadIf<Request>(
      "", "an empty message", [](Request& r) { r.Clear(); }, FieldMissing().At("request"));
  t.Free("batch", "one of the things that a message can be; its field has rows");
  for (Row row : publish.rows()) {
    // Field 2, of a length.
    ByteWriter message;
    message.Raw("\x12");
    size_t left = row.messages.back().size();
    for (; left >= 0x80; left >>= 7) message.U8(static_cast<uint8_t>(left | 0x80));
    message.U8(static_cast<uint8_t>(left)).Raw(row.messages.back());
    row.messages = {opened[0], message.Take()};
    row.path = "batch." + row.path;
    if (!row.refusal.field->empty()) row.refusal.field = "batch." + *row.refusal.field;
    t.Add(std::move(row));
  }
  return t;
}

}  // namespace

std::vector<RpcTable> PublishTables(World& world) {
  const v1::Envelope used = world.Report();
  PublishCall first;
  *first.add_envelopes() = used;
  PublishCall valid;
  *valid.add_envelopes() = world.Report();
  v1::Header header;
  SCHAKEL_CHECK(header.ParseFromString(used.header()), "a header of ours parses");
  const auto stub = v1::SignalService::NewStub(world.ConnectionOf("police").channel());
  const auto published =
      world.ConnectionOf("police").Call(*stub, &v1::SignalService::Stub::Publish, first);
  SCHAKEL_CHECK(published.ok() && published->results(0).has_accepted(), "the first one is taken");

  RpcTable t("schakel.v1.SignalService.Publish", "police", valid, [&world](Message& request) {
    auto& envelopes = *static_cast<PublishCall&>(request).mutable_envelopes();
    if (!envelopes.empty()) world.Sign(envelopes.Mutable(0));
  });
  HeaderRows(t, world, header.signal_id());
  RoutingRows(t);
  SectionRows(t, world);
  ValueRows(t, world);
  ProofRows(t, world);
  BatchRows(t, world);
  RpcTable streamed = PublishStream(t, valid);
  return {std::move(t), std::move(streamed)};
}

}  // namespace schakel::e2e
