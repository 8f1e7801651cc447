// schakel policy: bundles on the own disk, and the broker's. policy_explain.cc and policy_matrix.cc
// are two verbs of their own.
#include <memory>
#include <nlohmann/json.hpp>

#include "broker/crypto/policy_format.h"
#include "clients/cli/parse.h"
#include "clients/cli/policy_codes.h"
#include "clients/cli/policy_explain.h"
#include "clients/cli/policy_matrix.h"
#include "clients/cli/verb.h"
#include "clients/cli/words.h"
#include "clients/sdk/files.h"
#include "policy/engine/check.h"
#include "policy/engine/table_test.h"

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;

Result<ExitCode> Check(Invocation& invocation, const std::string& folder) {
  SCHAKEL_ASSIGN(const auto files, sdk::ReadPolicyFolder(folder));
  const auto findings = policy::CheckBundle(files);
  Table table({invocation.Text(Msg::kColSeverity), invocation.Text(Msg::kColPlace),
               invocation.Text(Msg::kColKind), invocation.Text(Msg::kColMessage)});
  Json whole = Json::array();
  std::vector<std::string> lines;
  for (const auto& finding : findings) {
    const bool error = finding.severity == policy::Severity::kError;
    table.Add({{invocation.Text(error ? Msg::kError : Msg::kWarning),
                error ? Colour::kBad : Colour::kNone},
               finding.place,
               finding.kind,
               finding.message});
    whole.push_back({{"severity", error ? "error" : "warning"},
                     {"place", finding.place},
                     {"kind", finding.kind},
                     {"message", finding.message}});
    lines.push_back(whole.back().dump());
  }
  if (!findings.empty() || invocation.format() != Format::kTable) {
    invocation.ShowJson(whole.dump(2), lines, table);
  }
  const bool errors = policy::HasErrors(findings);
  invocation.Note(errors ? Msg::kCheckErrors : Msg::kCheckGood, {std::to_string(findings.size())});
  return errors ? ExitCode::kNegative : ExitCode::kOk;
}

Result<ExitCode> Test(Invocation& invocation, const std::string& folder, bool all) {
  SCHAKEL_ASSIGN(const auto files, sdk::ReadPolicyFolder(folder));
  SCHAKEL_ASSIGN(const auto bundle, policy::CompileFiles(files));
  const auto outcomes = policy::RunTableTests(*bundle);
  Table table({invocation.Text(Msg::kColState), invocation.Text(Msg::kColPlace),
               invocation.Text(Msg::kColName), invocation.Text(Msg::kColMessage)});
  Json whole = Json::array();
  std::vector<std::string> lines;
  size_t failed = 0;
  for (const auto& outcome : outcomes) {
    failed += outcome.passed ? 0 : 1;
    if (!outcome.passed || all) {
      table.Add({outcome.passed ? Cell(invocation.Text(Msg::kPassed), Colour::kGood)
                                : Cell(invocation.Text(Msg::kFailed), Colour::kBad),
                 outcome.place, outcome.name, outcome.message});
    }
    whole.push_back({{"name", outcome.name},
                     {"place", outcome.place},
                     {"passed", outcome.passed},
                     {"message", outcome.message}});
    lines.push_back(whole.back().dump());
  }
  if (table.rows() > 0 || invocation.format() != Format::kTable) {
    invocation.ShowJson(whole.dump(2), lines, table);
  }
  invocation.Note(Msg::kTestsRun, {std::to_string(outcomes.size()), std::to_string(failed)});
  return failed == 0 && !outcomes.empty() ? ExitCode::kOk : ExitCode::kNegative;
}

// The key documents of --key-document, or else of the context.
Result<std::map<uint32_t, Digest>> KeyDocuments(Invocation& invocation) {
  std::map<uint32_t, Digest> documents;
  SCHAKEL_ASSIGN(const auto context, invocation.Context());
  for (const auto& document : context.key_documents()) {
    SCHAKEL_ASSIGN(documents[document.epoch()],
                   ParseDigest(invocation.language(), document.digest(), "--key-document"));
  }
  return documents;
}

// A folder is packed, a file is taken as it is.
Result<sdk::PackedPolicy> PolicyAt(Invocation& invocation, const std::string& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) {
    SCHAKEL_ASSIGN(const auto documents, KeyDocuments(invocation));
    return sdk::PackPolicyFolder(path, documents);
  }
  SCHAKEL_ASSIGN(Bytes bundle, sdk::ReadFile(path));
  const Digest digest = crypto::PolicyDigest(bundle);
  return sdk::PackedPolicy{std::move(bundle), digest};
}

