#include "broker/crypto/padding.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

constexpr size_t kOverhead = kPaddingOverheadBytes + 16 + 10;  // with the two texts below
constexpr BytesView kMedia = "application/json";
constexpr BytesView kSchema = "finances/1";

Result<SecretBytes> Pad(size_t content_bytes) {
  return PadPlaintext(kMedia, kSchema, Bytes(content_bytes, 'x'));
}

// The bytes of PadPlaintext by another way: with ByteWriter.
Bytes Written(uint8_t version, BytesView content, size_t total, char filling = '\0') {
  ByteWriter out;
  out.U8(version).Lp(kMedia).Lp(kSchema).Lp(content);
  Bytes padded = out.Take();
  padded.resize(total, filling);
  return padded;
}

TEST(Padding, WritesVersionLengthsContentAndZeros) {
  EXPECT_EQ(PadPlaintext(kMedia, kSchema, "{}").value().ExposeSecret(), Written(1, "{}", 1024));
}

TEST(Padding, TakesTheSmallestSizeThatFits) {
  for (size_t i = 0; i < kPaddedSizes.size(); ++i) {
    EXPECT_EQ(Pad(kPaddedSizes[i] - kOverhead).value().size(), kPaddedSizes[i]);
    if (i > 0) {
      EXPECT_EQ(Pad(kPaddedSizes[i - 1] - kOverhead + 1).value().size(), kPaddedSizes[i]);
    }
  }
  EXPECT_EQ(PadPlaintext("", "", "").value().size(), 1024u);
}

TEST(Padding, RefusesWhatDoesNotFitInTheLargestSize) {
  for (const auto& padded : {Pad(65536 - kOverhead + 1), Pad(1 << 20)}) {
    ASSERT_FALSE(padded.ok());
    EXPECT_EQ(padded.error().reason, "TOO_LARGE");
  }
  EXPECT_FALSE(PadPlaintext(Bytes(65536, 'm'), "", "").ok());
  EXPECT_FALSE(PadPlaintext("", Bytes(65537, 's'), "").ok());
}

TEST(Padding, GivesBackWhatWasPadded) {
  for (size_t size : {0u, 1u, 985u, 986u, 4000u, 65497u}) {
    const auto content = UnpadPlaintext(Pad(size).value().ExposeSecret());
    ASSERT_TRUE(content.has_value()) << size;
    EXPECT_EQ(content->media_type, kMedia);
    EXPECT_EQ(content->schema_id, kSchema);
    EXPECT_EQ(content->content.ExposeSecret(), Bytes(size, 'x'));
  }
}

TEST(Padding, ReadsALargerSizeThanNeeded) {
  EXPECT_TRUE(UnpadPlaintext(Written(1, "{}", 65536)).has_value());
}

TEST(Padding, RefusesOtherSizes) {
  for (size_t size :
       {0u, 1u, 512u, 1023u, 1025u, 2048u, 4095u, 4097u, 16383u, 32768u, 65535u, 65537u, 131072u}) {
    EXPECT_FALSE(UnpadPlaintext(Written(1, "{}", size)).has_value()) << size;
  }
}

TEST(Padding, RefusesOtherVersions) {
  EXPECT_TRUE(UnpadPlaintext(Written(1, "{}", 1024)).has_value());
  for (int version : {0, 2, 255}) {
    EXPECT_FALSE(UnpadPlaintext(Written(static_cast<uint8_t>(version), "{}", 1024)).has_value());
  }
}

TEST(Padding, RefusesAnyByteThatIsNotZeroAfterTheContent) {
  const Bytes padded = Written(1, "{}", 1024);
  for (size_t i = kOverhead + 2; i < padded.size(); ++i) {
    Bytes wrong = padded;
    wrong[i] = 1;
    EXPECT_FALSE(UnpadPlaintext(wrong).has_value()) << i;
  }
  EXPECT_FALSE(UnpadPlaintext(Written(1, "{}", 1024, ' ')).has_value());
}

TEST(Padding, RefusesLengthsThatPointOutside) {
  const Bytes full = Written(1, Bytes(1024 - kOverhead, 'x'), 1024);
  ASSERT_TRUE(UnpadPlaintext(full).has_value());
  for (size_t length_at : {size_t{1}, size_t{21}, size_t{35}}) {
    for (const char* length : {"ffffffff", "7fffffff", "00010000"}) {
      Bytes wrong = full;
      wrong.replace(length_at, 4, Hex(length));
      EXPECT_FALSE(UnpadPlaintext(wrong).has_value()) << length_at << " " << length;
    }
  }
}

}  // namespace
}  // namespace schakel::crypto
