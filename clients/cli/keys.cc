// schakel keys: the organisation's own key sets on its own disk.
#include <memory>
#include <nlohmann/json.hpp>

#include "broker/crypto/cert_key.h"
#include "clients/cli/parse.h"
#include "clients/cli/verb.h"
#include "clients/sdk/files.h"

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;

Json JsonOf(const sdk::OwnKeySet& own) {
  return {{"oin", own.key_set.oin.str()},
          {"version", own.key_set.version},
          {"digest", HexEncode(own.digest.view())},
          {"notBefore", TimeText(own.key_set.not_before)},
          {"notAfter", TimeText(own.key_set.not_after)},
          {"signed", own.complete()},
          {"registered", own.registered},
          {"privateKeys", own.sealing != nullptr}};
}

Cell StateOf(Invocation& invocation, const sdk::OwnKeySet& own) {
  if (!own.complete()) return {invocation.Text(Msg::kKeyUnsigned), Colour::kBad};
  if (!own.registered) return {invocation.Text(Msg::kKeyUnregistered), Colour::kBad};
  if (!own.ValidAt(sdk::Now())) return {invocation.Text(Msg::kKeyExpired), Colour::kDim};
  return {invocation.Text(Msg::kKeyInUse), Colour::kGood};
}

void ShowKeySets(Invocation& invocation, const std::vector<sdk::OwnKeySet>& all) {
  Table table({invocation.Text(Msg::kColVersion), invocation.Text(Msg::kColDigest),
               invocation.Text(Msg::kColFrom), invocation.Text(Msg::kColUntil),
               invocation.Text(Msg::kColState)});
  Json whole = Json::array();
  std::vector<std::string> lines;
  for (const auto& own : all) {
    table.Add({std::to_string(own.key_set.version), ShortDigest(own.digest.view()),
               TimeText(own.key_set.not_before), TimeText(own.key_set.not_after),
               StateOf(invocation, own)});
    lines.push_back(JsonOf(own).dump());
    whole.push_back(JsonOf(own));
  }
  invocation.ShowJson(whole.dump(2), lines, table);
}

struct GenerateOptions {
  std::string valid = "90d";
  bool no_sign = false;
  bool discard = false;
};

Result<ExitCode> Generate(Invocation& invocation, const GenerateOptions& options) {
  SCHAKEL_ASSIGN(const auto valid, ParseDuration(invocation.language(), options.valid, "--valid"));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(const auto chain, session->certificate_chain());
  SCHAKEL_ASSIGN(auto* const store, session->keys());
  // Before anything is made: a key that can't be read would leave a set behind without its
  // signature.
  std::optional<crypto::CertificateKey> key;
  if (!options.no_sign) {
    const std::string& file = session->context().key_file();
    if (file.empty()) {
      return MakeError(ErrorCode::kFailedPrecondition, "CONTEXT_INCOMPLETE",
                       invocation.Text(Msg::kNoCertificateKey), "key_file");
    }
    SCHAKEL_ASSIGN(key, crypto::CertificateKey::Load(file));
  }
  if (options.discard) SCHAKEL_TRY(store->DiscardIncomplete());
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(valid);
  SCHAKEL_ASSIGN(auto own, store->Generate(chain, sdk::Now(), hours));
  if (key) {
    SCHAKEL_ASSIGN(own, store->Sign(*key));
  }
  // Keys with which nothing can be opened any more have no reason to exist.
  SCHAKEL_ASSIGN([[maybe_unused]] const size_t destroyed, store->DestroyOld(sdk::Now()));
  ShowKeySets(invocation, {own});
  invocation.Note(Msg::kKeysWritten, {store->folder().string()});
  invocation.Note(key ? Msg::kKeysNextRegister : Msg::kKeysNextSign);
  return ExitCode::kOk;
}

Result<ExitCode> Statement(Invocation& invocation, const std::string& out) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const store, session->keys());
  SCHAKEL_ASSIGN(const auto all, store->List());
  if (all.empty() || all.back().complete()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_MISSING",
                     invocation.Text(Msg::kNothingToSign));
  }
  SCHAKEL_TRY(sdk::WriteFileDurably(out, all.back().signed_key_set.key_set()));
  invocation.Note(Msg::kWritten, {out});
  return ExitCode::kOk;
}

Result<ExitCode> Attach(Invocation& invocation, const std::string& file) {
  SCHAKEL_ASSIGN(const Bytes signature, sdk::ReadFile(file, 1 << 16));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const store, session->keys());
  SCHAKEL_ASSIGN(const auto own, store->Attach(signature));
  ShowKeySets(invocation, {own});
  invocation.Note(Msg::kKeysNextRegister);
  return ExitCode::kOk;
}

}  // namespace

void AddKeys(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "keys", Msg::kNounKeys);

  Verb generate(noun, invocation, "generate", Msg::kVerbKeysGenerate,
                "schakel keys generate\nschakel org register-keys");
  const auto options = std::make_shared<GenerateOptions>();
  generate.Value("--valid", options->valid, Msg::kOptKeyValid, "TIME");
  generate.Flag("--no-sign", options->no_sign, Msg::kOptNoSign);
  generate.Flag("--discard", options->discard, Msg::kOptDiscard);
  generate.Run([&invocation, options] { return Generate(invocation, *options); });

  Verb show(noun, invocation, "show", Msg::kVerbKeysShow, "schakel keys show");
  show.Run([&invocation]() -> Result<ExitCode> {
    SCHAKEL_ASSIGN(auto* const session, invocation.session());
    SCHAKEL_ASSIGN(auto* const store, session->keys());
    SCHAKEL_ASSIGN(const auto all, store->List());
    ShowKeySets(invocation, all);
    if (all.empty()) invocation.Note(Msg::kNoKeys);
    return ExitCode::kOk;
  });

  Verb statement(noun, invocation, "statement", Msg::kVerbKeysStatement,
                 "schakel keys generate --no-sign\nschakel keys statement --out key-set.bin");
  const auto out = std::make_shared<std::string>();
  statement.Value("--out", *out, Msg::kOptOutFile, "FILE").Required();
  statement.Run([&invocation, out] { return Statement(invocation, *out); });

  Verb attach(noun, invocation, "attach", Msg::kVerbKeysAttach,
              "openssl dgst -sha256 -sign team.key -out key-set.sig key-set.bin\n"
              "schakel keys attach --signature key-set.sig\n"
              "schakel org register-keys");
  const auto signature = std::make_shared<std::string>();
  attach.Value("--signature", *signature, Msg::kOptSignature, "FILE").Required();
  attach.Run([&invocation, signature] { return Attach(invocation, *signature); });
}

}  // namespace schakel::cli
