// A log in miniature and its export.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/crypto/hash.h"
#include "broker/merkle/checkpoint.h"
#include "broker/merkle/entry.h"
#include "broker/merkle/export_format.h"
#include "broker/merkle/export_verifier.h"
#include "tests/unit/merkle/support.h"

namespace schakel::merkle {

inline constexpr char kExportOrigin[] = "zhz.example/schakel/1";

inline VerifierKey ExportKey() {
  return VerifierKey::Create(kExportOrigin, TestKey('x').public_key()).value();
}

// The test's record: "-" text, or "+" detail commitment text. Text is upper case: any other byte is
// refused, as a canonical encoding refuses what it would not write.
inline Result<std::optional<Digest>> ReadTestRecord(BytesView record) {
  if (record.empty()) return InvalidArgument("RECORD", "", "an empty record");
  const bool with_detail = record[0] == '+';
  if (!with_detail && record[0] != '-') return InvalidArgument("RECORD", "", "no such mark");
  std::optional<Digest> commitment;
  record.remove_prefix(1);
  if (with_detail) {
    commitment = Digest::From(record.substr(0, 32));
    if (!commitment) return InvalidArgument("RECORD", "", "no commitment");
    record.remove_prefix(32);
  }
  for (char c : record) {
    if (c < 'A' || c > 'Z') return InvalidArgument("RECORD", "", "no capital");
  }
  return commitment;
}

struct TestExport {
  Bytes bytes;
  std::vector<size_t> frame_begin;  // offsets; the last is the checkpoint's
  std::vector<Digest> entries;
  std::vector<TreeHead> heads;  // by size
  std::string checkpoint;
};

inline std::string Capitals(const std::string& seed, size_t length) {
  std::string text;
  for (size_t block = 0; text.size() < length; ++block) {
    for (uint8_t b : crypto::Sha256(seed + std::to_string(block)).bytes) {
      text += static_cast<char>('A' + b % 26);
    }
  }
  return text.substr(0, length);
}

// An export of n frames. Of every ten the first is of kind 0; of the rest, every third has a record
// without detail, every third a record whose detail is left out, every third both.
inline TestExport MakeExport(size_t n) {
  TestExport made;
  ExportWriter writer;
  Frontier frontier;
  made.heads.push_back(frontier.Head());
  for (size_t i = 0; i < n; ++i) {
    const std::string seed = "record " + std::to_string(i) + " ";
    const auto entropy = CommandEntropy::From(crypto::Sha256(seed).view()).value();
    const auto number = static_cast<uint16_t>(i);
    const std::string detail = Capitals(seed + "detail", 20 + i % 30);
    ExportFrame frame;
    frame.salt = RecordSaltOf(entropy, number);
    frame.detail_salt = DetailSaltOf(entropy, number);
    const bool has_detail = i % 3 != 0;
    const std::string record =
        (has_detail ? "+" + DetailCommitment(frame.detail_salt, detail).str() : "-") +
        Capitals(seed, 10 + i % 40);
    frame.record = record;
    frame.entry = EntryOf(frame.salt, record);
    frame.kind = i % 10 == 0  ? FrameKind::kEntry
                 : i % 3 == 2 ? FrameKind::kDetail
                              : FrameKind::kRecord;
    if (frame.kind == FrameKind::kEntry) frame = {FrameKind::kEntry, frame.entry, {}, {}, {}, {}};
    if (frame.kind == FrameKind::kDetail) {
      frame.detail = detail;
    } else {
      frame.detail_salt = {};
    }
    made.frame_begin.push_back(made.bytes.size());
    EXPECT_TRUE(writer.Add(frame, made.bytes).ok());
    made.entries.push_back(frame.entry);
    frontier.Append(frame.entry);
    made.heads.push_back(frontier.Head());
  }
  made.frame_begin.push_back(made.bytes.size());
  made.checkpoint = SignCheckpoint({kExportOrigin, frontier.Head()}, TestKey('x')).value();
  EXPECT_TRUE(writer.Finish(made.checkpoint, made.bytes).ok());
  return made;
}

// Reads what `reader` has into `verifier`.
inline Status Drain(ExportReader& reader, ExportVerifier& verifier) {
  while (true) {
    SCHAKEL_ASSIGN(auto frame, reader.Next());
    if (!frame) return {};
    SCHAKEL_TRY(verifier.Feed(*frame));
  }
}

inline Result<ExportSummary> VerifyExport(BytesView bytes, ExportVerifier& verifier) {
  ExportReader reader;
  reader.Append(bytes);
  SCHAKEL_TRY(Drain(reader, verifier));
  SCHAKEL_ASSIGN(BytesView checkpoint, reader.Finish());
  return verifier.Finish(checkpoint);
}

}  // namespace schakel::merkle
