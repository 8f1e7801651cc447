// schakel audit: reading and proving the log. Queries of records: audit_query.cc; past moments:
// audit_state.cc; verifying and exporting: audit_verify.cc.
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "clients/cli/audit_parts.h"
#include "clients/cli/parse.h"
#include "clients/sdk/files.h"

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;

Result<ExitCode> ShowCheckpoint(Invocation& invocation, const WhichLog& which) {
  SCHAKEL_ASSIGN(const auto log, which.Open(invocation));
  SCHAKEL_ASSIGN(const auto look, log.client->Checkpoint());
  const auto& head = look.checkpoint.head;
  Table table({invocation.Text(Msg::kColField), invocation.Text(Msg::kColValue)});
  table.Add({invocation.Text(Msg::kColOrigin), look.checkpoint.origin});
  table.Add({invocation.Text(Msg::kColSize), std::to_string(head.size)});
  table.Add({invocation.Text(Msg::kColRoot), HexEncode(head.root.view())});
  const Json json = {{"origin", look.checkpoint.origin},
                     {"size", head.size},
                     {"root", HexEncode(head.root.view())},
                     {"firstLook", look.first_look()},
                     {"note", look.note}};
  invocation.ShowJson(json.dump(2), {json.dump()}, table);
  if (look.first_look()) {
    invocation.Note(Msg::kFirstLook);
  } else {
    invocation.Note(Msg::kContinues, {std::to_string(look.remembered->size)});
  }
  return ExitCode::kOk;
}

struct ProveOptions {
  WhichLog which;
  std::string index;
  std::string receipt;
  std::string out;
};

Result<sdk::ProvenRecord> ProveWhat(Invocation& invocation, const ProveOptions& options) {
  uint64_t index = 0;
  v1::LogReceipt receipt;
  if (options.receipt.empty()) {
    SCHAKEL_ASSIGN(index, ParseIndex(invocation.language(), options.index, "INDEX"));
  } else {
    SCHAKEL_ASSIGN(const Bytes text, sdk::ReadFile(options.receipt, 1 << 20));
    if (!google::protobuf::util::JsonStringToMessage(text, &receipt).ok()) {
      return InvalidArgument("FIELD_INVALID", options.receipt, invocation.Text(Msg::kReceiptWrong));
    }
  }
  SCHAKEL_ASSIGN(const auto log, options.which.Open(invocation));
  return options.receipt.empty() ? log.client->ProveIndex(index) : log.client->Prove(receipt);
}

Json DestroyedJson(const v1::DestroyedRecord& destroyed) {
  return {{"time", TimeText(destroyed.time())},
          {"term", destroyed.term()},
          {"bundle", destroyed.bundle()},
          {"bundleDigest", HexEncode(destroyed.bundle_digest())},
          {"sweepIndex", destroyed.sweep_index()}};
}

// To an auditor: what remains of the record, when it, or its detail, was destroyed. The look is a
// record of the log itself; nobody else may ask.
Result<std::optional<v1::AuditedRecord>> RemainsOf(Invocation& invocation,
                                                   const ProveOptions& options, uint64_t index) {
  SCHAKEL_ASSIGN(const bool of_custodian, options.which.OfCustodian(invocation));
  if (of_custodian || !options.receipt.empty()) return std::optional<v1::AuditedRecord>();
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(const auto self, session->self());
  SCHAKEL_ASSIGN(auto* const directory, session->directory());
  SCHAKEL_ASSIGN(const auto entry, directory->GetRaw(self));
  if (entry.entry().organisation().role() != v1::ROLE_AUDITOR) {
    return std::optional<v1::AuditedRecord>();
  }
  SCHAKEL_ASSIGN(auto* const audit, session->audit());
  return audit->RecordAt(index);
}

// What is proven, in one sentence.
std::string ProvenText(const Invocation& invocation, const ProveOptions& options,
                       const sdk::ProvenRecord& proven,
                       const std::optional<v1::AuditedRecord>& remains) {
  const std::string index = std::to_string(proven.proof.index);
  const std::string size = std::to_string(proven.look.checkpoint.head.size);
  const std::string& origin = proven.look.checkpoint.origin;
  if (!options.receipt.empty()) {
    return invocation.Text(Msg::kProvenReceipt, {index, origin, size});
  }
  if (remains && remains->has_destroyed()) {
    return invocation.Text(Msg::kProvenDestroyed,
                           {index, origin, size, DestroyedText(invocation, remains->destroyed())});
  }
  return invocation.Text(Msg::kProvenIndex, {index, origin, size});
}

