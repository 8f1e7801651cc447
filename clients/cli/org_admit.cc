// schakel org admit: the registrar's decision, by flags or from an organisation's request.
#include <memory>

#include "clients/cli/org_parts.h"
#include "clients/cli/parse.h"
#include "clients/cli/words.h"
#include "clients/sdk/files.h"
#include "clients/sdk/organisation_request.h"

namespace schakel::cli {
namespace {

using policy::CodeKind;

struct AdmitOptions {
  std::string oin;
  std::string request;
  bool yes = false;
  std::string certificate;
  std::string name;
  std::string role = "partner";
  std::string sector;
  std::vector<std::string> areas;
  std::string bsn_authority;
  std::string audit_scope;
  std::string audit_until;
  std::vector<std::string> audits;
  std::string contact;
};

// What only the registrar says, also beside a request.
Status SetAuditScope(Invocation& invocation, const AdmitOptions& options, v1::Organisation& entry) {
  if (!options.audit_scope.empty()) {
    const auto* scope = ValueOfCode(v1::AuditScope_descriptor(), options.audit_scope);
    if (scope == nullptr) {
      return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(v1::AuditScope_descriptor())}),
                        "--audit-scope");
    }
    entry.set_audit_scope(static_cast<v1::AuditScope>(scope->number()));
  }
  if (!options.audit_until.empty()) {
    SCHAKEL_ASSIGN(const auto until,
                   ParseTime(invocation.language(), options.audit_until, "--audit-until"));
    *entry.mutable_audit_scope_until() = TimestampOf(until);
  }
  for (const auto& text : options.audits) {
    SCHAKEL_ASSIGN(const auto oin, ParseOin(invocation.language(), text, "--audits"));
    entry.add_audited_oins(oin.str());
  }
  return {};
}

Result<v1::Organisation> EntryByFlags(Invocation& invocation, const AdmitOptions& options) {
  for (const auto& [value, flag] :
       {std::pair(&options.certificate, "--certificate"), std::pair(&options.name, "--name")}) {
    if (value->empty()) return UsageError(invocation.Text(Msg::kMissingFlag, {flag}), flag);
  }
  SCHAKEL_ASSIGN(const Bytes pem, sdk::ReadFile(options.certificate, 1 << 20));
  SCHAKEL_ASSIGN(const auto chain, crypto::Certificate::ParseChain(pem));
  SCHAKEL_ASSIGN(const auto named, crypto::RequireOin(chain.front()));
  v1::Organisation entry;
  sdk::PinCertificate(chain.front(), &entry);
  entry.set_oin(named.str());
  if (!options.oin.empty()) {
    SCHAKEL_ASSIGN(const auto oin, ParseOin(invocation.language(), options.oin, "OIN"));
    if (oin != named) {
      return InvalidArgument("CERTIFICATE_INVALID", options.certificate,
                             invocation.Text(Msg::kCertificateOfOther, {named.str()}));
    }
  }
  entry.set_name(options.name);
  const auto* role = ValueOfCode(v1::Role_descriptor(), options.role);
  if (role == nullptr) {
    return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(v1::Role_descriptor())}), "--role");
  }
  entry.set_role(static_cast<v1::Role>(role->number()));
  entry.set_sector(options.sector);
  for (const auto& area : options.areas) entry.add_areas(area);
  entry.set_bsn_authority(!options.bsn_authority.empty());
  entry.set_bsn_authority_article(options.bsn_authority);
  entry.set_contact(options.contact);
  SCHAKEL_TRY(SetAuditScope(invocation, options, entry));
  return entry;
}

// The functions asked for, each with what the active bundle says of it.
Result<std::string> FunctionsText(Invocation& invocation,
                                  const sdk::VerifiedOrganisationRequest& verified) {
  if (verified.request.functions_size() == 0) return invocation.Text(Msg::kNone);
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const policies, session->policy());
  SCHAKEL_ASSIGN(const auto bundle, policies->Active());
  std::string text;
  for (const auto& asked : verified.request.functions()) {
    const auto holder = bundle->compiled->Resolve({asked.function(), asked.area()});
    const std::string says = !holder ? invocation.Text(Msg::kFunctionFree)
                             : *holder == verified.key_set.key_set.oin
                                 ? invocation.Text(Msg::kFunctionOwn)
                                 : invocation.Text(Msg::kFunctionOther, {holder->str()});
    text += (text.empty() ? "" : "; ") + asked.function() + "@" + asked.area() + " (" + says + ")";
  }
  return text;
}

// On `err`: it is the question, not the answer.
Status ShowRequest(Invocation& invocation, const sdk::VerifiedOrganisationRequest& verified) {
  const auto& request = verified.request;
  const auto& facts = verified.certificate.facts();
  Names& names = invocation.names();
  Table table({invocation.Text(Msg::kColField), invocation.Text(Msg::kColValue)});
  const auto row = [&](Msg name, const Cell& value) { table.Add({invocation.Text(name), value}); };
  row(Msg::kColOin, verified.key_set.key_set.oin.str());
  row(Msg::kColName, request.name());
  row(Msg::kColRole, Word(invocation.language(), request.role()));
  row(Msg::kColSector, names.Of(CodeKind::kSector, request.sector()));
  row(Msg::kColAreas, names.ListOf(CodeKind::kArea, request.areas()));
  SCHAKEL_ASSIGN(const auto functions, FunctionsText(invocation, verified));
  row(Msg::kColFunctions, functions);
  row(Msg::kColBsn, request.bsn_authority_article().empty() ? invocation.Text(Msg::kNo)
                                                            : request.bsn_authority_article());
  row(Msg::kColContact, request.contact());
  row(Msg::kColCertificate, facts.subject_name);
  row(Msg::kColIssuer, facts.issuer_name);
  row(Msg::kColUntil, TimeText(facts.not_after));
  row(Msg::kColKeys,
      invocation.Text(Msg::kKeySetUntil, {std::to_string(verified.key_set.key_set.version),
                                          TimeText(verified.key_set.key_set.not_after)}));
  row(Msg::kColDigest, HexEncode(verified.key_set.digest.view()));
  row(Msg::kColMade, TimeText(Millis(static_cast<int64_t>(request.created_ms()))));
  invocation.err() << table.Render(0, false);
  return {};
}

