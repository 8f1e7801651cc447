// Signed notes: a text with signature lines, as logs and witnesses exchange them.
//
//   note = text || "\n" || line+       text ends in "\n"; both parts are UTF-8 without control
//   line = "— " name " " base64(u32 key id || signature) "\n"       characters other than "\n"
//
// Only Ed25519 (signature type 0x01) is made and verified here; lines of other keys are kept and
// left alone, as the specification asks.
// SOURCE: C2SP signed-note
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/sign.h"

namespace schakel::merkle {

// A key that is trusted to sign notes: its name and its Ed25519 public key. Text form ("vkey"):
// <name>+<8 lower-case hex digits of the key id>+base64(0x01 || public key).
// An object that exists has a valid name and the key id that belongs to it.
class VerifierKey {
 public:
  // KEY_MALFORMED when the name is empty, no UTF-8, or holds a space, a control character or a
  // plus.
  static Result<VerifierKey> Create(std::string_view name,
                                    const crypto::Ed25519PublicKey& public_key);
  // KEY_MALFORMED for every text that Encode() would not give.
  static Result<VerifierKey> Parse(std::string_view vkey);

  const std::string& name() const { return name_; }
  uint32_t key_id() const { return key_id_; }
  const crypto::Ed25519PublicKey& public_key() const { return public_key_; }
  std::string Encode() const;

  bool operator==(const VerifierKey&) const = default;

 private:
  VerifierKey() = default;
  std::string name_;
  uint32_t key_id_ = 0;
  crypto::Ed25519PublicKey public_key_;
};

// One signature line. What `signature` means depends on the key.
struct NoteSignature {
  std::string name;
  uint32_t key_id = 0;
  Bytes signature;

  bool operator==(const NoteSignature&) const = default;
};

// A note whose form is right. Nothing in it is verified: its text must not be used.
struct ParsedNote {
  std::string text;
  std::vector<NoteSignature> signatures;  // in the note's order, at least one
};

// NOTE_MALFORMED when the form is wrong, or above limits::kNoteBytesMax or kNoteSignaturesMax.
Result<ParsedNote> ParseNote(BytesView note);

// A note of which at least one signature by a known key holds, and none of a known key fails.
struct OpenedNote {
  std::string text;
  std::vector<NoteSignature> verified;    // one per known key that signed, in the note's order
  std::vector<NoteSignature> unverified;  // different lines of keys that are not known
};

// Errors: NOTE_MALFORMED; SIGNATURE_INVALID when a line of a known key does not hold;
// SIGNATURE_MISSING when no known key signed; KEY_AMBIGUOUS when two known keys have the name and
// id of a line; and whatever the crypto library fails with.
Result<OpenedNote> OpenNote(BytesView note, std::span<const VerifierKey> known);

// The note `text` signed by one key, whose name is `name`. NOTE_MALFORMED when the text does not
// end in a newline or holds what a note may not; KEY_MALFORMED for a bad name.
Result<std::string> SignNote(std::string_view text, std::string_view name,
                             const crypto::SigningKey& key);

}  // namespace schakel::merkle
