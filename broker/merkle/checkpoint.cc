#include "broker/merkle/checkpoint.h"

#include "broker/merkle/text.h"

namespace schakel::merkle {
namespace {

Error Malformed(std::string message) {
  return InvalidArgument("CHECKPOINT_MALFORMED", "checkpoint", std::move(message));
}

Result<Checkpoint> FromNote(const OpenedNote& note, const VerifierKey& key) {
  SCHAKEL_ASSIGN(Checkpoint checkpoint, ParseCheckpointBody(note.text));
  if (checkpoint.origin != key.name()) {
    return MakeError(ErrorCode::kDataLoss, "ORIGIN_MISMATCH",
                     "the checkpoint is of another log than the key", "checkpoint");
  }
  return checkpoint;
}

}  // namespace

std::string EncodeCheckpointBody(const Checkpoint& checkpoint) {
  SCHAKEL_CHECK(IsKeyName(checkpoint.origin), "an origin is a valid key name");
  return checkpoint.origin + "\n" + std::to_string(checkpoint.head.size) + "\n" +
         Base64Encode(checkpoint.head.root.view()) + "\n";
}

Result<Checkpoint> ParseCheckpointBody(std::string_view text) {
  auto origin = TakeLine(text);
  auto size_line = TakeLine(text);
  auto root_line = TakeLine(text);
  if (!origin || !size_line || !root_line) return Malformed("a checkpoint has three lines");
  if (!text.empty()) return Malformed("a checkpoint here has no extension lines");
  if (!IsKeyName(*origin)) return Malformed("an origin has no spaces and no plus");
  auto size = ParseDecimal(*size_line);
  if (!size) return Malformed("a tree size is a decimal number without leading zeros");
  auto raw_root = Base64Decode(*root_line);
  auto root = raw_root ? Digest::From(*raw_root) : std::nullopt;
  if (!root) return Malformed("a root is the base64 of 32 bytes");
  if (*size == 0 && *root != RootOfEmpty()) return Malformed("the empty tree has another root");
  return Checkpoint{std::string(*origin), {*size, *root}};
}

Result<std::string> SignCheckpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key) {
  if (!IsKeyName(checkpoint.origin)) return Malformed("an origin has no spaces and no plus");
  return SignNote(EncodeCheckpointBody(checkpoint), checkpoint.origin, key);
}

Result<Checkpoint> OpenCheckpoint(BytesView note, const VerifierKey& key) {
  SCHAKEL_ASSIGN(OpenedNote opened, OpenNote(note, {&key, 1}));
  return FromNote(opened, key);
}

Result<Checkpoint> OpenSoleCheckpoint(BytesView note, const VerifierKey& key) {
  SCHAKEL_ASSIGN(ParsedNote parsed, ParseNote(note));
  if (parsed.signatures.size() != 1) {
    return Malformed("this checkpoint has exactly one signature line");
  }
  return OpenCheckpoint(note, key);
}

}  // namespace schakel::merkle
