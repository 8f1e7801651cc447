// What parsing and compiling refuse, each shown by one change to a bundle that passes.
#include "policy/engine/bundle.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;

std::vector<Error> ProblemsOf(const BundleFiles& files) {
  std::vector<Error> problems;
  const auto bundle = ParseBundle(files, &problems);
  EXPECT_EQ(bundle.has_value(), problems.empty());
  if (bundle) {
    const auto compiled = Compile(*bundle, &problems);
    EXPECT_EQ(compiled != nullptr, problems.empty());
  }
  return problems;
}

// Expects a problem with this text at the place of `where` in the file.
void ExpectProblem(const BundleFiles& files, const std::string& file, const std::string& where,
                   const std::string& message) {
  EXPECT_THAT(ProblemsOf(files), Contains(AllOf(Field(&Error::field, PlaceOf(files, file, where)),
                                                Field(&Error::message, HasSubstr(message)))))
      << message;
}

TEST(Bundle, CompilesTheSmallOne) {
  EXPECT_TRUE(ProblemsOf(SmallFiles()).empty());
  const auto bundle = MustCompile(SmallFiles());
  EXPECT_EQ(bundle->name(), "small");
  EXPECT_EQ(bundle->region(), "small.example");
  EXPECT_EQ(bundle->FunctionsOf(Oin(2)), (std::vector<FunctionAtArea>{{"helper", "town"}}));
  EXPECT_TRUE(bundle->LiveEpochs().empty());
  EXPECT_EQ(bundle->SchemaId("question", "money"), "any");
  EXPECT_EQ(bundle->SchemaId("question", "gossip"), "");
  EXPECT_EQ(bundle->FindSignalType("gossip"), nullptr);
}

TEST(Bundle, IsRefusedWithoutControllersProcessorOrDpia) {
  for (const auto& [line, key] : std::vector<std::pair<std::string, std::string>>{
           {"controllers: [{name: Controller}]\n", "controllers"},
           {"processor: {name: Processor}\n", "processor"},
           {"dpia: DPIA-1\n", "dpia"}}) {
    const auto result = CompileFiles(Changed(SmallFiles(), "bundle.yaml", line, ""));
    ASSERT_FALSE(result.ok()) << key;
    EXPECT_EQ(result.error().reason, "BUNDLE_INVALID");
    EXPECT_THAT(result.error().message, HasSubstr("missing key '" + key + "'"));
  }
}

TEST(Bundle, IsRefusedWithAFileMissingOrStrange) {
  for (const auto& [path, text] : SmallFiles()) {
    if (path.starts_with("schemas/")) continue;
    BundleFiles files = SmallFiles();
    files.erase(path);
    EXPECT_THAT(ProblemsOf(files), Contains(AllOf(Field(&Error::field, path + ":1"),
                                                  Field(&Error::message, HasSubstr("missing")))));
  }
  for (const char* path : {"README.md", "schemas/a.txt", "schemas/.json", "schemas/../x.json",
                           "schemas/sub/x.json", "scenarios/../x", "/bundle.yaml", ""}) {
    BundleFiles files = SmallFiles();
    files[path] = "";
    EXPECT_FALSE(ProblemsOf(files).empty()) << path;
  }
  BundleFiles files = SmallFiles();
  files["scenarios/S01.yaml"] = "anything";
  EXPECT_TRUE(ProblemsOf(files).empty());
  files["scenarios/big"] = Bytes(4 << 20, 'x');
  EXPECT_FALSE(ProblemsOf(files).empty());
}

TEST(Bundle, IsRefusedWithUnknownCodesAtTheirLine) {
  const BundleFiles small = SmallFiles();
  struct Case {
    const char *file, *from, *to, *where, *message;
  };
  const Case cases[] = {
      {"rules.yaml", "sectors: [red]}\n    to", "sectors: [green]}\n    to", "- id: red-helps",
       "unknown sector 'green'"},
      {"rules.yaml", "functions: [helper]", "functions: [doctor]", "- id: red-helps",
       "unknown function 'doctor'"},
      {"rules.yaml", "[question]", "[answer]", "- id: red-helps", "unknown signal type 'answer'"},
      {"rules.yaml", "[question]", "[question]\n    purposes: [harm]", "- id: red-helps",
       "unknown purpose 'harm'"},
      {"rules.yaml", "[question]", "[question]\n    grounds: [whim]", "- id: red-helps",
       "unknown ground 'whim'"},
      {"rules.yaml", "[question]", "[question]\n    categories: [gossip]", "- id: red-helps",
       "unknown category 'gossip'"},
      {"grounds.yaml", "sectors: [red]", "sectors: [green]",
       "emergency:", "unknown sector 'green'"},
      {"grounds.yaml", "purposes: [help]", "purposes: [harm]",
       "emergency:", "unknown purpose 'harm'"},
      {"grounds.yaml", "[urgent-need]", "[whim]", "emergency:", "unknown condition 'whim'"},
      {"grounds.yaml", "money: {article_6: d}", "gossip: {article_6: d}",
       "gossip:", "unknown category 'gossip'"},
      {"signal-types.yaml", "link: signal", "link: chain", "question:", "unknown link 'chain'"},
      {"signal-types.yaml", "purposes: [help]", "purposes: [harm]",
       "question:", "unknown purpose 'harm'"},
      {"signal-types.yaml", "bsn: any", "gossip: any", "categories:", "unknown category 'gossip'"},
      {"functions.yaml", "helper@town", "doctor@town", "doctor@town", "unknown function 'doctor'"},
      {"functions.yaml", "helper@town", "helper@moon", "helper@moon", "unknown area 'moon'"},
      {"bundle.yaml", "parent: town", "parent: moon", "quarter:", "unknown parent area 'moon'"},
      {"bundle.yaml", "[blue]", "[green]", "name: small", "unknown sector 'green'"},
  };
  for (const Case& c : cases) {
    ExpectProblem(Changed(small, c.file, c.from, c.to), c.file, c.where, c.message);
  }
}

