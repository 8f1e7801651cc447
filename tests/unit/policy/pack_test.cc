#include "policy/engine/pack.h"

#include <gmock/gmock.h>

#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

Digest Filled(uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

TEST(Pack, LeavesOutWhatIsNoPartOfABundle) {
  BundleFiles folder = SmallFiles();
  folder["README.md"] = "read me";
  folder["rules.yaml~"] = "old";
  folder["schemas/.any.json.swp"] = "x";
  const auto files = SelectFiles(folder);
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(*files, SmallFiles());
}

TEST(Pack, RefusesAFolderThatIsNoBundleOrTooLarge) {
  EXPECT_FALSE(SelectFiles({{"README.md", "x"}}).ok());
  BundleFiles folder = SmallFiles();
  folder["scenarios/big"] = Bytes(4 << 20, 'x');
  EXPECT_FALSE(SelectFiles(folder).ok());
}

TEST(Pack, SetsTheKeyDocumentsOfTheLiveEpochs) {
  const auto set = SetKeyDocuments(SmallFiles(), {{1, Filled(0xab)}, {2, Filled(0xcd)}});
  ASSERT_TRUE(set.ok());
  const auto bundle = MustCompile(*set);
  EXPECT_EQ(bundle->LiveEpochs(), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(bundle->KeyDocument(1), Filled(0xab));
  EXPECT_EQ(bundle->KeyDocument(2), Filled(0xcd));
}

TEST(Pack, ReplacesWhatStoodThereAndKeepsEveryOtherByte) {
  const Bytes plain = SmallFiles().at("bundle.yaml");
  for (const std::string& old :
       {std::string("key_documents: [{epoch: 7, digest: " + std::string(64, '0') + "}]\n"),
        std::string("key_documents:\n  - epoch: 7\n    digest: " + std::string(64, '0') + "\n"),
        std::string("key_documents:\n- {epoch: 7, digest: " + std::string(64, '0') + "}\n"),
        std::string("key_documents:\n  7: " + std::string(64, '0') + "\n")}) {
    BundleFiles files = SmallFiles();
    files["bundle.yaml"] = old + plain;
    auto set = SetKeyDocuments(files, {{1, Filled(1)}});
    ASSERT_TRUE(set.ok()) << old;
    EXPECT_TRUE(set->at("bundle.yaml").starts_with(plain)) << old;
    EXPECT_EQ(MustCompile(*set)->LiveEpochs(), (std::vector<uint32_t>{1}));
    // Setting them again changes nothing, setting none takes them away.
    EXPECT_EQ(*SetKeyDocuments(*set, {{1, Filled(1)}}), *set);
    EXPECT_EQ(SetKeyDocuments(*set, {})->at("bundle.yaml"), plain);
  }
}

TEST(Pack, RefusesAManifestThatIsMissingOrBroken) {
  EXPECT_FALSE(SetKeyDocuments({}, {{1, Filled(1)}}).ok());
  EXPECT_FALSE(SetKeyDocuments({{"bundle.yaml", "{name: x}"}}, {{1, Filled(1)}}).ok());
}

}  // namespace
}  // namespace schakel::policy
