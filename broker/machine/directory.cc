// Organisations: admitted, changed, disabled. Stored as versions.
#include "broker/audit/record_filter.h"
#include "broker/base/limits.h"
#include "broker/crypto/hash.h"
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

Error Refused(const char* reason, const char* field, const std::string& expected) {
  return InvalidArgument(reason, std::string("organisation.") + field, expected);
}
Error Wrong(const char* field, const std::string& expected) {
  return Refused("FIELD_INVALID", field, expected);
}
Error Missing(const char* field, const std::string& expected) {
  return Refused("FIELD_MISSING", field, expected);
}

// At most so many bytes or entries.
Status CheckMost(size_t given, size_t max, const char* field) {
  if (given <= max) return {};
  return Refused("TOO_LARGE", field, "at most " + std::to_string(max) + " expected");
}

Status CheckCertificateDigest(const Bytes& digest, const char* field) {
  if (digest.empty()) return Missing(field, "32 bytes expected");
  return digest.size() == 32 ? Status() : Status(Wrong(field, "32 bytes expected"));
}

Status CheckPlace(const policy::CompiledBundle& bundle, const v1::Organisation& o) {
  bool partner = o.role() == v1::ROLE_PARTNER;
  if (!partner && !o.sector().empty()) return Wrong("sector", "only partners have a sector");
  if (partner && o.sector().empty()) return Missing("sector", "a partner has a sector");
  if (partner && !bundle.KnowsSector(o.sector())) {
    return Refused("UNKNOWN_CODE", "sector", "a sector of the active bundle expected");
  }
  SCHAKEL_TRY(
      CheckMost(static_cast<size_t>(o.areas_size()), limits::kAreasPerOrganisationMax, "areas"));
  for (const auto& area : o.areas()) {
    if (!bundle.KnowsArea(area)) {
      return Refused("UNKNOWN_CODE", "areas", "areas of the active bundle expected");
    }
  }
  return {};
}

Status CheckScope(const Context& ctx, const v1::Organisation& o) {
  SCHAKEL_TRY(CheckMost(static_cast<size_t>(o.audited_oins_size()), limits::kAuditedOinsMax,
                        "audited_oins"));
  for (const auto& oin : o.audited_oins()) {
    if (!OrganisationId::From(oin)) return Wrong("audited_oins", "OINs of 20 digits expected");
  }
  if (!v1::AuditScope_IsValid(o.audit_scope())) return Wrong("audit_scope", "a scope expected");
  bool auditor = o.role() == v1::ROLE_AUDITOR;
  if (!auditor && (o.audit_scope() != v1::AUDIT_SCOPE_UNSPECIFIED || o.audited_oins_size() > 0)) {
    return Wrong("audit_scope", "only auditors have a scope");
  }
  bool region = o.audit_scope() == v1::AUDIT_SCOPE_REGION;
  const auto& until = o.audit_scope_until();
  if (region && !o.has_audit_scope_until()) {
    return Missing("audit_scope_until", "a moment to come with scope region");
  }
  if (region) SCHAKEL_TRY(audit::CheckTimestamp(until, "organisation.audit_scope_until"));
  bool to_come = until.seconds() > static_cast<int64_t>(ctx.now_ms() / 1000);
  if (region != o.has_audit_scope_until() || (region && !to_come)) {
    return Wrong("audit_scope_until", "a moment to come with scope region, and only with it");
  }
  return {};
}

Status CheckOrganisation(const Context& ctx, const policy::CompiledBundle& bundle,
                         const v1::Organisation& o) {
  SCHAKEL_TRY(CheckKnown(o, "organisation"));
  SCHAKEL_TRY(CheckOin(o.oin(), "organisation.oin"));
  if (o.name().empty()) return Missing("name", "1 to 200 bytes expected");
  SCHAKEL_TRY(CheckMost(o.name().size(), limits::kNameBytesMax, "name"));
  if (o.role() == v1::ROLE_UNSPECIFIED) return Missing("role", "one role expected");
  if (!v1::Role_IsValid(o.role())) return Wrong("role", "one role expected");
  SCHAKEL_TRY(CheckPlace(bundle, o));
  const std::string& article = o.bsn_authority_article();
  if (o.bsn_authority() && article.empty()) {
    return Missing("bsn_authority_article", "the article that gives the authority");
  }
  if (!o.bsn_authority() && !article.empty()) {
    return Wrong("bsn_authority_article", "an article only with the authority");
  }
  SCHAKEL_TRY(CheckMost(article.size(), limits::kReferenceBytesMax, "bsn_authority_article"));
  SCHAKEL_TRY(CheckCertificateDigest(o.certificate_issuer_digest(), "certificate_issuer_digest"));
  SCHAKEL_TRY(CheckCertificateDigest(o.certificate_spki_digest(), "certificate_spki_digest"));
  SCHAKEL_TRY(CheckScope(ctx, o));
  return CheckMost(o.contact().size(), limits::kNameBytesMax, "contact");
}

