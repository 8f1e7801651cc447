// schakel org request: one file for the registrar, with everything that admission needs.
#include <memory>
#include <nlohmann/json.hpp>

#include "broker/crypto/cert_key.h"
#include "clients/cli/org_parts.h"
#include "clients/cli/parse.h"
#include "clients/cli/words.h"
#include "clients/sdk/files.h"
#include "clients/sdk/organisation_request.h"

namespace schakel::cli {
namespace {

struct RequestOptions {
  std::string out;
  std::string name;
  std::string contact;
  std::string role = "partner";
  std::string sector;
  std::vector<std::string> areas;
  std::vector<std::string> functions;
  std::string bsn_authority;
  std::string statement;
  std::string signature;
};

Result<client::v1::OrganisationRequest> RequestOf(Invocation& invocation,
                                                  const RequestOptions& options) {
  client::v1::OrganisationRequest request;
  for (const auto& [value, flag] :
       {std::pair(&options.name, "--name"), std::pair(&options.contact, "--contact")}) {
    if (value->empty()) return UsageError(invocation.Text(Msg::kMissingFlag, {flag}), flag);
  }
  request.set_name(options.name);
  request.set_contact(options.contact);
  const auto* role = ValueOfCode(v1::Role_descriptor(), options.role);
  if (role == nullptr) {
    return UsageError(invocation.Text(Msg::kOneOf, {CodesOf(v1::Role_descriptor())}), "--role");
  }
  request.set_role(static_cast<v1::Role>(role->number()));
  if (request.role() == v1::ROLE_PARTNER && options.sector.empty()) {
    return UsageError(invocation.Text(Msg::kMissingFlag, {"--sector"}), "--sector");
  }
  request.set_sector(options.sector);
  for (const auto& area : options.areas) request.add_areas(area);
  for (const auto& text : options.functions) {
    SCHAKEL_ASSIGN(const auto function, ParseFunction(invocation.language(), text, "--function"));
    auto* asked = request.add_functions();
    asked->set_function(function.function);
    asked->set_area(function.area);
  }
  request.set_bsn_authority_article(options.bsn_authority);
  request.set_created_ms(static_cast<uint64_t>(sdk::Now().count()));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const store, session->keys());
  SCHAKEL_ASSIGN(const auto newest, store->Newest());
  *request.mutable_key_set() = newest.signed_key_set;
  return request;
}

void ShowWritten(Invocation& invocation, const RequestOptions& options, bool is_signed) {
  const nlohmann::ordered_json json = {{"file", options.out}, {"signed", is_signed}};
  if (invocation.format() != Format::kTable) {
    invocation.ShowJson(json.dump(2), {json.dump()}, Table({}));
  }
  invocation.Note(Msg::kWritten, {options.out});
  if (is_signed) {
    invocation.Note(Msg::kRequestNextSend, {options.out});
  } else {
    invocation.Note(Msg::kRequestNextSign, {options.statement, options.out});
  }
}

// The second step where the certificate's key lives elsewhere.
Result<ExitCode> AttachSignature(Invocation& invocation, const RequestOptions& options) {
  SCHAKEL_ASSIGN(const Bytes file, sdk::ReadFile(options.out, sdk::kOrganisationRequestBytesMax));
  SCHAKEL_ASSIGN(const Bytes signature, sdk::ReadFile(options.signature, 1 << 16));
  SCHAKEL_ASSIGN(const Bytes whole, sdk::AttachToOrganisationRequest(file, signature));
  SCHAKEL_TRY(sdk::WriteFileDurably(options.out, whole));
  ShowWritten(invocation, options, true);
  return ExitCode::kOk;
}

Result<ExitCode> Request(Invocation& invocation, const RequestOptions& options) {
  if (!options.signature.empty()) return AttachSignature(invocation, options);
  SCHAKEL_ASSIGN(const auto request, RequestOf(invocation, options));
  SCHAKEL_ASSIGN(Bytes file, sdk::MakeOrganisationRequest(request));
  SCHAKEL_ASSIGN(const Bytes message, sdk::OrganisationRequestMessage(file));
  if (!options.statement.empty()) {
    SCHAKEL_TRY(sdk::WriteFileDurably(options.statement, message));
    SCHAKEL_TRY(sdk::WriteFileDurably(options.out, file));
    ShowWritten(invocation, options, false);
    return ExitCode::kOk;
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  const std::string& key_file = session->context().key_file();
  if (key_file.empty()) {
    return MakeError(ErrorCode::kFailedPrecondition, "CONTEXT_INCOMPLETE",
                     invocation.Text(Msg::kNoKeyForRequest), "key_file");
  }
  SCHAKEL_ASSIGN(const auto key, crypto::CertificateKey::Load(key_file));
  SCHAKEL_ASSIGN(const Bytes signature, key.Sign(message));
  SCHAKEL_ASSIGN(file, sdk::AttachToOrganisationRequest(file, signature));
  SCHAKEL_TRY(sdk::WriteFileDurably(options.out, file));
  ShowWritten(invocation, options, true);
  return ExitCode::kOk;
}

}  // namespace

void AddOrgRequest(CLI::App* noun, Invocation& invocation) {
  Verb request(noun, invocation, "request", Msg::kVerbOrgRequest,
               R"(schakel org request --out team.request --name "Sociaal wijkteam" \
    --contact "functionaris gegevensbescherming, 078-0000000" \
    --sector municipality --area dordrecht \
    --function neighbourhood-team@Dordrecht --bsn-authority "Wabb art. 10"
schakel org request --out elsewhere.request --name "Sociaal wijkteam" \
    --contact "balie, 078-0000000" --sector municipality --area dordrecht \
    --statement request.bin
openssl dgst -sha256 -sign team.key -out request.sig request.bin
schakel org request --out elsewhere.request --signature request.sig)");
  const auto options = std::make_shared<RequestOptions>();
  request.Value("--out", options->out, Msg::kOptRequestOut, "FILE").Required();
  request.Value("--name", options->name, Msg::kOptOrgName, "TEXT");
  request.Value("--contact", options->contact, Msg::kOptContact, "TEXT");
  request.Choice("--role", options->role, Msg::kOptRole, "ROLE", v1::Role_descriptor());
  request.Value("--sector", options->sector, Msg::kOptSector, "CODE");
  request.Values("--area", options->areas, Msg::kOptArea, "CODE");
  request.Values("--function", options->functions, Msg::kOptAskFunction, "FUNCTION@AREA");
  request.Value("--bsn-authority", options->bsn_authority, Msg::kOptBsnAuthority, "ARTICLE");
  request.Value("--statement", options->statement, Msg::kOptRequestStatement, "FILE");
  request.Value("--signature", options->signature, Msg::kOptRequestSignature, "FILE");
  request.Run([&invocation, options] { return Request(invocation, *options); });
}

}  // namespace schakel::cli
