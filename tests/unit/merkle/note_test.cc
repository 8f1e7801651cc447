#include "broker/merkle/note.h"

#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "tests/unit/merkle/support.h"

namespace schakel::merkle {
namespace {

std::vector<std::string> Names(const std::vector<NoteSignature>& signatures) {
  std::vector<std::string> names;
  for (const auto& signature : signatures) names.push_back(signature.name);
  return names;
}

// A published test key: PRIVATE+KEY+<name>+<id>+base64(0x01 || seed).
crypto::SigningKey KeyOf(const std::string& skey) {
  const Bytes raw = Base64Decode(std::string_view(skey).substr(skey.size() - 44)).value();
  return crypto::SigningKey::FromSeed(crypto::SecretBytes::CopyOf(raw.substr(1))).value();
}

std::string ReasonFor(const std::string& expect) {
  if (expect == "unverified") return "SIGNATURE_MISSING";
  if (expect == "ambiguous key") return "KEY_AMBIGUOUS";
  if (expect == "invalid signature") return "SIGNATURE_INVALID";
  if (expect == "malformed note") return "NOTE_MALFORMED";
  return "no such expectation";
}

TEST(Note, OpensThePublishedCasesAsTheyExpect) {
  const auto vectors = ReadVectors("note/signed-note-cases.json");
  ASSERT_EQ(vectors["open"].size(), 14u);
  for (const auto& c : vectors["open"]) {
    std::vector<VerifierKey> known;
    for (const std::string vkey : c["verifier_keys"]) {
      known.push_back(VerifierKey::Parse(vkey).value());
    }
    auto note = OpenNote(Base64Decode(c["note_b64"].get<std::string>()).value(), known);
    if (c["expect"] == "ok") {
      ASSERT_TRUE(note.ok()) << c["name"] << note.error().message;
      EXPECT_EQ(note->text, vectors["text"]) << c["name"];
      EXPECT_EQ(nlohmann::json(Names(note->verified)), c["verified"]) << c["name"];
      EXPECT_EQ(nlohmann::json(Names(note->unverified)), c["unverified"]) << c["name"];
    } else {
      ASSERT_FALSE(note.ok()) << c["name"];
      EXPECT_EQ(note.error().reason, ReasonFor(c["expect"])) << c["name"];
    }
  }
}

TEST(Note, IsSignedAsPublished) {
  const auto vectors = ReadVectors("note/signed-note-cases.json");
  const auto key = KeyOf(vectors["sign"]["skey"]);
  EXPECT_EQ(SignNote(vectors["sign"]["text"].get<std::string>(), "PeterNeumann", key).value(),
            vectors["sign"]["want_note"]);
  EXPECT_EQ(VerifierKey::Create("PeterNeumann", key.public_key())->Encode(),
            vectors["keys"]["PeterNeumann"]["vkey"]);
}

TEST(Note, OpensTheSpecificationsExample) {
  const std::string text = ReadVectorFile("c2sp/signed-note.md");
  const size_t vkey_begin = text.find("example.com/foo+");
  const auto key =
      VerifierKey::Parse(text.substr(vkey_begin, text.find('\n', vkey_begin) - vkey_begin));
  ASSERT_TRUE(key.ok());
  const size_t begin = text.find("This is an example message.\n");
  const std::string note = text.substr(begin, text.find("```", begin) - begin);
  auto opened = OpenNote(note, {&*key, 1});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->text, "This is an example message.\n");
}

TEST(VerifierKey, RefusesThePublishedBadKeys) {
  const auto vectors = ReadVectors("note/signed-note-cases.json");
  for (const auto& bad : vectors["bad_verifier_keys"]) {
    auto key = VerifierKey::Parse(bad["vkey"].get<std::string>());
    ASSERT_FALSE(key.ok()) << bad["why"];
    EXPECT_EQ(key.error().reason, "KEY_MALFORMED");
  }
}

TEST(VerifierKey, RefusesEverySubstringAndEveryChangedByte) {
  const auto vectors = ReadVectors("note/signed-note-cases.json");
  for (const auto& named : vectors["keys"]) {
    const std::string vkey = named["vkey"];
    EXPECT_EQ(VerifierKey::Parse(vkey)->Encode(), vkey);
    for (size_t begin = 0; begin <= vkey.size(); ++begin) {
      for (size_t length = 0; begin + length <= vkey.size(); ++length) {
        if (length == vkey.size()) continue;
        EXPECT_FALSE(VerifierKey::Parse(vkey.substr(begin, length)).ok()) << begin << " " << length;
      }
    }
    for (size_t i = 0; i < vkey.size(); ++i) {
      for (int value = 0; value < 256; ++value) {
        std::string changed = vkey;
        changed[i] = static_cast<char>(value);
        if (changed == vkey) continue;
        EXPECT_FALSE(VerifierKey::Parse(changed).ok()) << changed;
      }
    }
  }
}

TEST(VerifierKey, HasANameWithoutSpaceAndPlus) {
  const auto key = TestKey('k').public_key();
  for (const char* name : {"a", "regio.example/schakel/1", "b\xc3\xa9", "\xf0\x9f\x94\x91"}) {
    auto made = VerifierKey::Create(name, key);
    ASSERT_TRUE(made.ok()) << name;
    EXPECT_EQ(VerifierKey::Parse(made->Encode()).value(), *made);
  }
  for (const char* name : {"", " ", "a b", "a+b", "a\tb", "a\nb", "a\x01", "\xff", "a\xc2\xa0z",
                           "a\xe2\x80\xa8", "\xe3\x80\x80", "a\xc2\x85"}) {
    EXPECT_EQ(VerifierKey::Create(name, key).error().reason, "KEY_MALFORMED") << name;
  }
}

class SignedNote : public testing::Test {
 protected:
  SignedNote()
      : signer_(TestKey('a')),
        key_(VerifierKey::Create("log.example/a", signer_.public_key()).value()),
        note_(SignNote("line one\n\nline three\n", "log.example/a", signer_).value()) {}

