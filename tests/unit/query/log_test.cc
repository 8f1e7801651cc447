#include "broker/query/log.h"

#include "broker/merkle/proof.h"
#include "broker/merkle/tile.h"
#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

class LogTest : public QueryTest {
 protected:
  // A log of `size` entries; heads_ has the head of every size on the way.
  void Grow(uint64_t size) {
    while (f.machine().meta().tree_size() < size) {
      f.Do(machine::AcceptTime{});
      heads_[f.machine().meta().tree_size()] = f.machine().TreeHead();
    }
  }
  static merkle::Path PathOf(const google::protobuf::RepeatedPtrField<Bytes>& hashes) {
    auto path = merkle::PathFrom(hashes);
    EXPECT_TRUE(path.ok());
    return path.ok() ? *path : merkle::Path{};
  }
  Result<v1::GetTileResponse> Tile(uint32_t level, uint64_t index, uint32_t width,
                                   bool entries = false) {
    v1::GetTileRequest request;
    request.set_level(level);
    request.set_index(index);
    request.set_width(width);
    request.set_entries(entries);
    return GetTile(state(), request);
  }
  std::map<uint64_t, merkle::TreeHead> heads_;
};

TEST_F(LogTest, SaysSoWhileNoCheckpointWasSigned) {
  auto early = GetCheckpoint(state());
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(early.error().reason, "NOT_SERVING");
  EXPECT_GT(early.error().retry_after_ms, 0);
}

TEST_F(LogTest, ShowsTheLastCheckpointAsItWasSigned) {
  auto head = SignHead();
  f.Do(machine::AcceptTime{});
  auto response = GetCheckpoint(state());
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->log_key(), f.machine().meta().log_key());
  auto opened = merkle::OpenCheckpoint(response->checkpoint(), Vkey());
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->head, head);
}

TEST_F(LogTest, ProvesEveryEntryOfEverySizeUpToTheCheckpoint) {
  Grow(300);
  auto head = SignHead();
  Grow(310);  // not signed yet
  for (uint64_t size : {uint64_t{0}, uint64_t{100}, uint64_t{256}, uint64_t{257}}) {
    const merkle::TreeHead& of = size == 0 ? head : heads_.at(size);
    for (uint64_t index = 0; index < of.size; index += 7) {
      v1::GetInclusionProofRequest request;
      request.set_index(index);
      request.set_tree_size(size);
      auto proof = GetInclusionProof(state(), request);
      ASSERT_TRUE(proof.ok());
      EXPECT_EQ(proof->tree_size(), of.size);
      EXPECT_EQ(proof->checkpoint().empty(), size != 0);
      auto leaf = merkle::LeafHash(*Digest::From(proof->entry()));
      EXPECT_TRUE(merkle::VerifyInclusion(index, leaf, PathOf(proof->path()), of).ok()) << index;
    }
  }
  v1::GetInclusionProofRequest beyond;
  beyond.set_index(300);
  EXPECT_EQ(GetInclusionProof(state(), beyond).error().field, "index");
  beyond.set_tree_size(305);
  EXPECT_EQ(GetInclusionProof(state(), beyond).error().field, "tree_size");
}

TEST_F(LogTest, ProvesThatEachTreeContinuesTheEarlierOnes) {
  Grow(300);
  heads_[300] = SignHead();
  Grow(310);
  for (uint64_t first : {uint64_t{100}, uint64_t{128}, uint64_t{255}, uint64_t{300}}) {
    for (uint64_t second : {uint64_t{0}, uint64_t{256}, uint64_t{299}, uint64_t{300}}) {
      const uint64_t size = second == 0 ? 300 : second;
      v1::GetConsistencyProofRequest request;
      request.set_first_size(first);
      request.set_second_size(second);
      auto proof = GetConsistencyProof(state(), request);
      if (first > size) {
        EXPECT_EQ(proof.error().field, "first_size");
        continue;
      }
      ASSERT_TRUE(proof.ok());
      EXPECT_EQ(proof->second_size(), size);
      EXPECT_EQ(proof->checkpoint().empty(), size != 300);
      EXPECT_TRUE(
          merkle::VerifyConsistency(heads_.at(first), heads_.at(size), PathOf(proof->path())).ok());
    }
  }
  v1::GetConsistencyProofRequest wrong;
  EXPECT_EQ(GetConsistencyProof(state(), wrong).error().field, "first_size");
  wrong.set_first_size(1);
  wrong.set_second_size(301);
  EXPECT_EQ(GetConsistencyProof(state(), wrong).error().field, "second_size");
}

TEST_F(LogTest, GivesTilesThatMakeTheSameRoot) {
  Grow(300);
  auto head = SignHead();
  Grow(600);  // more full tiles, which no checkpoint covers
  merkle::Frontier frontier;
  std::vector<Digest> leaves;
  const std::pair<uint64_t, uint32_t> ranges[] = {{0, 0}, {1, 44}};
  for (auto [index, width] : ranges) {
    const uint32_t count = width == 0 ? merkle::kTileWidth : width;
    auto bundle = Tile(0, index, width, true);
    auto hashes = Tile(0, index, width);
    ASSERT_TRUE(bundle.ok());
    ASSERT_TRUE(hashes.ok());
    auto entries = merkle::ParseEntryBundle(bundle->tile(), count);
    ASSERT_TRUE(entries.ok());
    std::vector<Digest> of_tile;
    for (auto entry : *entries) {
      of_tile.push_back(merkle::LeafHash(*Digest::From(entry)));
      frontier.AppendLeaf(of_tile.back());
    }
    EXPECT_EQ(hashes->tile(), merkle::EncodeTile(of_tile));
    if (width == 0) leaves = of_tile;
  }
  EXPECT_EQ(frontier.Head(), head);
  auto above = Tile(1, 0, 1);
  ASSERT_TRUE(above.ok());
  EXPECT_EQ(above->tile(), merkle::PerfectRoot(leaves).str());
}

TEST_F(LogTest, GivesNoTileBeyondTheCheckpoint) {
  Grow(300);
  SignHead();
  Grow(600);
  EXPECT_TRUE(Tile(0, 1, 10).ok());  // of an earlier, smaller tree
  EXPECT_TRUE(Tile(0, 0, 10).ok());
  for (bool entries : {false, true}) {
    EXPECT_EQ(Tile(0, 1, 45, entries).error().reason, "NOT_FOUND");
    EXPECT_EQ(Tile(0, 1, 0, entries).error().reason, "NOT_FOUND");
    EXPECT_EQ(Tile(0, 2, 1, entries).error().reason, "NOT_FOUND");
    EXPECT_EQ(Tile(0, UINT64_MAX, 1, entries).error().reason, "NOT_FOUND");
    EXPECT_EQ(Tile(0, 0, 256, entries).error().field, "width");
  }
  EXPECT_EQ(Tile(1, 0, 2).error().reason, "NOT_FOUND");
  EXPECT_EQ(Tile(7, 0, 1).error().reason, "NOT_FOUND");
  EXPECT_EQ(Tile(8, 0, 1).error().field, "level");
  EXPECT_EQ(Tile(1, 0, 1, true).error().field, "level");
}

}  // namespace
}  // namespace schakel::query
