// Direction of includes and style, on the whole tree; and that each rule does see what it is for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/paths.h"
#include "tests/tidy/habits.h"
#include "tests/tidy/layers.h"

namespace schakel::tidy {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

const std::string kTop = checkout::SourcePath("");

const std::vector<SourceFile>& Tree() {
  static const auto* const tree = new std::vector<SourceFile>(ReadSourceTree(kTop));
  return *tree;
}

template <typename Rule>
void ExpectNothing(Rule rule) {
  for (const SourceFile& file : Tree()) {
    for (const Finding& finding : rule(file)) ADD_FAILURE() << finding;
  }
}

TEST(SourceTree, HoldsTheProjectAndNotWhatOthersWrote) {
  std::vector<std::string> paths;
  for (const SourceFile& file : Tree()) {
    EXPECT_FALSE(file.text.empty()) << file.path;
    EXPECT_FALSE(file.Under("proto/google")) << file.path;
    paths.push_back(file.path);
  }
  EXPECT_GT(paths.size(), 300u);
  for (const char* path : {"README.md", "broker/base/result.h", "broker/broker_main.cc",
                           "clients/cli/main.cc", "proto/schakel/v1/signal.proto", "tests/run"}) {
    EXPECT_THAT(paths, testing::Contains(path));
  }
}

TEST(SourceTree, IncludesInTheDirectionOfTheTable) { ExpectNothing(CheckLayers); }
TEST(SourceTree, KeepsEachLibraryInItsPlace) { ExpectNothing(CheckLibraries); }
TEST(SourceTree, HoldsNoBannedWord) { ExpectNothing(CheckWords); }
TEST(SourceTree, BeginsEachHeaderWithPragmaOnce) { ExpectNothing(CheckHeader); }
TEST(SourceTree, HasReasonsForLongFiles) { ExpectNothing(CheckLength); }
TEST(SourceTree, ListsNoLongFileThatIsGoneOrShort) { EXPECT_THAT(CheckLengthList(Tree()), IsEmpty()); }
TEST(SourceTree, SaysInEachCheckWhichRuleWasBroken) { ExpectNothing(CheckChecks); }
TEST(SourceTree, HasPagesWhoseLinksLeadSomewhere) {
  ExpectNothing([](const SourceFile& file) { return CheckLinks(file, kTop); });
}

TEST(SourceTree, NamesOnlyInvariantsThatThePageLists) {
  std::string architecture;
  for (const SourceFile& file : Tree()) {
    if (file.path == "ARCHITECTURE.md") architecture = file.text;
  }
  for (int i = 1; i <= 10; ++i) {
    EXPECT_NE(architecture.find("**I" + std::to_string(i) + " "), std::string::npos) << i;
  }
  ExpectNothing([&](const SourceFile& file) { return CheckInvariants(file, architecture); });
}

// ---- That each rule does see what it is for ----

SourceFile File(const std::string& path, const std::string& text) { return {path, text}; }

TEST(Layers, StandLowestFirstSoThatThereIsNoCycle) {
  std::set<std::string_view> seen;
  for (const Layer& layer : Layers()) {
    for (const auto below : layer.may_include) {
      EXPECT_TRUE(seen.contains(below)) << layer.folder << " stands before " << below;
    }
    EXPECT_TRUE(seen.insert(layer.folder).second) << layer.folder;
  }
}

TEST(Layers, KeepTheCoreAwayFromTheNetworkAndFromTheClients) {
  const auto closure = Closure();
  for (const auto above : {"broker/transport", "broker/sequencer", "broker/rpc", "clients/sdk"}) {
    EXPECT_FALSE(closure.at("broker/machine").contains(above)) << above;
    EXPECT_FALSE(closure.at("policy/engine").contains(above)) << above;
  }
  EXPECT_FALSE(closure.at("policy/engine").contains("broker/store"));
  EXPECT_FALSE(closure.at("clients/sdk").contains("broker/machine"));
  EXPECT_FALSE(closure.at("broker/rpc").contains("broker/custodian"));
  EXPECT_FALSE(closure.at("broker/rpc").contains("broker/store/testing"));
}

TEST(Layers, AreFoundByTheLongestFolder) {
  EXPECT_EQ(LayerOf("broker/store/testing/fault_disk.h"), "broker/store/testing");
  EXPECT_EQ(LayerOf("broker/store/store.h"), "broker/store");
  EXPECT_EQ(LayerOf("broker/broker_main.cc"), "broker");
  EXPECT_EQ(LayerOf("broker/unheard_of/x.cc"), "");
  EXPECT_EQ(LayerOf("policy/engine/decide.cc"), "policy/engine");
}

TEST(Layers, RefuseAnArrowThatPointsUp) {
  const auto up = CheckLayers(File("broker/machine/x.cc", "\n#include \"broker/rpc/parts.h\"\n"));
  ASSERT_THAT(up, SizeIs(1));
  EXPECT_EQ(up[0].line, 2u);
  EXPECT_THAT(up[0].message, testing::HasSubstr("broker/machine may not include broker/rpc"));
  EXPECT_THAT(CheckLayers(File("broker/base/x.h", "#include \"schakel/v1/signal.pb.h\"\n")),
              SizeIs(1));
  EXPECT_THAT(CheckLayers(File("clients/sdk/x.h", "  #include \"clients/cli/verb.h\"\n")),
              SizeIs(1));
  EXPECT_THAT(CheckLayers(File("broker/rpc/x.cc", "#include \"broker/store/testing/a.h\"\n")),
              SizeIs(1));
  EXPECT_THAT(CheckLayers(File("broker/rpc/x.cc", "#include \"tests/support/temp_dir.h\"\n")),
              SizeIs(1));
  EXPECT_THAT(CheckLayers(File("broker/rpc/x.cc", "#include \"broker/unheard_of/a.h\"\n")),
              SizeIs(1));
  EXPECT_THAT(CheckLayers(File("broker/unheard_of/x.cc", "")), SizeIs(1));
}

TEST(Layers, AllowWhatPointsDownAlsoInTurn) {
  EXPECT_THAT(CheckLayers(File("broker/rpc/x.cc",
                               "#include \"broker/merkle/tree.h\"\n"
                               "#include \"schakel/v1/signal.pb.h\"\n"
                               "#include <vector>\n"
                               "#include \"prometheus/registry.h\"\n")),
              IsEmpty());
  EXPECT_THAT(CheckLayers(File("tests/unit/x.cc", "#include \"clients/sdk/opener.h\"\n")),
              IsEmpty());
}

TEST(Libraries, AreSeenByIncludeAndByName) {
  EXPECT_THAT(CheckLibraries(File("broker/machine/x.h", "#include <grpcpp/grpcpp.h>\n")),
              SizeIs(1));
  EXPECT_THAT(CheckLibraries(File("broker/query/x.h", "#include \"schakel/v1/a.grpc.pb.h\"\n")),
              SizeIs(1));
  EXPECT_THAT(CheckLibraries(File("broker/delivery/requests.cc", "grpc::Status s;\n")), SizeIs(1));
  EXPECT_THAT(CheckLibraries(File("tests/unit/x.cc", "#include <rocksdb/db.h>\n")), SizeIs(1));
  EXPECT_THAT(CheckLibraries(File("clients/sdk/x.cc", "#include <openssl/evp.h>\n")), SizeIs(1));
  EXPECT_THAT(CheckLibraries(File("broker/merkle/x.cc", "#include <sodium.h>\n")), SizeIs(1));
  EXPECT_THAT(CheckLibraries(File("broker/machine/x.cc", "// as grpc::Status does\n")), IsEmpty());
  EXPECT_THAT(CheckLibraries(File("broker/delivery/pull_stream.cc", "#include <grpcpp/a.h>\n")),
              IsEmpty());
  EXPECT_THAT(CheckLibraries(File("broker/store/x.cc", "rocksdb::DB* db;\n")), IsEmpty());
}

TEST(Words, AreSeenWhereTheyAreBanned) {
  const auto count = [](const std::string& path, const std::string& text) {
    return CheckWords(File(path, text)).size();
  };
  EXPECT_EQ(count("proto/x.proto", std::string("// TO") + "DO: later\n"), 1u);
  EXPECT_EQ(count("deploy/x", std::string("# FIX") + "ME\n"), 1u);
  EXPECT_EQ(count("broker/x/x.cc", std::string("log(request.Debug") + "String());\n"), 1u);
  EXPECT_EQ(count("broker/x/x.cc", std::string("request.ShortDebug") + "String()\n"), 1u);
  EXPECT_EQ(count("clients/sdk/x.cc", std::string("std::random") + "_device d;\n"), 1u);
  EXPECT_EQ(count("clients/sdk/x.cc", std::string("std::mt") + "19937_64 r;\n"), 1u);
  EXPECT_EQ(count("broker/x/x.cc", std::string("#include ") + "<regex>\n"), 1u);
  EXPECT_EQ(count("tests/x.cc", std::string("GTEST") + "_SKIP();\n"), 1u);
  EXPECT_EQ(count("tests/x.cc", std::string("TEST(A, DISABLED") + "_B)\n"), 1u);
}

TEST(Words, AreLeftAloneWhereTheyMeanSomethingElse) {
  EXPECT_THAT(CheckWords(File("broker/x/x.cc", "mkdtemp(\"schakel-XXXXXX\"); std::random_x();\n")),
              IsEmpty());
  EXPECT_THAT(CheckWords(File("tests/x.cc", std::string("std::mt") + "19937 random(seed);\n")),
              IsEmpty());
}

TEST(Headers, NeedPragmaOnceBeforeAnythingElse) {
  EXPECT_THAT(CheckHeader(File("broker/x/x.h", "// What it is.\n#pragma once\n")), IsEmpty());
  EXPECT_THAT(CheckHeader(File("broker/x/x.h", "#include <map>\n#pragma once\n")), SizeIs(1));
  EXPECT_THAT(CheckHeader(File("broker/x/x.h", "")), SizeIs(1));
  EXPECT_THAT(CheckHeader(File("broker/x/x.cc", "#include <map>\n")), IsEmpty());
}

TEST(Length, IsCountedInLinesOfCode) {
  EXPECT_THAT(CheckLength(File("broker/x/x.cc", std::string(401, '\n'))), SizeIs(1));
  EXPECT_THAT(CheckLength(File("broker/x/x.cc", std::string(400, '\n'))), IsEmpty());
  EXPECT_THAT(CheckLength(File("proto/x.md", std::string(401, '\n'))), IsEmpty());
  EXPECT_THAT(CheckLengthList({}), testing::Not(IsEmpty()));
}

TEST(Checks, SayWhichRuleWasBroken) {
  const auto count = [](const std::string& rest) {
    return CheckChecks(File("broker/x/x.cc", std::string("SCHAKEL_") + "CHECK" + rest)).size();
  };
  EXPECT_EQ(count("(a(b, c) && d, \"I7: an item is settled once\");"), 0u);
  EXPECT_EQ(count("(a,\n    \"a tile has 1 to 256 hashes\");"), 0u);
  EXPECT_EQ(count("(a == \",)\", \"a rule in words\");"), 0u);
  EXPECT_EQ(count("(a(b, \"a rule in words\"));"), 1u);
  EXPECT_EQ(count("(a, \"\");"), 1u);
  EXPECT_EQ(count("(a, \"impossible\");"), 1u);
  EXPECT_EQ(count("(a);"), 1u);
}

TEST(Invariants, AreThoseOfThePage) {
  const SourceFile file = File("broker/x/x.cc", std::string("// INVARIANT") + " I4: as said\n");
  EXPECT_THAT(CheckInvariants(file, "- **I4 Decided.**"), IsEmpty());
  EXPECT_THAT(CheckInvariants(file, "- **I41 Decided.**"), SizeIs(1));
}

TEST(Links, LeadSomewhere) {
  EXPECT_THAT(CheckLinks(File("README.md", "[a](proto/ENVELOPE.md#log) [b](https://x.nl)"), kTop),
              IsEmpty());
  EXPECT_THAT(CheckLinks(File("proto/x.md", "[a](proto/ENVELOPE.md)"), kTop), SizeIs(1));
}

}  // namespace
}  // namespace schakel::tidy
