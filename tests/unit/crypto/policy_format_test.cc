#include "broker/crypto/policy_format.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/base/limits.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

bool Encodes(std::vector<PolicyFile> files) { return EncodePolicyBundle(std::move(files)).ok(); }

Bytes Pair(BytesView path, BytesView content) { return ByteWriter().Lp(path).Lp(content).Take(); }

TEST(PolicyFormat, GivesTheDigestOfTheVectors) {
  const auto v = LoadVectors("schakel/formats-1.json")["policy"];
  std::vector<PolicyFile> files;
  for (const auto& file : v["files"]) files.push_back({file[0], file[1]});
  const Bytes bundle = EncodePolicyBundle(files).value();
  EXPECT_EQ(PolicyDigest(bundle), HexDigest(v["digest"]));
  EXPECT_EQ(ParsePolicyBundle(bundle).value(), files);
  std::reverse(files.begin(), files.end());
  EXPECT_EQ(EncodePolicyBundle(files).value(), bundle);
}

TEST(PolicyFormat, SortsPathsByUnsignedBytes) {
  const Bytes bundle =
      EncodePolicyBundle({{"\xc3\xa9.yaml", "3"}, {"a/b", "1"}, {"a.b", "0"}, {"b", "2"}}).value();
  EXPECT_EQ(bundle,
            Pair("a.b", "0") + Pair("a/b", "1") + Pair("b", "2") + Pair("\xc3\xa9.yaml", "3"));
}

TEST(PolicyFormat, RefusesPathsThatAreNotPlain) {
  for (const char* path : {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "../a", "a/../b",
                           "a/..", "a\\b", "a\nb", "a\x7f"}) {
    EXPECT_FALSE(Encodes({{path, ""}})) << path;
    EXPECT_FALSE(ParsePolicyBundle(Pair(path, "")).ok()) << path;
  }
  EXPECT_FALSE(Encodes({{Bytes("a\0b", 3), ""}}));
  for (const char* path : {"a", "a/b/c.yaml", ".hidden", "..a", "a..", "with space"}) {
    EXPECT_TRUE(Encodes({{path, ""}})) << path;
    EXPECT_TRUE(ParsePolicyBundle(Pair(path, "")).ok()) << path;
  }
  EXPECT_TRUE(Encodes({{Bytes(255, 'p'), ""}}));
  EXPECT_FALSE(Encodes({{Bytes(256, 'p'), ""}}));
}

TEST(PolicyFormat, RefusesAPathThatIsTwiceThereOrOutOfOrder) {
  EXPECT_FALSE(Encodes({{"a", "1"}, {"a", "2"}}));
  EXPECT_TRUE(ParsePolicyBundle(Pair("a", "1") + Pair("b", "2")).ok());
  EXPECT_FALSE(ParsePolicyBundle(Pair("b", "1") + Pair("a", "2")).ok());
  EXPECT_FALSE(ParsePolicyBundle(Pair("a", "1") + Pair("a", "2")).ok());
}

TEST(PolicyFormat, RefusesEveryCutAndTrailingBytes) {
  const Bytes bundle = Pair("a", "one") + Pair("b", "two");
  const size_t first = Pair("a", "one").size();
  for (size_t size = 0; size < bundle.size(); ++size) {
    EXPECT_EQ(ParsePolicyBundle(bundle.substr(0, size)).ok(), size == first) << size;
  }
  EXPECT_FALSE(ParsePolicyBundle(bundle + '\0').ok());
}

TEST(PolicyFormat, KeepsItsLimits) {
  const size_t most = limits::kBundleBytesMax - 8 - 1;
  EXPECT_TRUE(Encodes({{"a", Bytes(most, 'x')}}));
  EXPECT_FALSE(Encodes({{"a", Bytes(most + 1, 'x')}}));
  EXPECT_FALSE(ParsePolicyBundle(Pair("a", Bytes(most + 1, 'x'))).ok());
  std::vector<PolicyFile> files;
  Bytes bundle;
  for (size_t i = 0; i < limits::kBundleFilesMax; ++i) {
    files.push_back({std::to_string(100'000 + i), ""});
    bundle += Pair(files.back().path, "");
  }
  EXPECT_EQ(EncodePolicyBundle(files).value(), bundle);
  EXPECT_TRUE(ParsePolicyBundle(bundle).ok());
  files.push_back({"one more", ""});
  EXPECT_FALSE(Encodes(files));
  EXPECT_FALSE(ParsePolicyBundle(bundle + Pair("one more", "")).ok());
  EXPECT_FALSE(Encodes({}));
}

}  // namespace
}  // namespace schakel::crypto
