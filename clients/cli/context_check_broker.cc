// Steps of schakel context check from the broker's name to what it knows of the caller.
#include "clients/cli/context_check.h"
#include "clients/cli/parse.h"
#include "clients/cli/words.h"
#include "clients/sdk/files.h"
#include "clients/sdk/server_probe.h"

namespace schakel::cli {
namespace {

constexpr int64_t kKeySetWarnDays = 14;  // of a key set: it lives 90 days

std::chrono::milliseconds StepTime(const Checkup& check) {
  return std::min<std::chrono::milliseconds>(check.session.timeout(), std::chrono::seconds(5));
}

// Whether the server at the address can be reached over TCP.
bool CheckReach(Checkup& check, const sdk::HostAndPort& server) {
  const auto addresses = sdk::ResolveName(server);
  if (!addresses.ok()) {
    check.Fail("name", Msg::kStepName, addresses.error(), check.Text(Msg::kTodoName, {server.host}),
               ExitCode::kUnavailable);
    check.NotTested("tcp", Msg::kStepTcp, Msg::kStepName);
    return false;
  }
  std::string list;
  for (const auto& address : *addresses) list += (list.empty() ? "" : ", ") + address;
  check.Ok("name", Msg::kStepName, server.host + ": " + list);
  const auto connected = sdk::ConnectOnce(server, StepTime(check));
  if (!connected.ok()) {
    check.Fail("tcp", Msg::kStepTcp, connected.error(), check.Text(Msg::kTodoTcp, {server.port}),
               ExitCode::kUnavailable);
    return false;
  }
  check.Ok("tcp", Msg::kStepTcp, server.host + ":" + server.port);
  return true;
}

// What is wrong with what the server showed; nullopt when nothing is.
std::optional<std::pair<Error, std::string>> WrongServer(Checkup& check,
                                                         const sdk::ServerShown& shown,
                                                         const std::string& host) {
  const auto& leaf = shown.chain.front();
  const auto bad = [&](const char* reason, std::string what, std::string todo) {
    return std::pair(MakeError(ErrorCode::kFailedPrecondition, reason, std::move(what)),
                     std::move(todo));
  };
  const Millis now = sdk::Now();
  const auto verdict = check.anchors->Verify(shown.chain, now, crypto::ChainUse::kServer);
  if (!verdict.ok()) return std::pair(verdict.error(), check.Text(Msg::kTodoServerCa));
  if (!verdict->trusted) {
    return bad("SERVER_NOT_TRUSTED",
               check.Text(Msg::kFoundServerUntrusted, {leaf.facts().issuer_name, verdict->why}),
               check.Text(Msg::kTodoServerCa));
  }
  if (!sdk::NamesHost(shown.names, host)) {
    std::string names;
    for (const auto& name : shown.names) names += (names.empty() ? "" : ", ") + name;
    return bad("SERVER_NAME", check.Text(Msg::kFoundServerName, {names, host}),
               check.Text(Msg::kTodoServerName,
                          {shown.names.empty() ? std::string("...") : shown.names.front()}));
  }
  if (check.crls) {
    const auto state = check.crls->Lookup(leaf, now);
    if (state == crypto::Revocation::kRevoked) {
      return bad("CERTIFICATE_REVOKED", check.Text(Msg::kFoundServerRevoked),
                 check.Text(Msg::kTodoServerRevoked));
    }
    if (state != crypto::Revocation::kGood) {
      return bad("REVOCATION_UNKNOWN", check.Text(Msg::kFoundStale), check.Text(Msg::kTodoCrl));
    }
  }
  return std::nullopt;
}

bool CheckTls(Checkup& check, const sdk::HostAndPort& server) {
  if (!check.anchors || !check.certificate_good || !check.key_good) {
    check.NotTested("tls", Msg::kStepTls,
                    !check.anchors            ? Msg::kStepCa
                    : !check.certificate_good ? Msg::kStepCertificate
                                              : Msg::kStepKey);
    return false;
  }
  auto options = check.session.OptionsFor(check.session.context().broker());
  options.timeout = StepTime(check);
  const std::string host = options.server_name.empty() ? server.host : options.server_name;
  const auto shown = sdk::ProbeHandshake(options);
  if (!shown.ok()) {
    check.Fail("tls", Msg::kStepTls, shown.error(), check.Text(Msg::kTodoTls),
               ExitCode::kUnavailable);
    return false;
  }
  if (const auto wrong = WrongServer(check, *shown, host)) {
    check.Fail("tls", Msg::kStepTls, wrong->first, wrong->second, ExitCode::kConfig);
    return false;
  }
  const auto& facts = shown->chain.front().facts();
  check.Ok(
      "tls", Msg::kStepTls,
      check.Text(Msg::kFoundTls, {host, std::to_string(DaysUntil(facts.not_after, sdk::Now()))}));
  return true;
}

// Compares the entry with the own certificate.
void JudgeEntry(Checkup& check) {
  const auto& organisation = check.entry.organisation();
  const auto fail = [&](const char* reason, Msg found, Msg todo) {
    check.Fail("admission", Msg::kStepAdmission,
               MakeError(ErrorCode::kPermissionDenied, reason, check.Text(found)), check.Text(todo),
               ExitCode::kNegative);
  };
  if (check.entry.disabled()) {
    return fail("ORGANISATION_DISABLED", Msg::kFoundDisabled, Msg::kTodoRegistrar);
  }
  const auto& spki = organisation.certificate_spki_digest();
  if (!spki.empty() && spki != check.chain.front().facts().spki.view()) {
    return fail("CERTIFICATE_UNKNOWN", Msg::kFoundOtherPin, Msg::kTodoRequest);
  }
  Names& names = check.invocation.names();
  check.Ok("admission", Msg::kStepAdmission,
           check.Text(Msg::kFoundAdmitted,
                      {organisation.name(), Word(check.invocation.language(), organisation.role()),
                       names.Of(policy::CodeKind::kSector, organisation.sector())}));
}

bool CheckAdmission(Checkup& check) {
  const auto entry = [&]() -> Result<v1::GetOrganisationResponse> {
    SCHAKEL_ASSIGN(const auto self, check.session.self());
    SCHAKEL_ASSIGN(auto* const directory, check.session.directory());
    return directory->GetRaw(self);
  }();
  if (!entry.ok()) {
    const bool unknown = entry.error().code == ErrorCode::kNotFound ||
                         entry.error().code == ErrorCode::kUnauthenticated ||
                         entry.error().code == ErrorCode::kPermissionDenied;
    // A server that doesn't like the certificate says so by closing the connection.
    check.Fail("admission", Msg::kStepAdmission, entry.error(),
               check.Text(unknown ? Msg::kTodoRequest : Msg::kTodoNotAccepted),
               unknown ? ExitCode::kNegative : ExitCode::kUnavailable);
    return false;
  }
  check.reached = true;
  check.entry = entry->entry();
  JudgeEntry(check);
  return true;
}

// What is wrong with the own key set; nullopt when nothing is.
std::optional<std::pair<Error, std::string>> WrongKeySet(Checkup& check,
                                                         const sdk::KeyStore& store) {
  const auto all = store.List();
  if (!all.ok()) return std::pair(all.error(), check.Text(Msg::kTodoKeyStore));
  const auto bad = [&](const char* reason, std::string what, Msg todo) {
    return std::pair(MakeError(ErrorCode::kFailedPrecondition, reason, std::move(what)),
                     check.Text(todo));
  };
  if (all->empty()) return bad("KEY_SET_MISSING", check.Text(Msg::kNone), Msg::kTodoGenerate);
  if (!all->back().complete()) {
    return bad("KEY_SET_INCOMPLETE", check.Text(Msg::kKeyUnsigned), Msg::kTodoSign);
  }
  if (!check.entry.has_key_set()) {
    return bad("KEY_SET_MISSING", check.Text(Msg::kFoundUnregistered), Msg::kTodoRegister);
  }
  const Digest theirs = crypto::KeySetDigest(check.entry.key_set().key_set());
  const auto own = store.Find(theirs);
  if (!own.ok()) {
    return bad("KEY_SET_UNKNOWN", check.Text(Msg::kFoundForeignKeys), Msg::kTodoForeignKeys);
  }
  if (own->sealing == nullptr) {
    return bad("KEY_SET_UNKNOWN", check.Text(Msg::kFoundNoPrivateKeys), Msg::kTodoForeignKeys);
  }
  if (!own->registered) {
    return bad("KEY_SET_MISSING", check.Text(Msg::kFoundUnmarked), Msg::kTodoRegister);
  }
  if (!own->ValidAt(sdk::Now())) {
    return bad("KEY_SET_MISSING",
               check.Text(Msg::kFoundNotValid,
                          {TimeText(own->key_set.not_before), TimeText(own->key_set.not_after)}),
               Msg::kTodoGenerate);
  }
  return std::nullopt;
}

void CheckKeySet(Checkup& check) {
  if (!check.reached) return check.NotTested("key-set", Msg::kStepKeySet, Msg::kStepAdmission);
  if (check.entry.organisation().role() != v1::ROLE_PARTNER && !check.entry.has_key_set()) {
    check.Ok("key-set", Msg::kStepKeySet, check.Text(Msg::kFoundNotNeeded));
    return;
  }
  const auto store = check.session.keys();
  if (!store.ok()) return check.NotTested("key-set", Msg::kStepKeySet, Msg::kStepKeyStore);
  if (const auto wrong = WrongKeySet(check, **store)) {
    check.Fail("key-set", Msg::kStepKeySet, wrong->first, wrong->second, ExitCode::kNegative);
    return;
  }
  const auto key_set = crypto::ParseKeySet(check.entry.key_set().key_set());
  if (!key_set.ok()) {
    check.Fail("key-set", Msg::kStepKeySet, key_set.error(), check.Text(Msg::kTodoRegister),
               ExitCode::kNegative);
    return;
  }
  const int64_t days = DaysUntil(key_set->not_after, sdk::Now());
  const std::string found =
      check.Text(Msg::kFoundKeySet, {std::to_string(key_set->version), std::to_string(days)});
  if (days < kKeySetWarnDays) {
    check.Warn("key-set", Msg::kStepKeySet, found, check.Text(Msg::kTodoGenerate));
  } else {
    check.Ok("key-set", Msg::kStepKeySet, found);
  }
}

}  // namespace

void CheckBroker(Checkup& check) {
  const std::string& address = check.session.context().broker();
  const auto server = sdk::SplitAddress(address);
  bool good = server.ok();
  if (!good) {
    check.Fail("name", Msg::kStepName,
               MakeError(ErrorCode::kFailedPrecondition, "CONTEXT_INCOMPLETE",
                         address.empty() ? check.Text(Msg::kCheckUnset, {"broker"})
                                         : address + ": " + server.error().message),
               check.Text(Msg::kTodoContextAdd, {"broker"}), ExitCode::kConfig);
    check.NotTested("tcp", Msg::kStepTcp, Msg::kStepName);
  } else {
    good = CheckReach(check, *server);
  }
  if (good) {
    good = CheckTls(check, *server);
  } else {
    check.NotTested("tls", Msg::kStepTls, Msg::kStepTcp);
  }
  // What the broker says of key sets is checked against the list.
  const bool list_broken = !check.session.context().crl_path().empty() && !check.crls;
  if (good && list_broken) {
    check.NotTested("admission", Msg::kStepAdmission, Msg::kStepCrl);
  } else if (good) {
    CheckAdmission(check);
  } else {
    check.NotTested("admission", Msg::kStepAdmission, Msg::kStepTls);
  }
  CheckKeySet(check);
}

}  // namespace schakel::cli
