// A folder written with tile.h and checkpoint.h, judged by tests/tlog/check_tlog_tiles.py, which
// shares no code with them.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "broker/merkle/checkpoint.h"
#include "broker/merkle/tile.h"
#include "tests/support/paths.h"
#include "tests/unit/merkle/support.h"
#include "tests/unit/merkle/textbook.h"

namespace schakel::merkle {
namespace {

constexpr char kOrigin[] = "zhz.example/schakel/1";

struct Verdict {
  int exit_code = -1;
  std::string text;
};

// A folder that goes with the test.
class TlogFolder : public testing::Test {
 protected:
  TlogFolder() : signer_(TestKey('t')) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tlog_XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  ~TlogFolder() override { std::filesystem::remove_all(folder_); }

  void Put(const std::string& name, BytesView bytes) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  Bytes Get(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    EXPECT_TRUE(in.good()) << name;
    return Bytes(std::istreambuf_iterator<char>(in), {});
  }
  // Writes the log of `size` entries; returns the files' names but the checkpoint's.
  std::vector<std::string> Write(size_t size) const {
    MemoryTiles tiles;
    for (const auto& entry : textbook::MakeEntries(size)) tiles.Append(DigestOf(entry));
    std::vector<std::string> names;
    for (const auto& [name, bytes] : tiles.Files()) {
      Put(name, bytes);
      names.push_back(name);
    }
    const auto& builder = tiles.builder();
    Put("checkpoint", SignCheckpoint({kOrigin, {builder.size(), builder.Root()}}, signer_).value());
    return names;
  }
  std::string Vkey() const { return VerifierKey::Create(kOrigin, signer_.public_key())->Encode(); }
  Verdict Check(const std::string& vkey) const {
    const std::string command = "python3 '" +
                                checkout::SourcePath("tests/tlog/check_tlog_tiles.py") + "' '" +
                                folder_.string() + "' '" + vkey + "' 2>&1";
    Verdict verdict;
    FILE* pipe = popen(command.c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    if (pipe == nullptr) return verdict;
    char buffer[4096];
    while (size_t n = fread(buffer, 1, sizeof buffer, pipe)) verdict.text.append(buffer, n);
    const int status = pclose(pipe);
    verdict.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return verdict;
  }
  void ExpectWrong(const std::string& why) const {
    const Verdict verdict = Check(Vkey());
    EXPECT_EQ(verdict.exit_code, 1) << why << ": " << verdict.text;
    EXPECT_TRUE(verdict.text.starts_with("WRONG: ")) << why << ": " << verdict.text;
    EXPECT_EQ(verdict.text.find("Traceback"), std::string::npos) << why << ": " << verdict.text;
  }

  crypto::SigningKey signer_;
  std::filesystem::path folder_;
};

class TlogFolderOfSize : public TlogFolder, public testing::WithParamInterface<size_t> {};

TEST_P(TlogFolderOfSize, HoldsForTheIndependentChecker) {
  Write(GetParam());
  const Verdict verdict = Check(Vkey());
  EXPECT_EQ(verdict.exit_code, 0) << verdict.text;
  EXPECT_TRUE(verdict.text.starts_with("OK: " + std::to_string(GetParam()) + " entries of "))
      << verdict.text;
}

INSTANTIATE_TEST_SUITE_P(Sizes, TlogFolderOfSize,
                         testing::Values(0, 1, 255, 256, 257, 600, 65'536, 70'000));

TEST_F(TlogFolder, IsWrongWithAnyOneFileChangedCutOrGone) {
  for (const std::string& name : Write(600)) {
    const Bytes bytes = Get(name);
    for (size_t at : {size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
      Bytes changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      Put(name, changed);
      ExpectWrong(name + " changed at " + std::to_string(at));
    }
    Put(name, BytesView(bytes).substr(0, bytes.size() - 1));
    ExpectWrong(name + " cut");
    Put(name, bytes + "x");
    ExpectWrong(name + " longer");
    std::filesystem::remove(folder_ / name);
    ExpectWrong(name + " gone");
    Put(name, bytes);
  }
  EXPECT_EQ(Check(Vkey()).exit_code, 0);
}

TEST_F(TlogFolder, IsWrongWithAnEntryAndItsLeafExchangedTogether) {
  Write(300);
  const std::string bundle = EntryBundlePath(1, 44);
  const std::string tile = TilePath({0, 1, 44});
  Bytes entries = Get(bundle);
  entries[40] = static_cast<char>(entries[40] ^ 1);  // in entry 1 of the bundle
  Bytes hashes = Get(tile);
  hashes.replace(32, 32, LeafHash(BytesView(entries).substr(36, 32)).view());
  Put(bundle, entries);
  Put(tile, hashes);
  ExpectWrong("entry and leaf");
}

TEST_F(TlogFolder, IsWrongWithAFileTooMany) {
  Write(257);
  Put("tile/0/002", Bytes(8192, 'x'));
  ExpectWrong("one tile too many");
}

TEST_F(TlogFolder, IsWrongWithAnotherCheckpoint) {
  Write(257);
  const Bytes checkpoint = Get("checkpoint");
  const TreeHead head = ParseCheckpointBody(ParseNote(checkpoint)->text)->head;
  for (const TreeHead& other :
       {TreeHead{256, head.root}, TreeHead{258, head.root}, TreeHead{257, Digest{}}, TreeHead{}}) {
    Put("checkpoint", SignCheckpoint({kOrigin, other}, signer_).value());
    ExpectWrong("signed head of size " + std::to_string(other.size));
  }
  Put("checkpoint", SignCheckpoint({kOrigin, head}, TestKey('u')).value());
  ExpectWrong("another key");
  Put("checkpoint", SignCheckpoint({"other.example/1", head}, signer_).value());
  ExpectWrong("another origin");
  for (size_t at :
       {size_t{0}, size_t{23}, size_t{40}, checkpoint.size() - 20, checkpoint.size() - 1}) {
    Bytes changed = checkpoint;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    Put("checkpoint", changed);
    ExpectWrong("checkpoint changed at " + std::to_string(at));
  }
  Put("checkpoint", "");
  ExpectWrong("empty checkpoint");
  std::filesystem::remove(folder_ / "checkpoint");
  ExpectWrong("no checkpoint");
}

TEST_F(TlogFolder, IsJudgedUnderTheGivenKeyOnly) {
  Write(3);
  const std::string other = VerifierKey::Create(kOrigin, TestKey('u').public_key())->Encode();
  EXPECT_EQ(Check(other).exit_code, 1);
  EXPECT_EQ(Check("no key").exit_code, 1);
  EXPECT_EQ(Check(Vkey()).exit_code, 0);
}

}  // namespace
}  // namespace schakel::merkle
