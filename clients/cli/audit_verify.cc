// schakel audit verify and export.
#include <memory>
#include <nlohmann/json.hpp>

#include "clients/cli/audit_parts.h"
#include "clients/cli/parse.h"
#include "clients/cli/progress.h"
#include "clients/cli/temporary_folder.h"
#include "clients/sdk/export_verification.h"
#include "clients/sdk/tlog_tiles.h"

namespace schakel::cli {
namespace {

using Json = nlohmann::ordered_json;

struct VerifyOptions {
  WhichLog which;
  std::string file;
  bool records = false;
  std::string ground;
  std::string reference;
};

Result<ExitCode> ShowReport(Invocation& invocation, const sdk::VerificationReport& report) {
  const bool dutch = invocation.language() == Language::kDutch;
  if (invocation.format() == Format::kTable) {
    invocation.Line(dutch ? report.sentence_nl : report.sentence_en);
  } else {
    Json json = {{"verified", report.verified},
                 {"firstLook", report.first_look},
                 {"entries", report.frames_read},
                 {"records", report.summary.records},
                 {"details", report.summary.details},
                 {"sentence", dutch ? report.sentence_nl : report.sentence_en}};
    if (report.first_wrong_index) json["firstWrongIndex"] = *report.first_wrong_index;
    if (report.fault) json["fault"] = report.fault->reason;
    invocation.ShowJson(json.dump(2), {json.dump()}, Table({}));
  }
  return report.verified ? ExitCode::kOk : ExitCode::kNegative;
}

Result<ExitCode> VerifyFile(Invocation& invocation, const std::filesystem::path& file,
                            const sdk::CheckpointMemory& memory,
                            const std::optional<merkle::TreeHead>& remembered) {
  ProgressLine progress(invocation);
  SCHAKEL_ASSIGN(const auto report,
                 sdk::VerifyExport(file, memory.key(), remembered, progress.callback()));
  return ShowReport(invocation, report);
}

Result<std::optional<merkle::TreeHead>> RememberedHead(const sdk::CheckpointMemory& memory) {
  SCHAKEL_ASSIGN(const auto remembered, memory.Remembered());
  if (!remembered) return std::optional<merkle::TreeHead>();
  return std::optional(remembered->head);
}

// Every entry over the network; what they say stays closed.
Result<ExitCode> VerifyEntries(Invocation& invocation, const WhichLog& which) {
  SCHAKEL_ASSIGN(const auto log, which.Open(invocation));
  const TemporaryFolder folder;
  ProgressLine progress(invocation);
  const auto look = log.client->ExportTiles(folder.path() / "tiles", progress.callback());
  if (!look.ok()) {
    if (ExitCodeOf(look.error()) == ExitCode::kNegative) {
      invocation.Line(invocation.Text(Msg::kNotProven, {look.error().message}));
    }
    return look.error();
  }
  const std::string size = std::to_string(look->checkpoint.head.size);
  const std::string sentence =
      invocation.Text(look->first_look() ? Msg::kProvenEntriesFirst : Msg::kProvenEntries,
                      {size, look->checkpoint.origin});
  if (invocation.format() == Format::kTable) {
    invocation.Line(sentence);
  } else {
    const Json json = {{"verified", true},
                       {"firstLook", look->first_look()},
                       {"entries", look->checkpoint.head.size},
                       {"records", 0},
                       {"sentence", sentence}};
    invocation.ShowJson(json.dump(2), {json.dump()}, Table({}));
  }
  return ExitCode::kOk;
}

// With records: an export into a temporary file, verified there.
Result<ExitCode> VerifyRecords(Invocation& invocation, const VerifyOptions& options) {
  SCHAKEL_ASSIGN(const auto log, options.which.Open(invocation));
  SCHAKEL_ASSIGN(const auto remembered, RememberedHead(*log.memory));
  const TemporaryFolder folder;
  v1::ExportRequest request;
  request.set_with_details(true);
  request.set_ground(options.ground);
  request.set_reference(options.reference);
  {
    ProgressLine progress(invocation);
    SCHAKEL_TRY(log.client->Export(request, folder.path() / "export", progress.callback()));
  }
  SCHAKEL_ASSIGN(const auto code,
                 VerifyFile(invocation, folder.path() / "export", *log.memory, remembered));
  // What was verified is remembered for the next look.
  if (code == ExitCode::kOk) {
    SCHAKEL_ASSIGN([[maybe_unused]] const auto look, log.client->Checkpoint());
  }
  return code;
}

Result<ExitCode> Verify(Invocation& invocation, const VerifyOptions& options) {
  if (!options.file.empty()) {
    SCHAKEL_ASSIGN(const auto log, options.which.OpenMemory(invocation));
    SCHAKEL_ASSIGN(const auto remembered, RememberedHead(*log.memory));
    return VerifyFile(invocation, options.file, *log.memory, remembered);
  }
  return options.records ? VerifyRecords(invocation, options)
                         : VerifyEntries(invocation, options.which);
}

struct ExportOptions {
  WhichLog which;
  std::string path;
  std::string format = "frames";
  std::string from_file;
  bool details = false;
  bool entries_only = false;
  std::string ground;
  std::string reference;
};

Result<ExitCode> ExportTiles(Invocation& invocation, const ExportOptions& options) {
  if (!options.from_file.empty()) {
    SCHAKEL_ASSIGN(const auto log, options.which.OpenMemory(invocation));
    SCHAKEL_ASSIGN(const auto checkpoint,
                   sdk::TilesFromExport(options.from_file, options.path, log.memory->key()));
    invocation.Note(Msg::kTilesWritten, {options.path, std::to_string(checkpoint.head.size)});
    return ExitCode::kOk;
  }
  SCHAKEL_ASSIGN(const auto log, options.which.Open(invocation));
  ProgressLine progress(invocation);
  SCHAKEL_ASSIGN(const auto look, log.client->ExportTiles(options.path, progress.callback()));
  invocation.Note(Msg::kTilesWritten, {options.path, std::to_string(look.checkpoint.head.size)});
  return ExitCode::kOk;
}

Result<ExitCode> Export(Invocation& invocation, const ExportOptions& options) {
  if (options.format == "tlog-tiles") return ExportTiles(invocation, options);
  if (options.format != "frames") {
    return UsageError(invocation.Text(Msg::kOneOf, {"frames, tlog-tiles"}), "--format");
  }
  SCHAKEL_ASSIGN(const auto log, options.which.Open(invocation));
  v1::ExportRequest request;
  request.set_with_details(options.details);
  request.set_entries_only(options.entries_only);
  request.set_ground(options.ground);
  request.set_reference(options.reference);
  {
    ProgressLine progress(invocation);
    SCHAKEL_TRY(log.client->Export(request, options.path, progress.callback()));
  }
  invocation.Note(Msg::kExported, {options.path});
  return ExitCode::kOk;
}

}  // namespace

void AddAuditVerify(CLI::App* noun, Invocation& invocation) {
  Verb verify(noun, invocation, "verify", Msg::kVerbAuditVerify,
              "schakel audit verify\nschakel audit verify log.export\n"
              "schakel audit verify --records --ground \"AVG art. 57\" --reference KL-2026-7\n"
              "schakel audit verify --custodian 1 --records");
  const auto options = std::make_shared<VerifyOptions>();
  verify.Value("FILE", options->file, Msg::kArgExportFile, "FILE");
  verify.Flag("--records", options->records, Msg::kOptRecords);
  verify.Value("--ground", options->ground, Msg::kOptWhy, "TEXT");
  verify.Value("--reference", options->reference, Msg::kOptReference, "TEXT");
  AddWhichLog(verify, options->which);
  verify.Run([&invocation, options] { return Verify(invocation, *options); });

  Verb exporting(noun, invocation, "export", Msg::kVerbAuditExport,
                 "schakel audit export log.export --ground \"AVG art. 57\" --reference KL-2026-7\n"
                 "schakel audit export tiles --format tlog-tiles\n"
                 "schakel audit export tiles --format tlog-tiles --from-file log.export");
  const auto wanted = std::make_shared<ExportOptions>();
  exporting.Value("PATH", wanted->path, Msg::kArgExportPath, "PATH").Required();
  exporting.Value("--format", wanted->format, Msg::kOptExportFormat, "frames|tlog-tiles");
  exporting.Value("--from-file", wanted->from_file, Msg::kOptFromFile, "FILE");
  exporting.Flag("--details", wanted->details, Msg::kOptDetails);
  exporting.Flag("--entries-only", wanted->entries_only, Msg::kOptEntriesOnly);
  exporting.Value("--ground", wanted->ground, Msg::kOptWhy, "TEXT");
  exporting.Value("--reference", wanted->reference, Msg::kOptReference, "TEXT");
  AddWhichLog(exporting, wanted->which);
  exporting.Run([&invocation, wanted] { return Export(invocation, *wanted); });
}

}  // namespace schakel::cli
