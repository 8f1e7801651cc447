#include "broker/merkle/proof.h"

#include <gtest/gtest.h>

#include "tests/unit/merkle/support.h"
#include "tests/unit/merkle/textbook.h"

namespace schakel::merkle {
namespace {

constexpr size_t kExhaustive = 64;  // all sizes up to it

Bytes FromBase64(const nlohmann::json& text) {
  return text.is_null() ? Bytes() : Base64Decode(text.get<std::string>()).value();
}

std::vector<Bytes> PathBytes(const nlohmann::json& proof) {
  std::vector<Bytes> path;
  if (proof.is_null()) return path;
  for (const auto& hash : proof) path.push_back(FromBase64(hash));
  return path;
}

Status VerifyInclusionCase(const nlohmann::json& c) {
  SCHAKEL_ASSIGN(Path path, PathFrom(PathBytes(c["proof"])));
  auto root = Digest::From(FromBase64(c["root"]));
  auto leaf = Digest::From(FromBase64(c["leafHash"]));
  if (!root || !leaf) return InvalidArgument("PROOF_INVALID", "root", "a hash is 32 bytes");
  return VerifyInclusion(c["leafIdx"], *leaf, path, {c["treeSize"], *root});
}

Status VerifyConsistencyCase(const nlohmann::json& c) {
  SCHAKEL_ASSIGN(Path path, PathFrom(PathBytes(c["proof"])));
  auto root1 = Digest::From(FromBase64(c["root1"]));
  auto root2 = Digest::From(FromBase64(c["root2"]));
  if (!root1 || !root2) return InvalidArgument("PROOF_INVALID", "root", "a hash is 32 bytes");
  return VerifyConsistency({c["size1"], *root1}, {c["size2"], *root2}, path);
}

TEST(InclusionProof, HoldsForThePublishedCasesAndForNoWrongOne) {
  const auto cases = ReadVectors("merkle/inclusion.json");
  ASSERT_EQ(cases.size(), 49u);
  for (const auto& c : cases) {
    EXPECT_EQ(VerifyInclusionCase(c).ok(), !c["wantErr"].get<bool>()) << c["file"];
  }
}

TEST(ConsistencyProof, HoldsForThePublishedCasesAndForNoWrongOne) {
  const auto cases = ReadVectors("merkle/consistency.json");
  ASSERT_EQ(cases.size(), 49u);
  for (const auto& c : cases) {
    EXPECT_EQ(VerifyConsistencyCase(c).ok(), !c["wantErr"].get<bool>()) << c["file"];
  }
}

// All trees up to kExhaustive leaves, by the textbook.
class Exhaustive : public testing::Test {
 protected:
  Exhaustive() : entries_(textbook::MakeEntries(kExhaustive)) {
    for (const auto& entry : entries_) tree_.Append(DigestOf(entry));
    for (size_t size = 0; size <= kExhaustive; ++size) {
      roots_.push_back(textbook::Mth(textbook::Slice(entries_, 0, size)));
    }
  }
  TreeHead Head(size_t size) const { return {size, roots_[size]}; }
  Digest Leaf(size_t index) const { return LeafHash(entries_[index]); }