Result<ExitCode> Pack(Invocation& invocation, const std::string& folder, const std::string& out) {
  SCHAKEL_ASSIGN(const auto packed, PolicyAt(invocation, folder));
  SCHAKEL_ASSIGN(const auto loaded, sdk::LoadBundle(packed.bundle, packed.digest));
  SCHAKEL_TRY(sdk::WriteFileDurably(out, packed.bundle));
  Table table({invocation.Text(Msg::kColName), invocation.Text(Msg::kColVersion),
               invocation.Text(Msg::kColDigest), invocation.Text(Msg::kColFile)});
  const std::string digest = HexEncode(packed.digest.view());
  table.Add({loaded->compiled->name(), loaded->compiled->version(), digest, out});
  const Json json = {{"name", loaded->compiled->name()},
                     {"version", loaded->compiled->version()},
                     {"digest", digest},
                     {"file", out}};
  invocation.ShowJson(json.dump(2), {json.dump()}, table);
  return ExitCode::kOk;
}

Result<ExitCode> Activate(Invocation& invocation, const std::string& path) {
  SCHAKEL_ASSIGN(const auto packed, PolicyAt(invocation, path));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->policy());
  SCHAKEL_ASSIGN(const auto response, client->Activate(packed));
  if (invocation.format() != Format::kTable) invocation.Show(response, nullptr, Table({}));
  invocation.Note(response.unchanged() ? Msg::kPolicyUnchanged : Msg::kPolicyActivated,
                  {HexEncode(packed.digest.view())});
  return ExitCode::kOk;
}

Result<ExitCode> ShowPolicy(Invocation& invocation, const std::string& text, const std::string& out,
                            bool codes, const std::string& section) {
  std::optional<Digest> digest;
  if (!text.empty()) {
    SCHAKEL_ASSIGN(digest, ParseDigest(invocation.language(), text, "DIGEST"));
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->policy());
  SCHAKEL_ASSIGN(const auto response, client->Get(digest));
  const auto answered = Digest::From(response.digest());
  if (!answered) return Internal("the broker gave no digest");
  SCHAKEL_ASSIGN(const auto loaded, sdk::LoadBundle(response.bundle(), *answered));
  if (!out.empty()) {
    SCHAKEL_TRY(sdk::WriteFileDurably(out, response.bundle()));
    invocation.Note(Msg::kWritten, {out});
  }
  if (codes) return ShowCodes(invocation, *loaded->compiled);
  if (!section.empty()) return ShowSchema(invocation, *loaded->compiled, section);
  const auto& source = loaded->compiled->source();
  Table table({invocation.Text(Msg::kColField), invocation.Text(Msg::kColValue)});
  const auto row = [&](Msg name, const std::string& value) {
    table.Add({invocation.Text(name), value});
  };
  row(Msg::kColName, loaded->compiled->name());
  row(Msg::kColVersion, loaded->compiled->version());
  row(Msg::kColRegion, loaded->compiled->region());
  row(Msg::kColDigest, HexEncode(answered->view()));
  row(Msg::kColState, invocation.Text(response.active() ? Msg::kPolicyActive : Msg::kPolicyOld));
  row(Msg::kColFrom, TimeText(response.activated()));
  row(Msg::kColRules, std::to_string(source.rules.rules_size()));
  row(Msg::kColTypes, std::to_string(source.signal_types.signal_types_size()));
  for (const auto& document : loaded->KeyDocuments()) {
    row(Msg::kColKeyDocument,
        std::to_string(document.epoch) + ": " + HexEncode(document.digest.view()));
  }
  invocation.Show(response, nullptr, table);
  return ExitCode::kOk;
}