TEST(Bundle, IsRefusedWithWhatContradictsItself) {
  const BundleFiles small = SmallFiles();
  ExpectProblem(Changed(small, "bundle.yaml", "level: municipality, parent: region",
                        "level: municipality, parent: village"),
                "bundle.yaml", "town:", "to lie in an area of a higher level");
  ExpectProblem(Changed(small, "bundle.yaml", "level: region", "level: region, parent: town"),
                "bundle.yaml", "region: {nl", "expected a region to have no parent");
  ExpectProblem(Changed(small, "bundle.yaml", "default: 365d, ", ""), "bundle.yaml", "name: small",
                "missing 'default'");
  ExpectProblem(
      Changed(small, "grounds.yaml", "kind: consent", "kind: consent\n    objection: review"),
      "grounds.yaml", "consent:", "expected an objection to block");
  ExpectProblem(Changed(small, "grounds.yaml", "money: {article_6: d}", "money: {article_6: z}"),
                "grounds.yaml", "money: {article_6: z}", "a letter from a to f");
  ExpectProblem(Changed(small, "signal-types.yaml", "expires_min: 1h", "expires_min: 40d"),
                "signal-types.yaml", "question:", "expires_min <= expires_default <= expires_max");
  ExpectProblem(Changed(small, "signal-types.yaml", "stalled_after: 5d", "stalled_after: 30d"),
                "signal-types.yaml", "question:", "stalled_after < expires_max");
  ExpectProblem(Changed(small, "signal-types.yaml", "money: any", "money: none"),
                "signal-types.yaml", "categories:", "expected a file schemas/none.json");
  ExpectProblem(Added(small, "rules.yaml", "  - {id: red-helps, effect: permit}\n"), "rules.yaml",
                "- {id: red-helps", "rule 'red-helps' stands here twice");
  ExpectProblem(
      Added(small, "rules.yaml", "  - {id: no, effect: forbid, obligations: {retention: 1d}}\n"),
      "rules.yaml", "- {id: no", "no obligations in a forbid");
}

TEST(Bundle, PinsKeyDocumentsPerEpoch) {
  const std::string digest(64, 'a');
  const auto bundle =
      MustCompile(Added(SmallFiles(), "bundle.yaml",
                        "key_documents: [{epoch: 2, digest: " + digest +
                            "}, {epoch: 1, digest: " + std::string(64, '0') + "}]\n"));
  EXPECT_EQ(bundle->LiveEpochs(), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(HexEncode(bundle->KeyDocument(2)->view()), digest);
  EXPECT_EQ(bundle->KeyDocument(3), std::nullopt);
  EXPECT_FALSE(ProblemsOf(Added(SmallFiles(), "bundle.yaml",
                                "key_documents: [{epoch: 1, digest: " + digest +
                                    "}, {epoch: 1, digest: " + digest + "}]\n"))
                   .empty());
}

TEST(Bundle, ResolvesAFunctionWrittenWithTheAreasName) {
  EXPECT_EQ(FunctionAtArea::Parse("debt-relief@Dordrecht")->str(), "debt-relief@dordrecht");
  EXPECT_EQ(FunctionAtArea::Parse("a@Nieuw Krispijn")->str(), "a@nieuw-krispijn");
  for (const char* bad : {"", "@", "a@", "@a", "a", "a@b@c"}) {
    EXPECT_EQ(FunctionAtArea::Parse(bad), std::nullopt) << bad;
  }
}

// Any change of the reference bundle either compiles or is refused with a place: it never crashes.
TEST(Bundle, SurvivesRandomMutations) {
  const uint32_t seed = 7;
  std::mt19937 random(seed);
  const BundleFiles original = ReferenceFiles();
  std::vector<std::string> paths;
  for (const auto& [path, text] : original) paths.push_back(path);
  int refused = 0;
  for (int run = 0; run < 100; ++run) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " run " << run);
    BundleFiles files = original;
    Bytes& text = files[paths[random() % paths.size()]];
    for (int k = 0; k < 2; ++k) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 40);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
      }
    }
    for (const Error& problem : ProblemsOf(files)) {
      ASSERT_FALSE(problem.field.empty()) << problem.message;
      ASSERT_FALSE(problem.message.empty());
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace schakel::policy