  textbook::Entries entries_;
  std::vector<Digest> roots_;
  MemoryTree tree_;
};

// Calls `check` with `path` changed in each single bit.
template <typename Check>
void ForEachFlippedBit(Path path, Check check) {
  for (Digest& hash : path) {
    for (uint8_t& byte : hash.bytes) {
      for (int bit = 0; bit < 8; ++bit) {
        byte = static_cast<uint8_t>(byte ^ 1 << bit);
        check(path);
        byte = static_cast<uint8_t>(byte ^ 1 << bit);
      }
    }
  }
}

// Calls `check` with `path` shortened, lengthened and with two neighbours exchanged.
template <typename Check>
void ForEachReshaped(const Path& path, const Digest& filler, Check check) {
  for (size_t i = 0; i < path.size(); ++i) {
    Path shorter = path;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
    check(shorter);
    if (i == 0) continue;
    Path exchanged = path;
    std::swap(exchanged[i - 1], exchanged[i]);
    check(exchanged);
  }
  for (size_t i = 0; i <= path.size(); ++i) {
    Path longer = path;
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(i), filler);
    check(longer);
  }
}

TEST_F(Exhaustive, InclusionProofsAreTheTextbooksAndHold) {
  for (size_t size = 1; size <= kExhaustive; ++size) {
    for (size_t index = 0; index < size; ++index) {
      auto path = InclusionProof(index, size, tree_.Nodes());
      ASSERT_TRUE(path.ok());
      ASSERT_EQ(*path, textbook::PathOf(index, textbook::Slice(entries_, 0, size)));
      ASSERT_TRUE(VerifyInclusion(index, Leaf(index), *path, Head(size)).ok());
      ASSERT_EQ(RootFromInclusionPath(index, size, Leaf(index), *path).value(), roots_[size]);
    }
  }
}

TEST_F(Exhaustive, NoChangedInclusionProofHolds) {
  for (size_t size = 1; size <= kExhaustive; ++size) {
    for (size_t index = 0; index < size; ++index) {
      const Path path = InclusionProof(index, size, tree_.Nodes()).value();
      auto refused = [&](const Path& changed) {
        auto status = VerifyInclusion(index, Leaf(index), changed, Head(size));
        ASSERT_FALSE(status.ok()) << index << " of " << size;
        ASSERT_EQ(status.error().reason, "PROOF_INVALID");
      };
      ForEachFlippedBit(path, refused);
      ForEachReshaped(path, roots_[size], refused);
      for (size_t other = 0; other <= size; ++other) {
        if (other == index) continue;
        ASSERT_FALSE(VerifyInclusion(other, Leaf(index), path, Head(size)).ok());
        if (other == size) continue;
        ASSERT_FALSE(VerifyInclusion(index, Leaf(other), path, Head(size)).ok());
      }
    }
  }
}

TEST_F(Exhaustive, ConsistencyProofsAreTheTextbooksAndHold) {
  for (size_t size = 1; size <= kExhaustive; ++size) {
    for (size_t older = 1; older <= size; ++older) {
      auto path = ConsistencyProof(older, size, tree_.Nodes());
      ASSERT_TRUE(path.ok());
      ASSERT_EQ(*path, textbook::Consistency(older, textbook::Slice(entries_, 0, size)));
      ASSERT_TRUE(VerifyConsistency(Head(older), Head(size), *path).ok()) << older << " " << size;
    }
  }
}

TEST_F(Exhaustive, NoChangedConsistencyProofHolds) {
  for (size_t size = 1; size <= kExhaustive; ++size) {
    for (size_t older = 1; older <= size; ++older) {
      const Path path = ConsistencyProof(older, size, tree_.Nodes()).value();
      auto refused = [&](const Path& changed) {
        auto status = VerifyConsistency(Head(older), Head(size), changed);
        ASSERT_FALSE(status.ok()) << older << " " << size;
        ASSERT_EQ(status.error().reason, "PROOF_INVALID");
      };
      ForEachFlippedBit(path, refused);
      ForEachReshaped(path, roots_[size], refused);
      for (size_t other = 1; other < size; ++other) {
        if (other == older) continue;
        ASSERT_FALSE(VerifyConsistency(Head(other), Head(size), path).ok());
        ASSERT_FALSE(VerifyConsistency({older, roots_[other]}, Head(size), path).ok());
        ASSERT_FALSE(VerifyConsistency(Head(older), {size, roots_[other]}, path).ok());
      }
    }
  }
}

TEST_F(Exhaustive, NothingIsProvedFromTheEmptyTreeOrBackwards) {
  EXPECT_FALSE(VerifyConsistency(Head(0), Head(0), {}).ok());
  EXPECT_FALSE(VerifyConsistency(Head(0), Head(5), {}).ok());
  EXPECT_FALSE(VerifyConsistency(Head(5), Head(4), {}).ok());
  EXPECT_EQ(ConsistencyProof(0, 5, tree_.Nodes()).error().reason, "OUT_OF_TREE");
  EXPECT_EQ(ConsistencyProof(6, 5, tree_.Nodes()).error().reason, "OUT_OF_TREE");
  EXPECT_EQ(InclusionProof(5, 5, tree_.Nodes()).error().reason, "OUT_OF_TREE");
  EXPECT_EQ(InclusionProof(0, 0, tree_.Nodes()).error().reason, "OUT_OF_TREE");
  EXPECT_FALSE(RootFromInclusionPath(0, 0, Leaf(0), {}).ok());
}

TEST_F(Exhaustive, ProofsAboutTheLargestSizesEnd) {
  const Path longest(kPathHashesMax, roots_[1]);
  for (size_t length = 0; length <= longest.size(); ++length) {
    const auto path = std::span(longest).first(length);
    const bool fits = length == 64;
    EXPECT_EQ(RootFromInclusionPath(0, UINT64_MAX, Leaf(0), path).ok(), fits) << length;
    EXPECT_FALSE(RootFromInclusionPath(UINT64_MAX, UINT64_MAX, Leaf(0), path).ok());
    EXPECT_FALSE(VerifyConsistency({1, roots_[1]}, {UINT64_MAX, roots_[2]}, path).ok());
    EXPECT_FALSE(
        VerifyConsistency({UINT64_MAX - 1, roots_[1]}, {UINT64_MAX, roots_[2]}, path).ok());
  }
}

TEST_F(Exhaustive, AReaderThatFailsEndsTheGeneration) {
  const NodeReader fails = [](NodeId) -> Result<Digest> { return Internal("disk"); };
  EXPECT_EQ(InclusionProof(3, 9, fails).error().message, "disk");
  EXPECT_EQ(ConsistencyProof(3, 9, fails).error().message, "disk");
}

TEST(PathFrom, RefusesHashesOfOtherLengthsAndTooMany) {
  EXPECT_TRUE(PathFrom(std::vector<Bytes>(kPathHashesMax, Bytes(32, 'h'))).ok());
  EXPECT_FALSE(PathFrom(std::vector<Bytes>(kPathHashesMax + 1, Bytes(32, 'h'))).ok());
  for (size_t length : {0, 31, 33, 64}) {
    EXPECT_FALSE(PathFrom(std::vector<Bytes>{Bytes(32, 'h'), Bytes(length, 'h')}).ok());
  }
}

}  // namespace
}  // namespace schakel::merkle