  Result<OpenedNote> Open(BytesView note) const { return OpenNote(note, {&key_, 1}); }
  std::string LineOf(const std::string& name, char fill) const {
    const std::string note = SignNote("line one\n\nline three\n", name, TestKey(fill)).value();
    return note.substr(note.rfind("\n\n") + 2);
  }

  crypto::SigningKey signer_;
  VerifierKey key_;
  std::string note_;
};

TEST_F(SignedNote, MayHaveEmptyLinesInItsText) {
  EXPECT_EQ(Open(note_)->text, "line one\n\nline three\n");
}

TEST_F(SignedNote, IsRefusedWithAnySingleBitFlipped) {
  for (size_t i = 0; i < note_.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = note_;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      EXPECT_FALSE(Open(changed).ok()) << i << " " << bit;
    }
  }
}

TEST_F(SignedNote, IsRefusedWhenCutAnywhereOrGoneOn) {
  for (size_t length = 0; length < note_.size(); ++length) {
    EXPECT_FALSE(Open(note_.substr(0, length)).ok()) << length;
  }
  for (const char* more :
       {"\n", "x", "x\n", "\n\n", "\xe2\x80\x94 a\n", "\xe2\x80\x94 a AAAA\n",
        "\xe2\x80\x94  AAAAAAAA\n", "- a AAAAAAAA\n", "\xe2\x80\x94 a AAAAAAA=\r\n",
        "\xe2\x80\x94 a  AAAAAAA=\n", "\xe2\x80\x94 a AAAAAAA= \n", "\xe2\x80\x94 a AAAAAAB=\n",
        "\xe2\x80\x94 a AAAAAAA\n", "\xe2\x80\x94 a+b AAAAAAA=\n"}) {
    EXPECT_EQ(Open(note_ + more).error().reason, "NOTE_MALFORMED") << more;
  }
}

TEST_F(SignedNote, IgnoresLinesOfUnknownKeysAlsoWhenTheyShareANameOrAnId) {
  const std::string unknown = "\xe2\x80\x94 a AAAAAAA=\n";
  const std::string same_name = LineOf("log.example/a", 'b');
  const std::string same_id = "\xe2\x80\x94 other " +
                              Base64Encode(ByteWriter().U32(key_.key_id()).Raw("sig").bytes()) +
                              "\n";
  for (const auto& line : {unknown, same_name, same_id}) {
    auto opened = Open(note_ + line);
    ASSERT_TRUE(opened.ok()) << line;
    EXPECT_EQ(opened->verified.size(), 1u);
    EXPECT_EQ(opened->unverified.size(), 1u);
  }
}

TEST_F(SignedNote, IsRefusedWhenAKnownKeysSecondLineFails) {
  NoteSignature good = ParseNote(note_)->signatures[0];
  const std::string bad = "\xe2\x80\x94 log.example/a " +
                          Base64Encode(ByteWriter().U32(good.key_id).Raw(Bytes(64, 's')).bytes()) +
                          "\n";
  EXPECT_EQ(Open(note_ + bad).error().reason, "SIGNATURE_INVALID");
}

TEST_F(SignedNote, TakesAHundredSignaturesAndNoMore) {
  std::string note = note_;
  for (size_t i = 1; i < limits::kNoteSignaturesMax; ++i) note += "\xe2\x80\x94 a AAAAAAA=\n";
  EXPECT_TRUE(Open(note).ok());
  EXPECT_EQ(Open(note + "\xe2\x80\x94 a AAAAAAA=\n").error().reason, "NOTE_MALFORMED");
}

TEST_F(SignedNote, HasALargestSize) {
  const std::string text(limits::kNoteBytesMax, 'x');
  EXPECT_EQ(SignNote(text + "\n", "a", signer_).error().reason, "NOTE_MALFORMED");
  EXPECT_EQ(ParseNote(text + "\n\n\xe2\x80\x94 a AAAAAAA=\n").error().reason, "NOTE_MALFORMED");
}

TEST_F(SignedNote, IsNotMadeOfABadText) {
  for (const char* text :
       {"", "x", "a\tb\n", "a\rb\n", "\x7f\xff\n", "\xc0\x80\n", "\xed\xa0\x80\n",
        "\xf4\x90\x80\x80\n", "\xe2\x82\n", "\xf8\x88\x80\x80\x80\n"}) {
    EXPECT_EQ(SignNote(text, "a", signer_).error().reason, "NOTE_MALFORMED");
  }
  EXPECT_EQ(SignNote("x\n", "a b", signer_).error().reason, "KEY_MALFORMED");
  EXPECT_TRUE(SignNote("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91\n", "a", signer_).ok());
}

}  // namespace
}  // namespace schakel::merkle
