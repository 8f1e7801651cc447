// Organisations: admitted, changed, disabled. Stored as versions.
#include "broker/base/limits.h"
#include "broker/crypto/hash.h"
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

Status Wrong(const char* field, const std::string& expected) {
  return InvalidArgument("FIELD_INVALID", std::string("organisation.") + field, expected);
}

Status CheckOrganisation(const Context& ctx, const policy::CompiledBundle& bundle,
                         const v1::Organisation& o) {
  if (!OrganisationId::From(o.oin())) return Wrong("oin", "an OIN of 20 digits expected");
  if (o.name().empty() || o.name().size() > limits::kNameBytesMax) {
    return Wrong("name", "1 to 200 bytes expected");
  }
  if (!v1::Role_IsValid(o.role()) || o.role() == v1::ROLE_UNSPECIFIED) {
    return Wrong("role", "one role expected");
  }
  bool partner = o.role() == v1::ROLE_PARTNER;
  if (partner && !bundle.KnowsSector(o.sector())) {
    return Wrong("sector", "a sector of the active bundle expected");
  }
  if (!partner && !o.sector().empty()) return Wrong("sector", "only partners have a sector");
  if (static_cast<size_t>(o.areas_size()) > limits::kAreasPerOrganisationMax) {
    return Wrong("areas", "at most 64 expected");
  }
  for (const auto& area : o.areas()) {
    if (!bundle.KnowsArea(area)) return Wrong("areas", "areas of the active bundle expected");
  }
  if (o.bsn_authority() != !o.bsn_authority_article().empty() ||
      o.bsn_authority_article().size() > limits::kReferenceBytesMax) {
    return Wrong("bsn_authority_article", "the article that gives the authority, and only with it");
  }
  if (o.certificate_issuer_digest().size() != 32) {
    return Wrong("certificate_issuer_digest", "32 bytes expected");
  }
  if (o.certificate_spki_digest().size() != 32) {
    return Wrong("certificate_spki_digest", "32 bytes expected");
  }
  if (static_cast<size_t>(o.audited_oins_size()) > limits::kAuditedOinsMax) {
    return Wrong("audited_oins", "at most 256 expected");
  }
  for (const auto& oin : o.audited_oins()) {
    if (!OrganisationId::From(oin)) return Wrong("audited_oins", "OINs of 20 digits expected");
  }
  bool auditor = o.role() == v1::ROLE_AUDITOR;
  if (!auditor && (o.audit_scope() != v1::AUDIT_SCOPE_UNSPECIFIED || o.audited_oins_size() > 0)) {
    return Wrong("audit_scope", "only auditors have a scope");
  }
  bool region = o.audit_scope() == v1::AUDIT_SCOPE_REGION;
  if (region != o.has_audit_scope_until() ||
      (region && o.audit_scope_until().seconds() <= static_cast<int64_t>(ctx.now_ms() / 1000))) {
    return Wrong("audit_scope_until", "a moment to come with scope region, and only with it");
  }
  if (o.contact().size() > limits::kNameBytesMax) return Wrong("contact", "at most 200 bytes");
  return {};
}

// Writes the next version of an entry with its record. Returns the receipt.
v1::LogReceipt WriteVersion(Context& ctx, state::v1::OrganisationVersion entry,
                            const std::string& what) {
  auto oin = *OrganisationId::From(entry.organisation().oin());
  entry.set_time_us(ctx.now_us());
  v1::Record record = ctx.NewRecord(v1::RECORD_KIND_DIRECTORY);
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
  auto oin = OrganisationId::From(command.request.oin());
  if (!oin) return InvalidArgument("FIELD_INVALID", "oin", "an OIN of 20 digits expected");
  if (command.request.reason().empty() ||
      command.request.reason().size() > limits::kReasonTextBytesMax) {
    return InvalidArgument("FIELD_INVALID", "reason", "1 to 500 bytes expected");
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
