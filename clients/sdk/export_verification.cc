#include "clients/sdk/export_verification.h"

#include <fstream>

#include "broker/merkle/export_format.h"
#include "broker/message/unknown_fields.h"
#include "schakel/v1/record.pb.h"

namespace schakel::sdk {
namespace {

Error Malformed(const char* why) {
  return MakeError(ErrorCode::kDataLoss, "RECORD_MALFORMED", why);
}

// What a person may conclude. Times are the broker's own claim until others witness its heads.
void WriteSentences(VerificationReport& report) {
  const bool custodians = report.summary.checkpoint.origin.find("/custodian/") != std::string::npos;
  const std::string entries = std::to_string(report.frames_read);
  const std::string records = std::to_string(report.summary.records);
  if (report.older) {
    report.sentence_nl = "NIET bewezen: dit bestand (" + entries +
                         " regels) is ouder dan het controlepunt dat eerder is gezien; haal een "
                         "nieuw bestand op.";
    report.sentence_en = "NOT proven: this export (" + entries +
                         " entries) is older than the checkpoint that was seen before; fetch a "
                         "newer one.";
    return;
  }
  if (!report.verified) {
    const std::string where_nl =
        report.first_wrong_index
            ? "regel " + std::to_string(*report.first_wrong_index) + " klopt niet"
            : "ergens vanaf regel " + std::to_string(report.suspect_begin) + " klopt het niet";
    const std::string where_en =
        report.first_wrong_index
            ? "entry " + std::to_string(*report.first_wrong_index) + " is wrong"
            : "something is wrong from entry " + std::to_string(report.suspect_begin) + " on";
    report.sentence_nl = "NIET bewezen: " + where_nl + " (" + report.fault->message +
                         "); vertrouw dit logboek niet en bewaar het bestand.";
    report.sentence_en = "NOT proven: " + where_en + " (" + report.fault->message +
                         "); do not trust this log, and keep the file.";
    return;
  }
  report.sentence_nl =
      "Bewezen: alle " + entries + " regels vormen samen precies het logboek dat " +
      report.summary.checkpoint.origin + " ondertekende, en de " + records +
      " geopende regels staan er ongewijzigd in; " +
      (report.first_look ? "niet bewezen: dat het eerder niet anders was (dit is de eerste blik, "
                           "bewaar dit controlepunt)"
                         : "het zet het eerder geziene logboek ongewijzigd voort") +
      "; niet bewezen: de tijdstippen, die zijn van de " +
      (custodians ? "sleutelbewaarder" : "makelaar") + " zelf zolang anderen niet meetekenen.";
  report.sentence_en =
      "Proven: all " + entries + " entries together are exactly the log that " +
      report.summary.checkpoint.origin + " signed, and the " + records +
      " opened records stand in it unchanged; " +
      (report.first_look ? "not proven: that it was not different before (this is the first look, "
                           "keep this checkpoint)"
                         : "it continues, unchanged, the log that was seen before") +
      "; not proven: the times, which are the " + (custodians ? "custodian" : "broker") +
      "'s own until others witness them.";
}

}  // namespace

Result<std::optional<Digest>> ReadRecord(BytesView record) {
  // One message, reused per thread: verification parses millions of them.
  thread_local v1::Record parsed;
  thread_local Bytes again;
  if (!parsed.ParseFromArray(record.data(), static_cast<int>(record.size()))) {
    return Malformed("the record can't be parsed");
  }
  again.resize(parsed.ByteSizeLong());  // no map in it: there is one order of its fields
  parsed.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(again.data()));
  if (again != record || message::HasUnknownFields(parsed)) {
    return Malformed("the record's bytes hold something that its reader does not see");
  }
  if (parsed.detail_commitment().empty()) return std::optional<Digest>();
  const auto commitment = Digest::From(parsed.detail_commitment());
  if (!commitment) return Malformed("the detail commitment has another size than 32 bytes");
  return std::optional<Digest>(*commitment);
}

Result<VerificationReport> VerifyExport(const std::filesystem::path& file,
                                        const merkle::VerifierKey& key,
                                        const std::optional<merkle::TreeHead>& remembered,
                                        const Progress& progress) {
  std::ifstream in(file, std::ios::binary);
  std::error_code code;
  const uint64_t total = std::filesystem::file_size(file, code);
  if (!in || code) {
    return MakeError(ErrorCode::kNotFound, "FILE_MISSING", "can't open " + file.string(),
                     file.string());
  }
  merkle::ExportVerifier verifier(key, ReadRecord);
  VerificationReport report;
  report.first_look = !remembered || remembered->size == 0;
  if (!report.first_look) verifier.Remember(*remembered);
  merkle::ExportReader reader;
  Bytes chunk(1 << 20, '\0');
  uint64_t done = 0;
  const auto feed_all = [&]() -> Status {
    while (in) {
      in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
      const auto got = static_cast<size_t>(in.gcount());
      reader.Append(BytesView(chunk).substr(0, got));
      while (true) {
        SCHAKEL_ASSIGN(const auto frame, reader.Next());
        if (!frame) break;
        SCHAKEL_TRY(verifier.Feed(*frame));
      }
      done += got;
      if (progress) progress(done, total);
    }
    return {};
  };
  Status fed = feed_all();
  if (fed.ok() && in.bad()) {
    return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED", "can't read " + file.string(),
                     file.string());
  }
  if (fed.ok()) {
    const auto note = reader.Finish();
    if (!note.ok()) {
      fed = note.error();
    } else {
      report.note = std::string(*note);
      auto summary = verifier.Finish(*note);
      if (summary.ok()) {
        report.verified = true;
        report.summary = std::move(summary).value();
      } else {
        fed = summary.error();
      }
    }
  }
  report.frames_read = reader.frames();
  if (!report.verified) {
    report.fault = fed.error();
    report.first_wrong_index = verifier.first_wrong_index();
    if (!report.first_wrong_index && report.fault->reason == "EXPORT_MALFORMED") {
      report.first_wrong_index = reader.frames();  // the frame that could not be read
    }
    report.suspect_begin = verifier.suspect_begin();
    report.older = report.fault->reason == "CHECKPOINT_INCONSISTENT" && !report.first_look &&
                   remembered->size > report.frames_read;
  }
  WriteSentences(report);
  return report;
}

Result<VerificationReport> VerifyExport(const std::filesystem::path& file, CheckpointMemory& memory,
                                        const Progress& progress) {
  SCHAKEL_ASSIGN(const auto remembered, memory.Remembered());
  std::optional<merkle::TreeHead> head;
  if (remembered) head = remembered->head;
  SCHAKEL_ASSIGN(auto report, VerifyExport(file, memory.key(), head, progress));
  if (report.verified) SCHAKEL_TRY(memory.Adopt(report.note));
  return report;
}

}  // namespace schakel::sdk
