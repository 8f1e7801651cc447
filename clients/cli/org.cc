// schakel org: the directory of organisations. Asking for admission: org_request.cc; admitting:
// org_admit.cc.
#include <memory>

#include "clients/cli/org_parts.h"
#include "clients/cli/parse.h"
#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

using policy::CodeKind;

Result<ExitCode> Disable(Invocation& invocation, const std::string& text,
                         const std::string& reason) {
  SCHAKEL_ASSIGN(const auto oin, ParseOin(invocation.language(), text, "OIN"));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const org, session->org());
  SCHAKEL_ASSIGN(const auto response, org->Disable(oin, reason));
  if (invocation.format() != Format::kTable) invocation.Show(response, nullptr, Table({}));
  invocation.Note(Msg::kDisabled, {oin.str()});
  return ExitCode::kOk;
}

// What stands in an entry's key set, in few words.
Cell KeySetCell(Invocation& invocation, const v1::OrganisationEntry& entry) {
  if (!entry.has_key_set()) return {invocation.Text(Msg::kNone), Colour::kDim};
  const auto parsed = crypto::ParseKeySet(entry.key_set().key_set());
  if (!parsed) return {"?", Colour::kBad};
  return {invocation.Text(Msg::kKeySetUntil,
                          {std::to_string(parsed->version), TimeText(parsed->not_after)}),
          parsed->not_after > sdk::Now() ? Colour::kNone : Colour::kBad};
}

Result<ExitCode> List(Invocation& invocation) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const directory, session->directory());
  SCHAKEL_ASSIGN(const auto entries, directory->List());
  v1::ListOrganisationsResponse whole;
  Table table({invocation.Text(Msg::kColOin), invocation.Text(Msg::kColName),
               invocation.Text(Msg::kColRole), invocation.Text(Msg::kColSector),
               invocation.Text(Msg::kColAreas), invocation.Text(Msg::kColBsn),
               invocation.Text(Msg::kColKeys), invocation.Text(Msg::kColState)});
  for (const auto& entry : entries) {
    *whole.add_entries() = entry;
    const auto& organisation = entry.organisation();
    table.Add({organisation.oin(), organisation.name(),
               Word(invocation.language(), organisation.role()),
               invocation.names().Of(CodeKind::kSector, organisation.sector()),
               invocation.names().ListOf(CodeKind::kArea, organisation.areas()),
               invocation.Text(organisation.bsn_authority() ? Msg::kYes : Msg::kNo),
               KeySetCell(invocation, entry),
               entry.disabled() ? Cell(invocation.Text(Msg::kStateDisabled), Colour::kBad)
                                : Cell(invocation.Text(Msg::kStateAdmitted), Colour::kGood)});
  }
  invocation.Show(whole, "entries", table);
  return ExitCode::kOk;
}

Result<ExitCode> Show(Invocation& invocation, const std::string& text) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  std::optional<OrganisationId> oin;
  if (text.empty()) {
    SCHAKEL_ASSIGN(oin, session->self());
  } else {
    SCHAKEL_ASSIGN(oin, ParseOin(invocation.language(), text, "OIN"));
  }
  SCHAKEL_ASSIGN(auto* const directory, session->directory());
  SCHAKEL_ASSIGN(const auto response, directory->GetRaw(*oin));
  const auto& entry = response.entry();
  const auto& organisation = entry.organisation();
  Names& names = invocation.names();
  Table table({invocation.Text(Msg::kColField), invocation.Text(Msg::kColValue)});
  const auto row = [&](Msg name, const Cell& value) {
    if (!value.text.empty()) table.Add({invocation.Text(name), value});
  };
  row(Msg::kColOin, organisation.oin());
  row(Msg::kColName, organisation.name());
  row(Msg::kColRole, Word(invocation.language(), organisation.role()));
  row(Msg::kColSector, names.Of(CodeKind::kSector, organisation.sector()));
  row(Msg::kColAreas, names.ListOf(CodeKind::kArea, organisation.areas()));
  row(Msg::kColBsn, organisation.bsn_authority_article());
  row(Msg::kColContact, organisation.contact());
  row(Msg::kColVersion, std::to_string(entry.version()));
  row(Msg::kColKeys, KeySetCell(invocation, entry));
  row(Msg::kColState, entry.disabled() ? Cell(invocation.Text(Msg::kStateDisabled), Colour::kBad)
                                       : Cell(invocation.Text(Msg::kStateAdmitted), Colour::kGood));
  invocation.Show(response, nullptr, table);
  return ExitCode::kOk;
}

Result<ExitCode> RegisterKeys(Invocation& invocation) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const store, session->keys());
  SCHAKEL_ASSIGN(auto* const org, session->org());
  SCHAKEL_ASSIGN(const auto response, org->RegisterPending(*store));
  if (invocation.format() != Format::kTable) invocation.Show(response, nullptr, Table({}));
  invocation.Note(response.has_receipt() ? Msg::kRegistered : Msg::kRegisteredBefore,
                  {ShortDigest(response.digest())});
  return ExitCode::kOk;
}

}  // namespace

void AddOrg(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "org", Msg::kNounOrg);

  AddOrgRequest(noun, invocation);
  AddOrgAdmit(noun, invocation);

  Verb disable(noun, invocation, "disable", Msg::kVerbOrgDisable,
               "schakel org disable 00000099000000002000 --reason \"certificate lost\"");
  const auto oin = std::make_shared<std::string>();
  const auto reason = std::make_shared<std::string>();
  disable.Value("OIN", *oin, Msg::kArgOin, "OIN").Required();
  disable.Value("--reason", *reason, Msg::kOptReason, "TEXT").Required();
  disable.Run([&invocation, oin, reason] { return Disable(invocation, *oin, *reason); });

  Verb list(noun, invocation, "list", Msg::kVerbOrgList, "schakel org list");
  list.Run([&invocation] { return List(invocation); });

  Verb show(noun, invocation, "show", Msg::kVerbOrgShow,
            "schakel org show\nschakel org show 00000099000000002000 -o json");
  const auto shown = std::make_shared<std::string>();
  show.Value("OIN", *shown, Msg::kArgOinOwn, "OIN");
  show.Run([&invocation, shown] { return Show(invocation, *shown); });

  Verb register_keys(noun, invocation, "register-keys", Msg::kVerbOrgRegister,
                     "schakel org register-keys");
  register_keys.Run([&invocation] { return RegisterKeys(invocation); });
}

}  // namespace schakel::cli
