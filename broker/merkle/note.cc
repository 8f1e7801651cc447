#include "broker/merkle/note.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/hash.h"
#include "broker/merkle/text.h"

namespace schakel::merkle {
namespace {

constexpr char kEd25519Type = 0x01;
constexpr size_t kKeyIdBytes = 4;
constexpr std::string_view kLinePrefix = "\xe2\x80\x94 ";  // em dash, space

Error BadKey(std::string message) {
  return InvalidArgument("KEY_MALFORMED", "vkey", std::move(message));
}
Error BadNote(std::string message) {
  return InvalidArgument("NOTE_MALFORMED", "note", std::move(message));
}

// SOURCE: C2SP signed-note, Signatures: SHA-256(name || 0x0A || type || public key)[:4]
uint32_t KeyIdOf(std::string_view name, const crypto::Ed25519PublicKey& public_key) {
  const Digest hash = crypto::Sha256Hasher()
                          .Raw(name)
                          .U8('\n')
                          .U8(static_cast<uint8_t>(kEd25519Type))
                          .Raw(public_key.view())
                          .Finish();
  return *ByteReader(hash.view()).U32();
}

std::string SignatureLine(const NoteSignature& signature) {
  const Bytes raw = ByteWriter().U32(signature.key_id).Raw(signature.signature).Take();
  std::string line(kLinePrefix);
  line += signature.name;
  line += ' ';
  line += Base64Encode(raw);
  line += '\n';
  return line;
}

// A line without its newline.
Result<NoteSignature> ParseLine(std::string_view line) {
  if (!line.starts_with(kLinePrefix)) return BadNote("a signature line begins with an em dash");
  line.remove_prefix(kLinePrefix.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return BadNote("a signature line is a name and a signature");
  NoteSignature signature;
  signature.name = line.substr(0, space);
  if (!IsKeyName(signature.name)) return BadNote("a signature line has a bad key name");
  auto raw = Base64Decode(line.substr(space + 1));
  if (!raw || raw->size() <= kKeyIdBytes)
    return BadNote("a signature is no base64 of 5 or more bytes");
  signature.key_id = *ByteReader(*raw).U32();
  signature.signature = raw->substr(kKeyIdBytes);
  return signature;
}

}  // namespace

Result<VerifierKey> VerifierKey::Create(std::string_view name,
                                        const crypto::Ed25519PublicKey& public_key) {
  if (!IsKeyName(name)) return BadKey("a key name is not empty and has no space and no plus");
  VerifierKey key;
  key.name_ = name;
  key.key_id_ = KeyIdOf(name, public_key);
  key.public_key_ = public_key;
  return key;
}

Result<VerifierKey> VerifierKey::Parse(std::string_view vkey) {
  const size_t first = vkey.find('+');
  const size_t second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos) return BadKey("a verifier key is name+key id+key");
  auto key_bytes = Base64Decode(vkey.substr(second + 1));
  if (!key_bytes || key_bytes->size() != 33 || key_bytes->front() != kEd25519Type) {
    return BadKey("a verifier key holds the base64 of 0x01 and 32 bytes of Ed25519");
  }
  SCHAKEL_ASSIGN(VerifierKey key,
                 Create(vkey.substr(0, first),
                        *crypto::Ed25519PublicKey::From(BytesView(*key_bytes).substr(1))));
  if (key.Encode() != vkey) return BadKey("the key id is not that of this name and key");
  return key;
}

std::string VerifierKey::Encode() const {
  return name_ + "+" + HexEncode(ByteWriter().U32(key_id_).bytes()) + "+" +
         Base64Encode(kEd25519Type + public_key_.str());
}

Result<ParsedNote> ParseNote(BytesView note) {
  if (note.size() > limits::kNoteBytesMax) return BadNote("the note is too long");
  if (!IsNoteText(note)) return BadNote("a note is UTF-8 without control characters");
  // The text may have empty lines: the last one ends it.
  const size_t split = note.rfind("\n\n");
  if (split == BytesView::npos) return BadNote("no empty line before the signatures");
  ParsedNote parsed;
  parsed.text = note.substr(0, split + 1);
  BytesView lines = note.substr(split + 2);
  if (lines.empty() || lines.back() != '\n') return BadNote("a note ends in signature lines");
  while (!lines.empty()) {
    if (parsed.signatures.size() == limits::kNoteSignaturesMax) {
      return BadNote("the note has too many signatures");
    }
    const size_t end = lines.find('\n');
    SCHAKEL_ASSIGN(NoteSignature signature, ParseLine(lines.substr(0, end)));
    parsed.signatures.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  return parsed;
}

Result<OpenedNote> OpenNote(BytesView note, std::span<const VerifierKey> known) {
  SCHAKEL_ASSIGN(ParsedNote parsed, ParseNote(note));
  OpenedNote opened;
  for (NoteSignature& signature : parsed.signatures) {
    auto is_its_key = [&](const VerifierKey& key) {
      return key.key_id() == signature.key_id && key.name() == signature.name;
    };
    const auto key = std::find_if(known.begin(), known.end(), is_its_key);
    if (key == known.end()) {
      const auto& others = opened.unverified;
      if (std::find(others.begin(), others.end(), signature) == others.end()) {
        opened.unverified.push_back(std::move(signature));
      }
      continue;
    }
    if (std::find_if(key + 1, known.end(), is_its_key) != known.end()) {
      return InvalidArgument("KEY_AMBIGUOUS", "vkey", "two known keys have one name and key id");
    }
    if (!crypto::VerifyEd25519(key->public_key(), parsed.text, signature.signature)) {
      return MakeError(ErrorCode::kDataLoss, "SIGNATURE_INVALID",
                       "the signature of a known key does not hold: " + signature.name, "note");
    }
    // Ed25519 here is deterministic, but a repeated line says nothing new either way.
    const bool repeated =
        std::any_of(opened.verified.begin(), opened.verified.end(), [&](const NoteSignature& s) {
          return s.key_id == signature.key_id && s.name == signature.name;
        });
    if (!repeated) opened.verified.push_back(std::move(signature));
  }
  if (opened.verified.empty()) {
    return MakeError(ErrorCode::kDataLoss, "SIGNATURE_MISSING", "no known key signed the note",
                     "note");
  }
  opened.text = std::move(parsed.text);
  return opened;
}

Result<std::string> SignNote(std::string_view text, std::string_view name,
                             const crypto::SigningKey& key) {
  if (text.empty() || text.back() != '\n' || !IsNoteText(text)) {
    return BadNote("a note's text ends in a newline and has no other control character");
  }
  SCHAKEL_ASSIGN(VerifierKey verifier, VerifierKey::Create(name, key.public_key()));
  std::string note = std::string(text) + "\n" +
                     SignatureLine({verifier.name(), verifier.key_id(), key.Sign(text)});
  if (note.size() > limits::kNoteBytesMax) return BadNote("the note is too long");
  return note;
}

}  // namespace schakel::merkle
