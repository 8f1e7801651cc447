// DirectoryService.
#include "broker/crypto/key_set.h"
#include "schakel/v1/directory.pb.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {
namespace {

using grpc::StatusCode;

const std::string kDirectoryService = "schakel.v1.DirectoryService.";

// The machine looks at an entry, so each of these is a denied attempt of the registrar.
void EntryRows(RpcTable& t) {
  const std::string o = "organisation.";
  const auto missing = FieldMissing().Recorded();
  const auto invalid = FieldInvalid().Recorded();
  const auto large = TooLarge().Recorded();
  t.Bad("organisation", "missing", Missing(), FieldMissing());
  t.Bad("organisation", "a field that nobody knows", Unknown(), invalid);
  t.Bad(o + "oin", "missing", Missing(), missing);
  t.Bad(o + "oin", "19 digits", Set("0000009900000000100"), invalid);
  t.Bad(o + "name", "missing", Missing(), missing);
  t.Bad(o + "name", "201 bytes", Set(std::string(201, 'n')), large);
  t.Bad(o + "role", "not said", Number(0), missing);
  t.Bad(o + "role", "a number that is no value", Number(99), invalid);
  t.Bad(o + "role", "one that has no sector", Number(v1::ROLE_CHAIN_DIRECTOR),
        invalid.At(o + "sector"));
  t.Bad(o + "sector", "missing", Missing(), missing);
  t.Bad(o + "sector", "that the bundle does not know", Set("astrology"), ByMachine("UNKNOWN_CODE"));
  t.Bad(o + "areas", "that the bundle does not know", Set("atlantis"), ByMachine("UNKNOWN_CODE"));
  t.Bad(o + "areas", "65", Times(65), large);
  t.Bad(o + "bsn_authority", "without an article", Number(1),
        missing.At(o + "bsn_authority_article"));
  t.Bad(o + "bsn_authority_article", "without the authority", Set("Wabb art. 10"), invalid);
  t.BadIf<v1::AdmitOrganisationRequest>(
      o + "bsn_authority_article", "201 bytes",
      [](v1::AdmitOrganisationRequest& r) {
        r.mutable_organisation()->set_bsn_authority(true);
        r.mutable_organisation()->set_bsn_authority_article(std::string(201, 'a'));
      },
      large);
  for (const std::string field : {"certificate_issuer_digest", "certificate_spki_digest"}) {
    t.Bad(o + field, "missing", Missing(), missing);
    t.Bad(o + field, "31 bytes", Set(Bytes(31, 'd')), invalid);
  }
  t.Bad(o + "contact", "201 bytes", Set(std::string(201, 'c')), large);
}

void ScopeRows(RpcTable& t) {
  const std::string o = "organisation.";
  const auto invalid = FieldInvalid().Recorded();
  const auto until = invalid.At(o + "audit_scope_until");
  t.Bad(o + "audit_scope", "a number that is no value", Number(99), invalid);
  t.Bad(
      o + "audit_scope", "the region's, without an end",
      [](Message& in, const FieldDescriptor&) {
        static_cast<v1::Organisation&>(in).clear_audit_scope_until();
      },
      FieldMissing().At(o + "audit_scope_until").Recorded());
  t.Bad(o + "audit_scope", "the own, with an end", Number(v1::AUDIT_SCOPE_OWN), until);
  t.Bad(o + "audited_oins", "no OIN", Set("Politie"), invalid);
  t.Bad(
      o + "audited_oins", "257",
      [](Message& in, const FieldDescriptor& field) {
        Set("00000099000000001001")(in, field);
        Times(257)(in, field);
      },
      TooLarge().Recorded());
  t.Bad(
      o + "audit_scope_until", "an empty one",
      [](Message& in, const FieldDescriptor& field) {
        in.GetReflection()->MutableMessage(&in, &field)->Clear();
      },
      until);
  t.Bad(o + "audit_scope_until.seconds", "in the past", Number(1), until);
  t.Bad(o + "audit_scope_until.seconds", "after the year 9999", Number(253'402'300'800), until);
  t.Bad(o + "audit_scope_until.nanos", "negative", Number(-1), until);
}

RpcTable AdmitOrganisation(World& world) {
  v1::AdmitOrganisationRequest partner;
  *partner.mutable_organisation() = world.region().EntryOf("corporation");
  partner.mutable_organisation()->set_oin(testing::TestOin(4100));
  RpcTable t(kDirectoryService + "AdmitOrganisation", "registrar", partner);
  EntryRows(t);
  t.Bad("expected_version", "of an entry that is not there", Number(3),
        Refused("STALE_VERSION").Code(StatusCode::FAILED_PRECONDITION));
  v1::AdmitOrganisationRequest auditor;
  *auditor.mutable_organisation() = world.region().EntryOf("region-auditor");
  auditor.mutable_organisation()->set_oin(testing::TestOin(4101));
  t.Base(auditor, {});
  ScopeRows(t);
  return t;
}

RpcTable DisableOrganisation(World& world) {
  v1::AdmitOrganisationRequest admit;
  *admit.mutable_organisation() = world.region().EntryOf("corporation");
  admit.mutable_organisation()->set_oin(testing::TestOin(4102));
  const auto& registrar = world.ConnectionOf("registrar");
  const auto stub = v1::DirectoryService::NewStub(registrar.channel());
  (void)Must(registrar.Call(*stub, &v1::DirectoryService::Stub::AdmitOrganisation, admit));
  v1::DisableOrganisationRequest valid;
  valid.set_oin(testing::TestOin(4102));
  valid.set_reason("contract ended");
  RpcTable t(kDirectoryService + "DisableOrganisation", "registrar", valid);
  t.Bad("oin", "missing", Missing(), FieldMissing().Recorded());
  t.Bad("oin", "19 digits", Set("0000009900000000100"), FieldInvalid().Recorded());
  t.Bad("oin", "of nobody", Set("00000099000000007777"),
        ByMachine("NOT_FOUND").Code(StatusCode::NOT_FOUND));
  t.Bad("oin", "the registrar's own", Set(world.region().OinOf("registrar").str()),
        FieldInvalid().Code(StatusCode::FAILED_PRECONDITION).Recorded());
  t.Bad("reason", "missing", Missing(), FieldMissing().Recorded());
  t.Bad("reason", "501 bytes", Set(std::string(501, 'r')), TooLarge().Recorded());
  return t;
}

// The next key set of `name`, signed by its certificate's key and its own, changed before signing.
v1::RegisterKeySetRequest NextKeySet(World& world, const std::string& name,
                                     const std::function<void(crypto::KeySet&)>& change = {}) {
  const auto own = world.KeysOf(name);
  auto next = own.key_set;
  next.version += 1;
  next.previous = own.digest;
  next.not_before = sdk::Now();
  if (change) change(next);
  v1::RegisterKeySetRequest request;
  auto& set = *request.mutable_key_set();
  set.set_key_set(crypto::EncodeKeySet(next));
  set.set_signing_key_signature(own.signing->Sign(set.key_set()));
  const auto key = Must(crypto::CertificateKey::Load(world.region().CertificateOf(name).key));
  set.set_certificate_signature(Must(key.Sign(set.key_set())));
  *set.mutable_certificate_chain() = own.signed_key_set.certificate_chain();
  return request;
}

RpcTable RegisterKeySet(World& world) {
  const std::string name = "access";
  RpcTable t(kDirectoryService + "RegisterKeySet", name, NextKeySet(world, name));
  const std::string k = "key_set.";
  const auto invalid = ByMachine("KEY_SET_INVALID");
  const auto by_machine = invalid.Code(StatusCode::FAILED_PRECONDITION).At("key_set.key_set");
  t.Bad("key_set", "missing", Missing(), FieldMissing());
  t.Bad("key_set", "a field that nobody knows", Unknown(), FieldInvalid());
  t.Bad(k + "key_set", "missing", Missing(), FieldMissing());
  t.Bad(k + "key_set", "of no such form", Set("keys"), invalid);
  t.Bad(k + "key_set", "159 other bytes", Set(Bytes(159, 'k')), invalid);
  const auto signed_one = [&](const std::string& what,
                              const std::function<void(crypto::KeySet&)>& change,
                              const Refusal& refusal) {
    t.BadIf<v1::RegisterKeySetRequest>(
        k + "key_set", what,
        [&](v1::RegisterKeySetRequest& r) { r = NextKeySet(world, name, change); }, refusal);
  };
  using Set32 = crypto::KeySet;
  signed_one(
      "of another", [&](Set32& s) { s.oin = world.region().OinOf("team"); }, invalid);
  signed_one(
      "version 0", [](Set32& s) { s.version = 0; }, invalid);
  signed_one(
      "of a year", [](Set32& s) { s.not_after = s.not_before + Millis(31'536'000'000); }, invalid);
  signed_one(
      "beyond its certificate",
      [](Set32& s) { s.not_after = s.not_before + std::chrono::hours(24 * 60); }, invalid);
  signed_one(
      "two versions on", [](Set32& s) { s.version += 1; }, by_machine);
  signed_one(
      "after another than the current", [](Set32& s) { s.previous = Digest{{1}}; }, by_machine);
  signed_one(
      "that has ended",
      [](Set32& s) {
        s.not_before = sdk::Now() - std::chrono::hours(3);
        s.not_after = sdk::Now() - std::chrono::hours(2);
      },
      by_machine);
  for (const std::string field : {"certificate_signature", "signing_key_signature"}) {
    t.Bad(k + field, "missing", Missing(), FieldMissing());
    t.Bad(k + field, "a byte", Set("s"), invalid);
    t.Bad(k + field, "other bytes", Set(Bytes(64, 's')), invalid);
  }
  t.Bad(k + "certificate_signature", "DER that is none",
        Set(Bytes("\x30\x06\x02\x01\x00\x02\x01\x00", 8)), invalid);
  t.Bad(k + "certificate_chain", "none", Missing(), FieldMissing());
  t.Bad(k + "certificate_chain", "6", Times(6), TooLarge());
  t.Bad(k + "certificate_chain", "more than 16 KiB", Set(Bytes(16 * 1024 + 1, '\x30')), TooLarge());
  t.Bad(k + "certificate_chain", "no certificate", Set("\x30\x82"), invalid);
  t.Bad(k + "certificate_chain", "PEM", Set(world.region().CertificateOf(name).certificate_pem()),
        invalid);
  t.Bad(k + "certificate_chain", "another's",
        Set(world.KeysOf("team").signed_key_set.certificate_chain(0)), invalid);
  return t;
}

std::vector<RpcTable> Reads(World& world) {
  const auto not_found = Refused("NOT_FOUND").Code(StatusCode::NOT_FOUND);
  v1::GetOrganisationRequest get;
  get.set_oin(world.region().OinOf("team").str());
  get.set_key_set_digest(world.KeysOf("team").digest.str());
  RpcTable one(kDirectoryService + "GetOrganisation", "care", get);
  one.Oin("oin");
  one.Bad("oin", "of nobody", Set("00000099000000007777"), not_found);
  one.Sized("key_set_digest", 32, false);
  one.Bad("key_set_digest", "of no key set", Set(Bytes(32, 'k')), not_found);
  one.Bad("key_set_digest", "another's", Set(world.KeysOf("care").digest.str()), not_found);

  RpcTable all(kDirectoryService + "ListOrganisations", "care", v1::ListOrganisationsRequest());
  all.Page();

  v1::ResolveFunctionRequest resolve;
  resolve.mutable_function()->set_function("neighbourhood-team");
  resolve.mutable_function()->set_area("dordrecht");
  RpcTable function(kDirectoryService + "ResolveFunction", "care", resolve);
  function.Bad("function", "missing", Missing(), FieldMissing().At("function.function"));
  function.CodeOf("function.function");
  function.CodeOf("function.area");
  function.Bad("function.area", "where nobody has it", Set("atlantis"),
               Refused("FUNCTION_UNRESOLVED").Code(StatusCode::NOT_FOUND).At("function"));
  std::vector<RpcTable> tables;
  tables.push_back(std::move(one));
  tables.push_back(std::move(all));
  tables.push_back(std::move(function));
  return tables;
}

}  // namespace

std::vector<RpcTable> DirectoryTables(World& world) {
  auto tables = Reads(world);
  tables.push_back(AdmitOrganisation(world));
  tables.push_back(DisableOrganisation(world));
  tables.push_back(RegisterKeySet(world));
  return tables;
}

}  // namespace schakel::e2e
