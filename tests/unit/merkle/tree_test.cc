#include "broker/merkle/tree.h"

#include <gtest/gtest.h>

#include "tests/unit/merkle/support.h"
#include "tests/unit/merkle/textbook.h"

namespace schakel::merkle {
namespace {

TEST(Tree, ReproducesThePublishedConstants) {
  const auto vectors = ReadVectors("merkle/rfc6962-constants.json");
  const auto& nodes = vectors["node_hashes_hex"];
  const auto& inputs = vectors["leaf_inputs_hex"];
  EXPECT_EQ(HexEncode(RootOfEmpty().view()), vectors["empty_root_hex"]);
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(HexEncode(LeafHash(FromHex(inputs[i])).view()), nodes[0][i]);
  }
  for (size_t level = 1; level < nodes.size(); ++level) {
    for (size_t i = 0; i < nodes[level].size(); ++i) {
      EXPECT_EQ(HexEncode(NodeHash(DigestOf(FromHex(nodes[level - 1][2 * i])),
                                   DigestOf(FromHex(nodes[level - 1][2 * i + 1])))
                              .view()),
                nodes[level][i]);
    }
  }
}

TEST(Tree, HashesALeafOfADigestAsItsBytes) {
  const Digest entry = crypto::Sha256("entry");
  EXPECT_EQ(LeafHash(entry), LeafHash(entry.view()));
}

TEST(Frontier, ReproducesThePublishedRoots) {
  const auto vectors = ReadVectors("merkle/rfc6962-constants.json");
  Frontier frontier;
  size_t size = 0;
  for (const auto& root : vectors["root_hashes_hex_by_size"]) {
    EXPECT_EQ(frontier.size(), size);
    EXPECT_EQ(HexEncode(frontier.Root().view()), root);
    if (size < vectors["leaf_inputs_hex"].size()) {
      frontier.AppendLeaf(LeafHash(FromHex(vectors["leaf_inputs_hex"][size++])));
    }
  }
}

TEST(Frontier, HasTheTextbookRootAtEverySizeUpTo400) {
  const auto entries = textbook::MakeEntries(400);
  Frontier frontier;
  for (size_t size = 0; size <= entries.size(); ++size) {
    ASSERT_EQ(frontier.Root(), textbook::Mth(textbook::Slice(entries, 0, size))) << size;
    ASSERT_EQ(frontier.Head(), (TreeHead{size, frontier.Root()}));
    if (size < entries.size()) frontier.Append(DigestOf(entries[size]));
  }
}

TEST(Frontier, GrowsOnAfterItWasWrittenAndReadAtAnySize) {
  const auto entries = textbook::MakeEntries(300);
  Frontier whole;
  for (const auto& entry : entries) {
    auto read = Frontier::Parse(whole.Serialise());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, whole);
    read->Append(DigestOf(entry));
    whole.Append(DigestOf(entry));
    ASSERT_EQ(*read, whole);
    ASSERT_EQ(read->Root(), whole.Root());
  }
}

TEST(Frontier, RefusesEveryOtherLength) {
  Frontier frontier;
  for (const auto& entry : textbook::MakeEntries(11)) frontier.Append(DigestOf(entry));
  const Bytes bytes = frontier.Serialise();
  ASSERT_EQ(bytes.size(), 8u + 3 * 32);
  for (size_t length = 0; length < bytes.size(); ++length) {
    auto read = Frontier::Parse(BytesView(bytes).substr(0, length));
    ASSERT_FALSE(read.ok()) << length;
    EXPECT_EQ(read.error().reason, "MERKLE_MALFORMED");
  }
  EXPECT_FALSE(Frontier::Parse(bytes + '\0').ok());
  EXPECT_FALSE(Frontier::Parse(bytes + Bytes(32, '\0')).ok());
}

TEST(Frontier, IsWrittenAsItsHeaderSays) {
  Frontier frontier;
  for (const auto& entry : textbook::MakeEntries(3)) frontier.Append(DigestOf(entry));
  const auto e = textbook::MakeEntries(3);
  EXPECT_EQ(frontier.Serialise(), ByteWriter()
                                      .U64(3)
                                      .Raw(textbook::Mth(textbook::Slice(e, 0, 2)).view())
                                      .Raw(textbook::Mth(textbook::Slice(e, 2, 3)).view())
                                      .Take());
}

TEST(Frontier, ReadsTheLargestSize) {
  const Bytes largest = ByteWriter().U64(UINT64_MAX).Raw(Bytes(64 * 32, 'x')).Take();
  auto read = Frontier::Parse(largest);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->size(), UINT64_MAX);
  EXPECT_EQ(read->Serialise(), largest);
  EXPECT_DEATH(read->AppendLeaf(Digest{}), "2\\^64");
}

}  // namespace
}  // namespace schakel::merkle
