#include "broker/merkle/batch_tree.h"

#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "tests/unit/merkle/support.h"
#include "tests/unit/merkle/textbook.h"

namespace schakel::merkle {
namespace {

std::vector<Digest> Digests(textbook::List entries) {
  std::vector<Digest> digests;
  for (const auto& entry : entries) digests.push_back(DigestOf(entry));
  return digests;
}

TEST(BatchTree, ReproducesTheWorkedExample) {
  const auto vectors = ReadVectors("schakel/formats-1.json");
  std::vector<Digest> entries;
  for (const auto& envelope : vectors["envelopes"]) {
    entries.push_back(DigestOf(FromHex(envelope["envelope_digest"])));
  }
  auto tree = BatchTree::Build(entries);
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(tree->size(), vectors["batch"]["n"].get<uint32_t>());
  EXPECT_EQ(HexEncode(tree->root().view()), vectors["batch"]["root"]);
  for (const auto& envelope : vectors["envelopes"]) {
    const auto index = envelope["batch_index"].get<uint32_t>();
    Path path;
    for (const auto& hash : envelope["batch_path"]) path.push_back(DigestOf(FromHex(hash)));
    EXPECT_EQ(tree->PathOf(index), path);
    EXPECT_EQ(BatchRoot(entries[index], index, 3, path).value(), tree->root());
  }
}

TEST(BatchTree, IsTheTextbooksTreeAtEverySize) {
  const auto all = textbook::MakeEntries(limits::kBatchEnvelopesMax);
  for (uint32_t n = 1; n <= all.size(); ++n) {
    const auto entries = textbook::Slice(all, 0, n);
    const auto digests = Digests(entries);
    auto tree = BatchTree::Build(digests);
    ASSERT_TRUE(tree.ok());
    ASSERT_EQ(tree->root(), textbook::Mth(entries));
    for (uint32_t index = 0; index < n; ++index) {
      const Path path = tree->PathOf(index);
      ASSERT_EQ(path, textbook::PathOf(index, entries));
      ASSERT_LE(path.size(), 6u);
      ASSERT_EQ(BatchRoot(digests[index], index, n, path).value(), tree->root());
    }
  }
}

TEST(BatchTree, RefusesNoneAndTooMany) {
  EXPECT_EQ(BatchTree::Build({}).error().reason, "BATCH_SIZE");
  EXPECT_EQ(BatchTree::Build(Digests(textbook::MakeEntries(65))).error().reason, "BATCH_SIZE");
}

TEST(BatchRoot, RefusesPlacesOutsideTheBatch) {
  const Digest entry = crypto::Sha256("envelope");
  EXPECT_TRUE(BatchRoot(entry, 0, 1, {}).ok());
  EXPECT_EQ(BatchRoot(entry, 0, 0, {}).error().reason, "BATCH_SIZE");
  EXPECT_EQ(BatchRoot(entry, 0, 65, Path(7)).error().reason, "BATCH_SIZE");
  EXPECT_EQ(BatchRoot(entry, 1, 1, {}).error().reason, "PROOF_INVALID");
  EXPECT_EQ(BatchRoot(entry, 0, 1, Path(1)).error().reason, "PROOF_INVALID");
  EXPECT_EQ(BatchRoot(entry, 0, 2, {}).error().reason, "PROOF_INVALID");
}

}  // namespace
}  // namespace schakel::merkle
