#include "broker/merkle/tile.h"

#include <gtest/gtest.h>

#include <set>

#include "broker/merkle/tile_builder.h"
#include "tests/unit/merkle/support.h"
#include "tests/unit/merkle/textbook.h"

namespace schakel::merkle {
namespace {

constexpr uint64_t kBorders[] = {1, 2, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537};

TEST(TilePath, IsWrittenAsTheSpecificationSays) {
  EXPECT_EQ(TilePath({0, 0, 256}), "tile/0/000");
  EXPECT_EQ(TilePath({0, 1234067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(TilePath({1, 999, 17}), "tile/1/999.p/17");
  EXPECT_EQ(TilePath({2, 1000, 1}), "tile/2/x001/000.p/1");
  EXPECT_EQ(EntryBundlePath(273, 112), "tile/entries/273.p/112");
  EXPECT_EQ(EntryBundlePath(70000, 256), "tile/entries/x070/000");
  EXPECT_EQ(TilePath({0, UINT64_MAX, 255}), "tile/0/x018/x446/x744/x073/x709/x551/615.p/255");
}

TEST(TilePath, ReadsWhatItWrites) {
  for (uint64_t index : {0ull, 1ull, 999ull, 1000ull, 999'999ull, 1'000'000ull, ~0ull}) {
    for (uint32_t width : {1u, 9u, 255u, 256u}) {
      for (uint32_t level = 0; level <= kTileLevelMax; ++level) {
        const TilePathParts tile{false, {level, index, width}};
        EXPECT_EQ(ParseTilePath(TilePath(tile.tile)), tile);
      }
      const TilePathParts bundle{true, {0, index, width}};
      EXPECT_EQ(ParseTilePath(EntryBundlePath(index, width)), bundle);
    }
  }
}

TEST(TilePath, RefusesEveryOtherText) {
  for (const char* path : {
           "",
           "tile",
           "tile/",
           "tile/0",
           "tile/0/",
           "/tile/0/000",
           "tile/0/0",
           "tile/0/00",
           "tile/0/0000",
           "tile/00/000",
           "tile/8/000",
           "tile/-1/000",
           "tile/a/000",
           "tile/0/x00",
           "tile/0/x000",
           "tile/0/x000/000",
           "tile/0/x000/x000/001",
           "tile/0/001/000",
           "tile/0/x001/x000",
           "tile/0/X001/000",
           "tile/0/000/",
           "tile/0/000.p/",
           "tile/0/000.p/0",
           "tile/0/000.p/256",
           "tile/0/000.p/01",
           "tile/0/000.p/1/",
           "tile/0/000.p/1.p/1",
           "tile/0/000.p1",
           "tile/0/ 000",
           "tile/0/+00",
           "tile/0//000",
           "tile/0/x001//000",
           "tile/0/x018/x446/x744/x073/x709/x551/616",
           "tile/0/x999/x999/x999/x999/x999/x999/999",
           "tile/entries",
           "tile/entries/",
           "tile/entries/0/000",
           "tile/data/000",
           "tile/entries/x",
           "tile/0/x/",
           "tile/0/.p/1",
       }) {
    EXPECT_FALSE(ParseTilePath(path).has_value()) << path;
  }
  EXPECT_FALSE(ParseTilePath("tile/0/" + std::string(10'000, 'x')).has_value());
}

TEST(TileGeometry, IsTheSpecificationsExample) {
  // "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile
  // of width 112, one full level 1 tile, one partial level 1 tile of width 17, and one partial
  // level 2 tile of width 1"
  EXPECT_EQ(FullTiles(0, 70'000), 273u);
  EXPECT_EQ(PartialWidth(0, 70'000), 112u);
  EXPECT_EQ(FullTiles(1, 70'000), 1u);
  EXPECT_EQ(PartialWidth(1, 70'000), 17u);
  EXPECT_EQ(FullTiles(2, 70'000), 0u);
  EXPECT_EQ(PartialWidth(2, 70'000), 1u);
  EXPECT_EQ(TilesOf(70'000).size(), 273u + 1 + 1 + 1 + 1);
  // "a tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile of
  // width 1"
  EXPECT_EQ(TilesOf(256), (std::vector<TileId>{{0, 0, 256}, {1, 0, 1}}));
  EXPECT_TRUE(TilesOf(0).empty());
}

TEST(TileGeometry, HoldsAtTheLargestSizes) {
  EXPECT_EQ(FullTiles(0, UINT64_MAX), UINT64_MAX >> 8);
  EXPECT_EQ(FullTiles(6, UINT64_MAX), 255u);
  EXPECT_EQ(FullTiles(7, UINT64_MAX), 0u);
  EXPECT_EQ(FullTiles(1000, UINT64_MAX), 0u);
  EXPECT_EQ(PartialWidth(7, UINT64_MAX), 255u);
  EXPECT_EQ(PartialWidth(8, UINT64_MAX), 0u);
}

TEST(TileGeometry, NamesTheTilesThatFillWhileATreeGrows) {
  EXPECT_TRUE(TilesFilled(0, 255).empty());
  EXPECT_EQ(TilesFilled(255, 256), (std::vector<TileId>{{0, 0, 256}}));
  EXPECT_TRUE(TilesFilled(256, 511).empty());
  EXPECT_EQ(TilesFilled(65'535, 65'536), (std::vector<TileId>{{0, 255, 256}, {1, 0, 256}}));
  EXPECT_EQ(TilesFilled((1 << 24) - 1, 1 << 24),
            (std::vector<TileId>{{0, 65'535, 256}, {1, 255, 256}, {2, 0, 256}}));
  EXPECT_TRUE(TilesFilled(UINT64_MAX, UINT64_MAX).empty());
  // Any growth in steps fills each full tile exactly once.
  std::vector<TileId> filled;
  uint64_t size = 0;
  for (uint64_t next : kBorders) {
    for (const TileId& tile : TilesFilled(size, next)) filled.push_back(tile);
    size = next;
  }
  EXPECT_EQ(filled, TilesFilled(0, size));
  size_t full = 0;
  for (const TileId& tile : TilesOf(size)) full += tile.full() ? 1 : 0;
  EXPECT_EQ(filled.size(), full);
}

TEST(Tile, IsReadOnlyAtItsExactWidth) {
  std::vector<Digest> hashes;
  for (const auto& entry : textbook::MakeEntries(3)) hashes.push_back(DigestOf(entry));
  const Bytes bytes = EncodeTile(hashes);
  EXPECT_EQ(ParseTile(bytes, 3).value(), hashes);
  for (uint32_t width : {0u, 2u, 4u, 256u, 257u}) EXPECT_FALSE(ParseTile(bytes, width).ok());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ParseTile(BytesView(bytes).substr(0, length), 3).ok());
  }
  EXPECT_FALSE(ParseTile(bytes + "x", 3).ok());
}

TEST(EntryBundle, IsReadOnlyAtItsExactWidth) {
  const auto entries = textbook::MakeEntries(3);
  std::vector<Digest> digests;
  for (const auto& entry : entries) digests.push_back(DigestOf(entry));
  const Bytes bytes = EncodeEntryBundle(digests);
  EXPECT_EQ(bytes.substr(0, 2), Bytes("\x00\x20", 2));
  const auto read = ParseEntryBundle(bytes, 3);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, std::vector<BytesView>(entries.begin(), entries.end()));
  for (uint32_t width : {0u, 2u, 4u, 256u, 257u}) EXPECT_FALSE(ParseEntryBundle(bytes, width).ok());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ParseEntryBundle(BytesView(bytes).substr(0, length), 3).ok());
  }
  EXPECT_FALSE(ParseEntryBundle(bytes + "x", 3).ok());
}

TEST(Tile, HasThePerfectRootOfTheTextbook) {
  const auto entries = textbook::MakeEntries(256);
  std::vector<Digest> leaves;
  for (const auto& entry : entries) leaves.push_back(LeafHash(entry));
  for (size_t n = 1; n <= 256; n *= 2) {
    EXPECT_EQ(PerfectRoot(std::span(leaves).first(n)),
              textbook::Mth(textbook::Slice(entries, 0, n)));
  }
  EXPECT_DEATH(PerfectRoot(std::span(leaves).first(3)), "perfect");
}

// One tree that grows through all the borders, with the proofs from its tiles at each.
TEST(TileReader, GivesTheTextbooksProofsAtTheBorders) {
  const auto entries = textbook::MakeEntries(65'537);
  MemoryTiles tiles;
  uint64_t older = 0;
  for (uint64_t size : kBorders) {
    while (tiles.builder().size() < size) tiles.Append(DigestOf(entries[tiles.builder().size()]));
    const auto prefix = textbook::Slice(entries, 0, size);
    const TreeHead head{size, textbook::Mth(prefix)};
    ASSERT_EQ(tiles.builder().Root(), head.root) << size;
    const NodeReader nodes = NodesFromTiles(size, tiles.Reader());
    for (uint64_t index : std::set<uint64_t>{0, size / 2, 255 % size, 256 % size, size - 1}) {
      auto path = InclusionProof(index, size, nodes);
      ASSERT_TRUE(path.ok()) << path.error().message;
      ASSERT_EQ(*path, textbook::PathOf(index, prefix)) << index << " of " << size;
      EXPECT_TRUE(VerifyInclusion(index, LeafHash(entries[index]), *path, head).ok());
    }
    if (older != 0) {
      auto path = ConsistencyProof(older, size, nodes);
      ASSERT_TRUE(path.ok()) << path.error().message;
      EXPECT_EQ(*path, textbook::Consistency(older, prefix));
    }
    older = size;
  }
}

TEST(TileReader, GivesEveryProofOfATreeOf600) {
  const auto entries = textbook::MakeEntries(600);
  MemoryTiles tiles;
  MemoryTree tree;
  for (const auto& entry : entries) {
    tiles.Append(DigestOf(entry));
    tree.Append(DigestOf(entry));
  }
  const NodeReader nodes = NodesFromTiles(600, tiles.Reader());
  for (uint64_t index = 0; index < 600; ++index) {
    ASSERT_EQ(InclusionProof(index, 600, nodes).value(),
              InclusionProof(index, 600, tree.Nodes()).value());
    ASSERT_EQ(ConsistencyProof(index + 1, 600, nodes).value(),
              ConsistencyProof(index + 1, 600, tree.Nodes()).value());
  }
}

TEST(TileReader, RefusesNodesOutsideTheTreeAndBadTiles) {
  MemoryTiles tiles;
  for (const auto& entry : textbook::MakeEntries(300)) tiles.Append(DigestOf(entry));
  const NodeReader nodes = NodesFromTiles(300, tiles.Reader());
  EXPECT_TRUE(nodes({0, 299}).ok());
  EXPECT_EQ(nodes({0, 300}).error().reason, "OUT_OF_TREE");
  EXPECT_EQ(nodes({8, 1}).error().reason, "OUT_OF_TREE");
  EXPECT_EQ(nodes({9, 0}).error().reason, "OUT_OF_TREE");
  EXPECT_EQ(nodes({64, 0}).error().reason, "OUT_OF_TREE");
  const NodeReader bad =
      NodesFromTiles(300, [](const TileId&) -> Result<Bytes> { return Bytes(31, 'x'); });
  EXPECT_EQ(bad({0, 0}).error().reason, "TILE_MALFORMED");
  const NodeReader absent =
      NodesFromTiles(300, [](const TileId&) -> Result<Bytes> { return Internal("disk"); });
  EXPECT_EQ(absent({0, 0}).error().message, "disk");
}

TEST(TileBuilder, FillsTheTilesThatTheGeometryNames) {
  const auto entries = textbook::MakeEntries(65'600);
  TileBuilder builder;
  Frontier frontier;
  std::vector<TileId> filled;
  for (size_t i = 0; i < entries.size(); ++i) {
    builder.Append(DigestOf(entries[i]), [&](const TileId& tile, std::span<const Digest> hashes) {
      EXPECT_EQ(hashes.size(), kTileWidth);
      filled.push_back(tile);
    });
    frontier.Append(DigestOf(entries[i]));
    if (i > 600 && i < 65'530) continue;
    ASSERT_EQ(builder.Root(), frontier.Root()) << i + 1;
    for (uint32_t level = 0; level <= kTileLevelMax; ++level) {
      ASSERT_EQ(builder.Partial(level).size(), PartialWidth(level, i + 1));
    }
  }
  EXPECT_EQ(filled, TilesFilled(0, entries.size()));
}

TEST(TileBuilder, GoesOnFromItsPartialTiles) {
  MemoryTiles tiles;
  const auto entries = textbook::MakeEntries(600);
  const TileBuilder::OnFull ignore = [](const TileId&, std::span<const Digest>) {};
  for (const auto& entry : entries) {
    const auto& builder = tiles.builder();
    if (builder.size() % 37 == 0 || builder.size() % 256 < 2) {
      auto restored = TileBuilder::Restore(builder.size(), tiles.Reader());
      ASSERT_TRUE(restored.ok());
      ASSERT_EQ(restored->Root(), builder.Root());
      restored->Append(DigestOf(entry), ignore);
      tiles.Append(DigestOf(entry));
      ASSERT_EQ(restored->Root(), builder.Root());
      ASSERT_EQ(restored->PartialTiles(), builder.PartialTiles());
    } else {
      tiles.Append(DigestOf(entry));
    }
  }
  const auto fails = [](const TileId&) -> Result<Bytes> { return Internal("disk"); };
  EXPECT_EQ(TileBuilder::Restore(5, fails).error().message, "disk");
  EXPECT_TRUE(TileBuilder::Restore(0, fails).ok());
}

}  // namespace
}  // namespace schakel::merkle
