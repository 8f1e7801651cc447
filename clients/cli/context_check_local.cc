// Steps of schakel context check that look at the own disk.
#include <sys/stat.h>
#include <unistd.h>

#include "broker/crypto/cert_key.h"
#include "clients/cli/context_check.h"
#include "clients/cli/parse.h"
#include "clients/sdk/files.h"

namespace schakel::cli {
namespace {

constexpr int64_t kCertificateWarnDays = 30;

// Whether the setting is there at all.
bool IsSet(Checkup& check, const char* step, Msg name, const std::string& value,
           const char* setting) {
  if (!value.empty()) return true;
  check.Fail(step, name,
             MakeError(ErrorCode::kFailedPrecondition, "CONTEXT_INCOMPLETE",
                       check.Text(Msg::kCheckUnset, {setting})),
             check.Text(Msg::kTodoContextAdd, {setting}), ExitCode::kConfig);
  return false;
}

std::string WhatToDoWithFile(Checkup& check, const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return check.Text(Msg::kTodoFile, {path});
  return check.Text(Msg::kTodoFormat, {path});
}

void CheckAnchors(Checkup& check) {
  const std::string& path = check.session.context().ca_file();
  if (!IsSet(check, "ca", Msg::kStepCa, path, "ca_file")) return;
  const auto pem = sdk::ReadFile(path, 1 << 20);
  auto anchors =
      pem.ok() ? crypto::TrustAnchors::Parse(*pem) : Result<crypto::TrustAnchors>(pem.error());
  if (!anchors.ok()) {
    check.Fail("ca", Msg::kStepCa, anchors.error(), WhatToDoWithFile(check, path),
               ExitCode::kConfig);
    return;
  }
  check.anchors = *anchors;
  check.Ok("ca", Msg::kStepCa,
           check.Text(Msg::kFoundAnchors, {std::to_string(anchors->certificates().size()),
                                           anchors->certificates().front().facts().subject_name}));
}

void CheckRevocationList(Checkup& check) {
  const std::string& path = check.session.context().crl_path();
  if (path.empty()) {
    check.Warn("crl", Msg::kStepCrl, check.Text(Msg::kCheckUnset, {"crl_path"}),
               check.Text(Msg::kTodoCrl));
    return;
  }
  if (!check.anchors) return check.NotTested("crl", Msg::kStepCrl, Msg::kStepCa);
  auto opened = crypto::CrlStore::Open(path, check.anchors->certificates());
  if (!opened.ok()) {
    check.Fail("crl", Msg::kStepCrl, opened.error(), check.Text(Msg::kTodoCrl), ExitCode::kConfig);
    return;
  }
  check.crls = std::move(*opened);
  check.Ok("crl", Msg::kStepCrl, path);
}

// The first thing that is wrong with the own certificate; nullopt when nothing is.
std::optional<std::pair<Error, std::string>> WrongCertificate(Checkup& check, Millis now) {
  const auto& leaf = check.chain.front();
  const auto bad = [&](const char* reason, std::string what, Msg todo) {
    return std::pair(MakeError(ErrorCode::kFailedPrecondition, reason, std::move(what)),
                     check.Text(todo));
  };
  const auto oin = crypto::RequireOin(leaf);
  if (!oin.ok()) return std::pair(oin.error(), check.Text(Msg::kTodoCertificate));
  if (!leaf.facts().ValidAt(now)) {
    return bad("CERTIFICATE_EXPIRED",
               check.Text(Msg::kFoundNotValid,
                          {TimeText(leaf.facts().not_before), TimeText(leaf.facts().not_after)}),
               Msg::kTodoRenew);
  }
  if (check.anchors) {
    const auto verdict = check.anchors->Verify(check.chain, now, crypto::ChainUse::kClient);
    if (!verdict.ok()) return std::pair(verdict.error(), check.Text(Msg::kTodoChain));
    if (!verdict->trusted) return bad("CERTIFICATE_INVALID", verdict->why, Msg::kTodoChain);
  }
  if (check.crls) {
    const auto state = check.crls->Lookup(leaf, now);
    if (state == crypto::Revocation::kRevoked) {
      return bad("CERTIFICATE_REVOKED", check.Text(Msg::kFoundRevoked), Msg::kTodoRenew);
    }
    if (state != crypto::Revocation::kGood) {
      return bad("REVOCATION_UNKNOWN", check.Text(Msg::kFoundStale), Msg::kTodoCrl);
    }
  }
  return std::nullopt;
}

void CheckCertificate(Checkup& check) {
  const std::string& path = check.session.context().certificate_file();
  if (!IsSet(check, "certificate", Msg::kStepCertificate, path, "certificate_file")) return;
  auto chain = check.session.certificate_chain();
  if (!chain.ok()) {
    check.Fail("certificate", Msg::kStepCertificate, chain.error(), WhatToDoWithFile(check, path),
               ExitCode::kConfig);
    return;
  }
  check.chain = std::move(*chain);
  const Millis now = sdk::Now();
  if (const auto wrong = WrongCertificate(check, now)) {
    check.Fail("certificate", Msg::kStepCertificate, wrong->first, wrong->second,
               ExitCode::kConfig);
    return;
  }
  check.certificate_good = true;
  const auto& facts = check.chain.front().facts();
  const int64_t days = DaysUntil(facts.not_after, now);
  const std::string found =
      check.Text(Msg::kFoundCertificate, {facts.oin->str(), std::to_string(days)});
  if (days < kCertificateWarnDays) {
    check.Warn("certificate", Msg::kStepCertificate, found, check.Text(Msg::kTodoRenew));
  } else {
    check.Ok("certificate", Msg::kStepCertificate, found);
  }
}

void CheckKey(Checkup& check) {
  const std::string& path = check.session.context().key_file();
  if (!IsSet(check, "key", Msg::kStepKey, path, "key_file")) return;
  const auto key = crypto::CertificateKey::Load(path);
  if (!key.ok()) {
    struct stat facts {};
    const bool open = ::stat(path.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0;
    check.Fail("key", Msg::kStepKey, key.error(),
               open ? check.Text(Msg::kTodoChmod, {"600", path}) : WhatToDoWithFile(check, path),
               ExitCode::kConfig);
    return;
  }
  if (!check.chain.empty() && !key->Matches(check.chain.front())) {
    check.Fail("key", Msg::kStepKey,
               MakeError(ErrorCode::kFailedPrecondition, "CERTIFICATE_INVALID",
                         check.Text(Msg::kFoundOtherKey)),
               check.Text(Msg::kTodoOtherKey), ExitCode::kConfig);
    return;
  }
  check.key_good = true;
  check.Ok("key", Msg::kStepKey, path);
}

// A private folder; made when it is missing, as the first verb that needs it would.
void CheckFolder(Checkup& check, const char* step, Msg name, const std::string& path,
                 const char* setting) {
  if (!IsSet(check, step, name, path, setting)) return;
  const auto made = sdk::EnsurePrivateFolder(path);
  if (!made.ok()) {
    check.Fail(step, name, made.error(),
               made.error().reason == "FOLDER_OPEN" ? check.Text(Msg::kTodoChmod, {"700", path})
                                                    : check.Text(Msg::kTodoFile, {path}),
               ExitCode::kConfig);
    return;
  }
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    check.Fail(step, name,
               MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED",
                         check.Text(Msg::kFoundNotWritable, {path})),
               check.Text(Msg::kTodoFile, {path}), ExitCode::kConfig);
    return;
  }
  check.Ok(step, name, path);
}

void CheckActor(Checkup& check) {
  const auto& context = check.session.context();
  if (!IsSet(check, "actor", Msg::kStepActor, context.actor(), "actor")) return;
  if (!IsSet(check, "actor", Msg::kStepActor, context.actor_role(), "actor_role")) return;
  check.Ok("actor", Msg::kStepActor, context.actor() + ", " + context.actor_role());
}

}  // namespace

void CheckFiles(Checkup& check) {
  CheckAnchors(check);
  CheckRevocationList(check);
  CheckCertificate(check);
  CheckKey(check);
  CheckActor(check);
  const auto& context = check.session.context();
  CheckFolder(check, "key-store", Msg::kStepKeyStore, context.key_store(), "key_store");
  CheckFolder(check, "state-folder", Msg::kStepState, context.state_folder(), "state_folder");
}

}  // namespace schakel::cli