// Writes the next version of an entry with its record. Returns the receipt.
v1::LogReceipt WriteVersion(Context& ctx, state::v1::OrganisationVersion entry,
                            const std::string& what) {
  auto oin = *OrganisationId::From(entry.organisation().oin());
  entry.set_time_us(ctx.now_us());
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_DIRECTORY);
  record.set_event_id(ctx.NewEventId());
  record.mutable_facts()->set_about_organisation(oin.str());
  record.mutable_facts()->set_version(entry.version());
  record.mutable_facts()->set_digest(
      crypto::Sha256(entry.organisation().SerializeAsString()).str());
  record.mutable_facts()->set_text(what);
  auto receipt = ctx.AddRecord(std::move(record));
  entry.set_record_index(receipt.index());
  ctx.Put(Family::kRegistry, keys::Organisation(oin), entry);
  entry.clear_key_set_digest();
  ctx.Put(Family::kRegistry, keys::OrganisationVersion(oin, entry.version()), entry);
  ctx.effects().directory_changed = true;
  return receipt;
}

}  // namespace

Result<Answer> Apply(Context& ctx, const AdmitOrganisation& command) {
  const auto& request = command.request;
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  SCHAKEL_TRY(CheckOrganisation(ctx, *bundle, request.organisation()));
  SCHAKEL_ASSIGN(auto current,
                 FindOrganisation(ctx.view(), *OrganisationId::From(request.organisation().oin())));
  v1::AdmitOrganisationResponse response;
  uint64_t version = current ? current->version() : 0;
  if (current && !current->disabled() && version == request.expected_version() + 1 &&
      current->organisation().SerializeAsString() == request.organisation().SerializeAsString()) {
    response.set_version(version);
    SCHAKEL_ASSIGN(*response.mutable_receipt(), ctx.Receipt(current->record_index()));
    return Answer(std::move(response));
  }
  if (version != request.expected_version()) {
    return MakeError(ErrorCode::kFailedPrecondition, "STALE_VERSION",
                     "the entry has version " + std::to_string(version) + ", not " +
                         std::to_string(request.expected_version()),
                     "expected_version");
  }
  if (!current) {
    size_t admitted = 0;
    SCHAKEL_TRY(ctx.view().ScanPrefix(
        Family::kRegistry, keys::OrganisationPrefix(),
        [&](BytesView, BytesView) { return ++admitted < limits::kOrganisationsMax; }));
    if (admitted >= limits::kOrganisationsMax) {
      return MakeError(ErrorCode::kResourceExhausted, "TOO_LARGE",
                       "the directory holds 10000 organisations already");
    }
  }
  state::v1::OrganisationVersion entry;
  if (current) entry.set_key_set_digest(current->key_set_digest());
  *entry.mutable_organisation() = request.organisation();
  entry.set_version(version + 1);
  response.set_version(entry.version());
  *response.mutable_receipt() = WriteVersion(ctx, std::move(entry), "admitted");
  return Answer(std::move(response));
}

Result<Answer> Apply(Context& ctx, const DisableOrganisation& command) {
  SCHAKEL_TRY(CheckOin(command.request.oin(), "oin"));
  auto oin = OrganisationId::From(command.request.oin());
  if (command.request.reason().empty()) {
    return InvalidArgument("FIELD_MISSING", "reason", "1 to 500 bytes expected");
  }
  if (command.request.reason().size() > limits::kReasonTextBytesMax) {
    return InvalidArgument("TOO_LARGE", "reason", "1 to 500 bytes expected");
  }
  if (*oin == ctx.caller().organisation) {
    return MakeError(ErrorCode::kFailedPrecondition, "FIELD_INVALID",
                     "the registrar can't disable itself", "oin");
  }
  SCHAKEL_ASSIGN(auto current, FindOrganisation(ctx.view(), *oin));
  if (!current) return MakeError(ErrorCode::kNotFound, "NOT_FOUND", "no such organisation", "oin");
  v1::DisableOrganisationResponse response;
  if (current->disabled()) {
    response.set_version(current->version());
    SCHAKEL_ASSIGN(*response.mutable_receipt(), ctx.Receipt(current->record_index()));
    return Answer(std::move(response));
  }
  current->set_disabled(true);
  current->set_version(current->version() + 1);
  response.set_version(current->version());
  *response.mutable_receipt() =
      WriteVersion(ctx, *std::move(current), "disabled: " + command.request.reason());
  return Answer(std::move(response));
}

}  // namespace schakel::machine
