// A log in miniature, for tests of audit.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/crypto/hash.h"
#include "broker/merkle/checkpoint.h"
#include "broker/merkle/entry.h"
#include "broker/merkle/export_format.h"
#include "broker/merkle/proof.h"
#include "schakel/v1/record.pb.h"
#include "tests/unit/sdk/fixture.h"

namespace schakel::sdk {

inline constexpr char kOrigin[] = "zhz.example/schakel/1";

inline crypto::SigningKey LogKey(char mark = 'k') {
  return crypto::SigningKey::FromSeed(crypto::SecretBytes::CopyOf(Bytes(32, mark))).value();
}

inline merkle::VerifierKey LogVerifier() {
  return merkle::VerifierKey::Create(kOrigin, LogKey().public_key()).value();
}

// A log of `size` records; every third one with a detail, every fifth closed to its reader.
struct Log {
  explicit Log(uint64_t size, const std::string& variant = "") {
    for (uint64_t i = 0; i < size; ++i) {
      v1::Record record;
      record.set_index(i);
      record.set_position(i + 1);
      record.set_time_us(1'767'225'600'000'000 + i);
      record.set_kind(v1::RECORD_KIND_PUBLISH);
      record.set_organisation(kPolice.str());
      record.set_actor("user-" + std::to_string(i) + variant);
      const auto salt =
          *merkle::RecordSalt::From(crypto::Sha256("s" + std::to_string(i)).view().substr(0, 16));
      const auto detail_salt = *merkle::DetailSalt::From(Bytes(16, 'd'));
      const Bytes detail = "detail " + std::to_string(i);
      if (i % 3 == 0) {
        record.set_detail_commitment(merkle::DetailCommitment(detail_salt, detail).str());
      }
      records.push_back(record.SerializeAsString());
      salts.push_back(salt);
      details.push_back(i % 3 == 0 ? detail : "");
      entries.push_back(merkle::EntryOf(salt, records.back()));
    }
  }
  merkle::TreeHead Head(uint64_t size) const {
    merkle::Frontier frontier;
    for (uint64_t i = 0; i < size; ++i) frontier.Append(entries[i]);
    return frontier.Head();
  }
  std::string Note(uint64_t size, char key = 'k') const {
    return *merkle::SignCheckpoint({kOrigin, Head(size)}, LogKey(key));
  }
  merkle::NodeReader Nodes() const {
    return [this](merkle::NodeId node) -> Result<Digest> {
      merkle::Frontier frontier;
      for (uint64_t i = node.index << node.level; i < (node.index + 1) << node.level; ++i) {
        frontier.Append(entries[i]);
      }
      return frontier.Root();
    };
  }
  Bytes Export() const {
    Bytes out;
    merkle::ExportWriter writer;
    for (size_t i = 0; i < entries.size(); ++i) {
      merkle::ExportFrame frame;
      frame.entry = entries[i];
      if (i % 5 != 4) {
        frame.kind = merkle::FrameKind::kRecord;
        frame.salt = salts[i];
        frame.record = records[i];
        if (!details[i].empty()) {
          frame.kind = merkle::FrameKind::kDetail;
          frame.detail_salt = *merkle::DetailSalt::From(Bytes(16, 'd'));
          frame.detail = details[i];
        }
      }
      EXPECT_TRUE(writer.Add(frame, out).ok());
    }
    EXPECT_TRUE(writer.Finish(Note(entries.size()), out).ok());
    return out;
  }

  std::vector<Bytes> records;
  std::vector<merkle::RecordSalt> salts;
  std::vector<Bytes> details;
  std::vector<Digest> entries;
};

}  // namespace schakel::sdk