Result<ExitCode> Replay(Invocation& invocation, uint64_t first, const std::string& text) {
  std::optional<Digest> digest;
  if (!text.empty()) {
    SCHAKEL_ASSIGN(digest, ParseDigest(invocation.language(), text, "--digest"));
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->policy());
  v1::ReplayResponse all;
  SCHAKEL_TRY(client->Replay(first, digest, [&](const v1::ReplayResponse& page) {
    all.set_recomputed(all.recomputed() + page.recomputed());
    all.set_destroyed(all.destroyed() + page.destroyed());
    all.mutable_differences()->MergeFrom(page.differences());
    return true;
  }));
  const Language language = invocation.language();
  Table table({invocation.Text(Msg::kColIndex), invocation.Text(Msg::kColRecipient),
               invocation.Text(Msg::kColSection), invocation.Text(Msg::kColThen),
               invocation.Text(Msg::kColNow)});
  const auto said = [&](v1::Outcome outcome, const std::string& reason) {
    return Word(language, outcome) + (reason.empty() ? "" : ": " + ReasonWord(language, reason));
  };
  for (const auto& difference : all.differences()) {
    table.Add({std::to_string(difference.index()), std::to_string(difference.recipient() + 1),
               std::to_string(difference.section() + 1),
               said(difference.then(), difference.then_reason()),
               said(difference.now(), difference.now_reason())});
  }
  if (all.differences_size() > 0 || invocation.format() != Format::kTable) {
    invocation.Show(all, "differences", table);
  }
  invocation.Note(Msg::kReplayed,
                  {std::to_string(all.recomputed()), std::to_string(all.differences_size()),
                   std::to_string(all.destroyed())});
  return all.differences_size() == 0 ? ExitCode::kOk : ExitCode::kNegative;
}

}  // namespace

void AddPolicy(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "policy", Msg::kNounPolicy);

  Verb check(noun, invocation, "check", Msg::kVerbPolicyCheck,
             "schakel policy check policy/zuid-holland-zuid");
  const auto checked = std::make_shared<std::string>();
  check.Value("DIR", *checked, Msg::kArgPolicyDir, "DIR").Required();
  check.Run([&invocation, checked] { return Check(invocation, *checked); });

  Verb test(noun, invocation, "test", Msg::kVerbPolicyTest,
            "schakel policy test policy/zuid-holland-zuid\n"
            "schakel policy test policy/zuid-holland-zuid --all");
  const auto tested = std::make_shared<std::string>();
  const auto all = std::make_shared<bool>(false);
  test.Value("DIR", *tested, Msg::kArgPolicyDir, "DIR").Required();
  test.Flag("--all", *all, Msg::kOptAllTests);
  test.Run([&invocation, tested, all] { return Test(invocation, *tested, *all); });

  AddPolicyExplain(noun, invocation);
  AddPolicyMatrix(noun, invocation);

  Verb pack(noun, invocation, "pack", Msg::kVerbPolicyPack,
            "schakel policy pack policy/zuid-holland-zuid --out bundle.bin \\\n"
            "    --key-document 1=@key-document.pb");
  const auto packed = std::make_shared<std::string>();
  const auto out = std::make_shared<std::string>();
  pack.Value("DIR", *packed, Msg::kArgPolicyDir, "DIR").Required();
  pack.Value("--out", *out, Msg::kOptOutFile, "FILE").Required();
  pack.Run([&invocation, packed, out] { return Pack(invocation, *packed, *out); });

  Verb activate(
      noun, invocation, "activate", Msg::kVerbPolicyActivate,
      "schakel policy activate bundle.bin\n"
      "schakel policy activate policy/zuid-holland-zuid --key-document 1=@key-document.pb");
  const auto activated = std::make_shared<std::string>();
  activate.Value("PATH", *activated, Msg::kArgPolicyPath, "PATH").Required();
  activate.Run([&invocation, activated] { return Activate(invocation, *activated); });

  Verb show(noun, invocation, "show", Msg::kVerbPolicyShow,
            "schakel policy show --codes\nschakel policy show --schema rent-arrears:finances\n"
            "schakel policy show DIGEST --out bundle.bin");
  const auto digest = std::make_shared<std::string>();
  const auto shown_out = std::make_shared<std::string>();
  show.Value("DIGEST", *digest, Msg::kArgPolicyDigest, "DIGEST");
  show.Value("--out", *shown_out, Msg::kOptOutFile, "FILE");
  const auto codes = std::make_shared<bool>(false);
  show.Flag("--codes", *codes, Msg::kOptCodes);
  const auto section = std::make_shared<std::string>();
  show.Value("--schema", *section, Msg::kOptSchema, "TYPE:CATEGORY");
  show.Run([&invocation, digest, shown_out, codes, section] {
    return ShowPolicy(invocation, *digest, *shown_out, *codes, *section);
  });

  Verb replay(noun, invocation, "replay", Msg::kVerbPolicyReplay,
              "schakel policy replay\nschakel policy replay --digest DIGEST -o json");
  const auto first = std::make_shared<uint64_t>(0);
  const auto other = std::make_shared<std::string>();
  replay.Number("--from-index", *first, Msg::kOptFromIndex);
  replay.Value("--digest", *other, Msg::kOptReplayDigest, "DIGEST");
  replay.Run([&invocation, first, other] { return Replay(invocation, *first, *other); });
}

}  // namespace schakel::cli