Result<ExitCode> Prove(Invocation& invocation, const ProveOptions& options) {
  if (options.index.empty() == options.receipt.empty()) {
    return UsageError(invocation.Text(Msg::kIndexOrReceipt), "INDEX");
  }
  SCHAKEL_ASSIGN(const auto proven, ProveWhat(invocation, options));
  const std::string bundle = merkle::EncodeProofBundle(proven.proof);
  if (!options.out.empty()) {
    SCHAKEL_TRY(sdk::WriteFileDurably(options.out, bundle));
    invocation.Note(Msg::kWritten, {options.out});
  }
  SCHAKEL_ASSIGN(const auto remains, RemainsOf(invocation, options, proven.proof.index));
  if (invocation.format() == Format::kTable) {
    invocation.Line(ProvenText(invocation, options, proven, remains));
    if (remains && remains->has_detail_destroyed()) {
      invocation.Line(invocation.Text(Msg::kProvenDetailDestroyed,
                                      {std::to_string(proven.proof.index),
                                       DestroyedText(invocation, remains->detail_destroyed())}));
    }
    if (proven.look.first_look()) invocation.Note(Msg::kFirstLook);
    return ExitCode::kOk;
  }
  Json json = {{"index", proven.proof.index},
               {"entry", HexEncode(proven.entry.view())},
               {"origin", proven.look.checkpoint.origin},
               {"treeSize", proven.look.checkpoint.head.size},
               {"proof", bundle}};
  if (remains && remains->has_destroyed()) json["destroyed"] = DestroyedJson(remains->destroyed());
  if (remains && remains->has_detail_destroyed()) {
    json["detailDestroyed"] = DestroyedJson(remains->detail_destroyed());
  }
  invocation.ShowJson(json.dump(2), {json.dump()}, Table({}));
  return ExitCode::kOk;
}

}  // namespace

Result<uint64_t> WhichLog::Number(const Invocation& invocation) const {
  uint64_t number = 0;
  for (const std::string& text : given) {
    if (text.find('=') != std::string::npos) continue;
    const auto parsed = ParseIndex(invocation.language(), text, "--custodian");
    if (!parsed.ok() || *parsed == 0 || number != 0) {
      return UsageError(invocation.Text(Msg::kCustodianNumber, {text}), "--custodian");
    }
    number = *parsed;
  }
  return number;
}

void WhichLog::PassOn(Invocation& invocation) const {
  for (const std::string& text : given) {
    if (text.find('=') != std::string::npos) invocation.options().custodians.push_back(text);
  }
}

Result<bool> WhichLog::OfCustodian(const Invocation& invocation) const {
  SCHAKEL_ASSIGN(const uint64_t number, Number(invocation));
  return number != 0;
}

Result<WhichLog::Opened> WhichLog::Open(Invocation& invocation) const {
  SCHAKEL_ASSIGN(const uint64_t number, Number(invocation));
  PassOn(invocation);
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  Opened opened;
  if (number == 0) {
    SCHAKEL_ASSIGN(opened.client, session->audit());
    SCHAKEL_ASSIGN(opened.memory, session->checkpoints());
  } else {
    SCHAKEL_ASSIGN(opened.client, session->custodian_audit(number));
    SCHAKEL_ASSIGN(opened.memory, session->custodian_checkpoints(number));
  }
  return opened;
}

Result<WhichLog::Opened> WhichLog::OpenMemory(Invocation& invocation) const {
  SCHAKEL_ASSIGN(const uint64_t number, Number(invocation));
  PassOn(invocation);
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  Opened opened;
  if (number == 0) {
    SCHAKEL_ASSIGN(opened.memory, session->checkpoints());
  } else {
    SCHAKEL_ASSIGN(opened.memory, session->custodian_checkpoints(number));
  }
  return opened;
}

void AddWhichLog(Verb& verb, WhichLog& which) {
  verb.Values("--custodian", which.given, Msg::kOptLogOfCustodian, "N");
}

void AddAudit(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "audit", Msg::kNounAudit);

  Verb checkpoint(noun, invocation, "checkpoint", Msg::kVerbAuditCheckpoint,
                  "schakel audit checkpoint\nschakel audit checkpoint --custodian 2");
  const auto of_checkpoint = std::make_shared<WhichLog>();
  AddWhichLog(checkpoint, *of_checkpoint);
  checkpoint.Run(
      [&invocation, of_checkpoint] { return ShowCheckpoint(invocation, *of_checkpoint); });

  AddAuditQuery(noun, invocation);
  AddAuditState(noun, invocation);

  Verb prove(noun, invocation, "prove", Msg::kVerbAuditProve,
             R"(schakel audit prove 7 --out proof.txt
schakel signal resend SIGNAL -o json | jq '.accepted.receipts[0]' > receipt.json
schakel audit prove --receipt receipt.json)");
  const auto options = std::make_shared<ProveOptions>();
  prove.Value("INDEX", options->index, Msg::kArgIndex, "INDEX");
  prove.Value("--receipt", options->receipt, Msg::kOptReceipt, "FILE");
  prove.Value("--out", options->out, Msg::kOptOutFile, "FILE");
  AddWhichLog(prove, options->which);
  prove.Run([&invocation, options] { return Prove(invocation, *options); });

  AddAuditVerify(noun, invocation);
}

}  // namespace schakel::cli
