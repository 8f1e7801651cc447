// PolicyService.
#include "broker/crypto/policy_format.h"
#include "schakel/v1/policy.grpc.pb.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {
namespace {

using grpc::StatusCode;
using Activate = v1::ActivatePolicyRequest;

const std::string kPolicyService = "schakel.v1.PolicyService.";

Refusal NoBundle() { return Refused("NOT_FOUND").Code(StatusCode::NOT_FOUND); }

// The active bundle with one text in one of its files replaced.
Bytes Edited(const Bytes& bundle, const std::string& file, const std::string& from,
             const std::string& to) {
  auto files = Must(crypto::ParsePolicyBundle(bundle));
  for (auto& one : files) {
    if (one.path != file) continue;
    const size_t at = one.content.find(from);
    SCHAKEL_CHECK(at != Bytes::npos, "the text stands in the file");
    one.content.replace(at, from.size(), to);
  }
  return Must(crypto::EncodePolicyBundle(files));
}

// Ten levels of ten aliases each: ten thousand million words for a reader that follows them.
std::string Laughs() {
  std::string yaml = "a0: &a0 lol\n";
  for (int level = 1; level <= 10; ++level) {
    const std::string below = "*a" + std::to_string(level - 1);
    yaml += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [" + below;
    for (int i = 1; i < 10; ++i) yaml += ", " + below;
    yaml += "]\n";
  }
  return yaml;
}

RpcTable ActivatePolicy(World& world) {
  const auto& registrar = world.ConnectionOf("registrar");
  const auto stub = v1::PolicyService::NewStub(registrar.channel());
  const auto active =
      Must(registrar.Call(*stub, &v1::PolicyService::Stub::GetPolicy, v1::GetPolicyRequest()));
  Activate valid;
  valid.set_bundle(active.bundle());
  valid.set_digest(active.digest());
  RpcTable t(kPolicyService + "ActivatePolicy", "registrar", valid);
  t.Sized("digest", 32);
  t.Bad("digest", "of another", Set(Bytes(32, 'd')), Refused("BUNDLE_DIGEST_MISMATCH"));
  t.Bad("bundle", "missing", Missing(), FieldMissing());
  t.Bad("bundle", "more than 3 MiB", Set(Bytes(3 * 1024 * 1024 + 1, 'b')), TooLarge());
  const auto with = [&](const std::string& what, const Bytes& bundle, const Refusal& refusal) {
    t.BadIf<Activate>(
        "bundle", what,
        [&](Activate& r) {
          r.set_bundle(bundle);
          r.set_digest(crypto::PolicyDigest(bundle).str());
        },
        refusal);
  };
  const auto invalid = Refused("BUNDLE_INVALID");
  const auto file = [](const std::string& path, const std::string& content) {
    return ByteWriter().Lp(path).Lp(content).Take();
  };
  with("random bytes", world.Random(5000), invalid);
  with("a file only", file("bundle.yaml", "name: x\n"), invalid);
  with("a path that leaves its folder", file("../bundle.yaml", "name: x\n"), invalid);
  with("files out of order", file("b.yaml", "") + file("a.yaml", ""), invalid);
  with("YAML that is none", file("bundle.yaml", "a: [b"), invalid);
  with("YAML without end", file("bundle.yaml", std::string(200'000, '[')), invalid);
  with("aliases of aliases", file("bundle.yaml", Laughs()), invalid);
  with("a key that nobody knows", Edited(active.bundle(), "bundle.yaml", "name:", "nom: x\nname:"),
       invalid);
  with("for another region",
       Edited(active.bundle(), "bundle.yaml", world.region().region(), "elders.example"),
       Refused("REGION_WRONG").Recorded());
  return t;
}

RpcTable GetPolicy() {
  RpcTable t(kPolicyService + "GetPolicy", "care", v1::GetPolicyRequest());
  t.Sized("digest", 32, false);
  t.Bad("digest", "of no bundle", Set(Bytes(32, 'd')), NoBundle());
  return t;
}

RpcTable Explain(World& world) {
  v1::ExplainRequest valid;
  valid.set_sender(world.region().OinOf("police").str());
  valid.mutable_function()->set_function("domestic-violence-centre");
  valid.mutable_function()->set_area("dordrecht");
  valid.set_signal_type("domestic-violence-report");
  valid.set_purpose("stop-domestic-violence");
  valid.set_category("safety");
  valid.set_ground("wmo-veilig-thuis");
  valid.set_subject_linked(true);
  valid.set_language("nl");
  RpcTable t(kPolicyService + "Explain", "registrar", valid);
  t.Sized("digest", 32, false);
  t.Bad("digest", "of no bundle", Set(Bytes(32, 'd')), NoBundle());
  t.Oin("sender");
  t.Bad("sender", "of nobody", Set("00000099000000007777"), NoBundle());
  t.Bad("function", "missing", Missing(), FieldMissing().At("recipient"));
  t.CodeOf("function.function");
  t.CodeOf("function.area");
  t.Bad("function.area", "where nobody has it", Set("atlantis"),
        Refused("FUNCTION_UNRESOLVED").Code(StatusCode::NOT_FOUND).At("function"));
  for (const char* code : {"signal_type", "purpose", "category", "ground"}) t.CodeOf(code);
  t.Bad("attested_conditions", "17", Times(17), TooLarge());
  t.Bad("attested_conditions", "no code", Set("I swear it"), FieldInvalid());
  t.Bad("recipient", "beside a function", Set(world.region().OinOf("team").str()), FieldInvalid());
  t.Bad("language", "that nobody speaks here", Set("fr"), FieldInvalid());
  t.Free("subject_linked", "both truth values ask something");
  t.Free("assume_consent", "both truth values ask something, also of an unlinked subject");
  valid.clear_function();
  valid.set_recipient(world.region().OinOf("centre").str());
  t.Base(valid, {});
  t.Bad("recipient", "19 digits", Set("0000009900000000100"), FieldInvalid());
  t.Bad("recipient", "of nobody", Set("00000099000000007777"), NoBundle());
  return t;
}

RpcTable Replay() {
  RpcTable t(kPolicyService + "Replay", "registrar", v1::ReplayRequest());
  t.Bad("page_size", "1001", Number(1001), FieldInvalid());
  t.Sized("digest", 32, false);
  t.Bad("digest", "of no bundle", Set(Bytes(32, 'd')), NoBundle());
  t.Free("first_index", "beyond the end there is nothing to recompute");
  return t;
}

}  // namespace

std::vector<RpcTable> PolicyTables(World& world) {
  std::vector<RpcTable> tables;
  tables.push_back(ActivatePolicy(world));
  tables.push_back(GetPolicy());
  tables.push_back(Explain(world));
  tables.push_back(Replay());
  return tables;
}

}  // namespace schakel::e2e