// Whether the registrar agrees. USAGE where nobody can be asked.
Result<bool> Agreed(Invocation& invocation, const AdmitOptions& options) {
  if (options.yes) return true;
  if (!invocation.AsksOnTerminal()) return UsageError(invocation.Text(Msg::kSayYes), "--yes");
  return invocation.Ask(Msg::kAskAdmit);
}

Result<v1::Organisation> EntryByRequest(Invocation& invocation, const AdmitOptions& options,
                                        bool* agreed) {
  const bool flags_too = !options.certificate.empty() || !options.name.empty() ||
                         !options.sector.empty() || !options.areas.empty() ||
                         !options.bsn_authority.empty() || !options.contact.empty();
  if (flags_too) return UsageError(invocation.Text(Msg::kRequestSaysIt), "--request");
  SCHAKEL_ASSIGN(const Bytes file,
                 sdk::ReadFile(options.request, sdk::kOrganisationRequestBytesMax));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(const auto verifier, session->verifier());
  auto verified = sdk::VerifyOrganisationRequest(file, *verifier, sdk::Now());
  if (!verified.ok()) {
    Error error = verified.error();
    error.field = options.request + (error.field.empty() ? "" : ": " + error.field);
    return error;
  }
  auto entry = sdk::EntryOf(*verified);
  if (!options.oin.empty()) {
    SCHAKEL_ASSIGN(const auto oin, ParseOin(invocation.language(), options.oin, "OIN"));
    if (oin.str() != entry.oin()) {
      return InvalidArgument("CERTIFICATE_INVALID", options.request,
                             invocation.Text(Msg::kCertificateOfOther, {entry.oin()}));
    }
  }
  SCHAKEL_TRY(SetAuditScope(invocation, options, entry));
  SCHAKEL_TRY(ShowRequest(invocation, *verified));
  SCHAKEL_ASSIGN(*agreed, Agreed(invocation, options));
  return entry;
}

Result<ExitCode> Admit(Invocation& invocation, const AdmitOptions& options) {
  bool agreed = true;
  SCHAKEL_ASSIGN(const auto entry, options.request.empty()
                                       ? EntryByFlags(invocation, options)
                                       : EntryByRequest(invocation, options, &agreed));
  if (!agreed) {
    invocation.Note(Msg::kNotAdmitted);
    return ExitCode::kNegative;
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const org, session->org());
  SCHAKEL_ASSIGN(const auto response, org->AdmitOrReplace(entry));
  Table table({invocation.Text(Msg::kColOin), invocation.Text(Msg::kColName),
               invocation.Text(Msg::kColRole), invocation.Text(Msg::kColVersion)});
  table.Add({entry.oin(), entry.name(), Word(invocation.language(), entry.role()),
             std::to_string(response.version())});
  invocation.Show(response, nullptr, table);
  // The broker takes a key set from its owner alone.
  if (!options.request.empty()) invocation.Note(Msg::kAdmittedNext);
  return ExitCode::kOk;
}

}  // namespace

void AddOrgAdmit(CLI::App* noun, Invocation& invocation) {
  Verb admit(
      noun, invocation, "admit", Msg::kVerbOrgAdmit,
      "schakel org admit --request team.request\n"
      "schakel org admit --request team.request --yes -o json\n"
      "schakel org admit 00000099000000002000 --certificate debt-relief.pem \\\n"
      "    --name \"Schuldhulp Dordrecht\" --role partner --sector social-services \\\n"
      "    --area dordrecht --bsn-authority \"Wgs art. 8\" --contact \"balie, 078-0000000\"\n"
      "schakel org admit --certificate audit.pem --name Toezicht --role auditor \\\n"
      "    --audit-scope own --audits 00000099000000002000 --contact \"FG, 078-0000000\"");
  const auto options = std::make_shared<AdmitOptions>();
  admit.Value("OIN", options->oin, Msg::kArgOinAdmit, "OIN");
  admit.Value("--request", options->request, Msg::kOptRequest, "FILE");
  admit.Flag("--yes", options->yes, Msg::kOptYes);
  admit.Value("--certificate", options->certificate, Msg::kOptOrgCertificate, "FILE");
  admit.Value("--name", options->name, Msg::kOptOrgName, "TEXT");
  admit.Choice("--role", options->role, Msg::kOptRole, "ROLE", v1::Role_descriptor());
  admit.Value("--sector", options->sector, Msg::kOptSector, "CODE");
  admit.Values("--area", options->areas, Msg::kOptArea, "CODE");
  admit.Value("--bsn-authority", options->bsn_authority, Msg::kOptBsnAuthority, "ARTICLE");
  admit.Value("--audit-scope", options->audit_scope, Msg::kOptAuditScope, "own|region");
  admit.Value("--audit-until", options->audit_until, Msg::kOptAuditUntil, "TIME");
  admit.Values("--audits", options->audits, Msg::kOptAudits, "OIN");
  admit.Value("--contact", options->contact, Msg::kOptContact, "TEXT");
  admit.Run([&invocation, options] { return Admit(invocation, *options); });
}

}  // namespace schakel::cli
