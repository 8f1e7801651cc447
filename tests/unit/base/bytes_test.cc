#include "broker/base/bytes.h"

#include <gtest/gtest.h>

namespace schakel {
namespace {

TEST(ByteWriter, WritesBigEndianAndLengthPrefixed) {
  ByteWriter w;
  w.U8(1).U16(0x0203).U32(0x04050607).U64(0x08090a0b0c0d0e0f).Lp("ab").Raw("c");
  EXPECT_EQ(HexEncode(w.bytes()), "0102030405060708090a0b0c0d0e0f00000002616263");
}

TEST(ByteReader, ReadsWhatTheWriterWrote) {
  ByteWriter w;
  w.U8(255).U16(65535).U32(4294967295u).U64(UINT64_MAX).Lp("").Lp("xyz");
  ByteReader r(w.bytes());
  EXPECT_EQ(r.U8(), 255);
  EXPECT_EQ(r.U16(), 65535);
  EXPECT_EQ(r.U32(), 4294967295u);
  EXPECT_EQ(r.U64(), UINT64_MAX);
  EXPECT_EQ(r.Lp(), "");
  EXPECT_EQ(r.Lp(), "xyz");
  EXPECT_TRUE(r.Done());
}

TEST(ByteReader, StaysFailedAfterAShortRead) {
  ByteReader r("\x01");
  EXPECT_FALSE(r.U16());
  EXPECT_FALSE(r.U8());
  EXPECT_TRUE(r.failed());
  EXPECT_FALSE(r.Done());
}

TEST(ByteReader, RefusesALengthPrefixBeyondTheInput) {
  ByteReader r(BytesView("\x00\x00\x00\x05" "abc", 7));
  EXPECT_FALSE(r.Lp());
}

TEST(Hex, RefusesOddLengthAndWrongDigits) {
  EXPECT_FALSE(HexDecode("abc"));
  EXPECT_FALSE(HexDecode("zz"));
  EXPECT_EQ(HexDecode("00fF"), Bytes("\x00\xff", 2));
}

// SOURCE: RFC 4648 section 10.
TEST(Base64, ReproducesThePublishedVectors) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},         {"f", "Zg=="},        {"fo", "Zm8="},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (auto [raw, text] : cases) {
    EXPECT_EQ(Base64Encode(raw), text);
    EXPECT_EQ(Base64Decode(text), raw);
  }
}

TEST(Base64, RefusesWhatAStrictDecoderMust) {
  for (const char* bad : {"Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zm 9v", "Zg==Zg=="}) {
    EXPECT_FALSE(Base64Decode(bad)) << bad;
  }
}

TEST(DigestType, RefusesAnyOtherLength) {
  EXPECT_FALSE(Digest::From(std::string(31, 'a')));
  EXPECT_FALSE(Digest::From(std::string(33, 'a')));
  EXPECT_TRUE(Digest::From(std::string(32, 'a')));
}

}  // namespace
}  // namespace schakel
