// Checkpoints: the signed heads of a log.
//
//   body = origin "\n" size in decimal "\n" base64(root) "\n"
//
// Ours have no extension lines: nobody audits those. The key's name equals the origin
// (<region-domain>/schakel/<incarnation>), so that a vkey names exactly one log.
// SOURCE: C2SP tlog-checkpoint; proto/ENVELOPE.md, Log
#pragma once

#include <string>
#include <string_view>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/merkle/note.h"
#include "broker/merkle/tree.h"

namespace schakel::merkle {

struct Checkpoint {
  std::string origin;
  TreeHead head;

  bool operator==(const Checkpoint&) const = default;
};

// The note text. REQUIRES: the origin is a valid key name (VerifierKey::Create accepts it)
std::string EncodeCheckpointBody(const Checkpoint& checkpoint);
// CHECKPOINT_MALFORMED for every text that EncodeCheckpointBody would not give, also for extension
// lines and for size 0 with another root than RootOfEmpty().
Result<Checkpoint> ParseCheckpointBody(std::string_view text);

// Signs with the origin as key name. It is the caller's duty to sign no two heads that are not
// consistent (ARCHITECTURE.md, I8: the head file comes first).
Result<std::string> SignCheckpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key);

// The checkpoint in `note`, when `key` signed it and is its origin's. Lines of other keys
// (witnesses) are ignored. Errors as OpenNote, CHECKPOINT_MALFORMED, and ORIGIN_MISMATCH.
Result<Checkpoint> OpenCheckpoint(BytesView note, const VerifierKey& key);
// The same, and the note has exactly one signature line. An export ends in this form, so that not
// one of its bytes can change unseen.
Result<Checkpoint> OpenSoleCheckpoint(BytesView note, const VerifierKey& key);

}  // namespace schakel::merkle
