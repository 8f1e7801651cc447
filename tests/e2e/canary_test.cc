// INVARIANT I5: the broker is blind. Known numbers and texts go through everything; afterwards
// neither the broker nor a custodian has them in any file, log line or in its memory.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

namespace fs = std::filesystem;

constexpr const char* kText = "kanarie-in-de-mijn-4711";
constexpr const char* kName = "Kanariepiet-Voorbeeld";
// 302533928: no beginning of an OIN. 000009908 is one but for its last digit, and in freed memory
// an OIN's first nine digits may be followed by any byte.
constexpr size_t kPerson = 17;

// A text as it is, in hex, and in base64 at each of the three alignments.
std::vector<Bytes> FormsOf(const Bytes& text) {
  std::vector<Bytes> forms = {text, HexEncode(text)};
  for (size_t skip = 0; skip < 3; ++skip) {
    Bytes rest = text.substr(skip);
    rest.resize(rest.size() / 3 * 3);
    forms.push_back(Base64Encode(rest));
  }
  return forms;
}

std::vector<Bytes> Canaries() {
  std::vector<Bytes> all;
  for (const Bytes& text : {Bytes(kText), Bytes(kName), TestBsn(kPerson)}) {
    for (auto& form : FormsOf(text)) {
      // Shorter ones stand in other numbers too.
      if (form.size() >= 9) all.push_back(std::move(form));
    }
  }
  return all;
}

// What stands around a place, so that a hit tells where it comes from.
std::string Around(const Bytes& haystack, size_t at, size_t size) {
  constexpr size_t kBytesEachSide = 48;
  const size_t begin = at < kBytesEachSide ? 0 : at - kBytesEachSide;
  std::string shown;
  for (const char c : haystack.substr(begin, at + size + kBytesEachSide - begin)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      shown += c;
    } else {
      shown += "\\x" + HexEncode(Bytes(1, c));
    }
  }
  return shown;
}

std::vector<std::string> Hits(const Bytes& haystack, const std::string& where) {
  std::vector<std::string> hits;
  for (const Bytes& canary : Canaries()) {
    const size_t at = haystack.find(canary);
    if (at == Bytes::npos) continue;
    hits.push_back(where + ": " + canary + " in " + Around(haystack, at, canary.size()));
  }
  return hits;
}

// Processes of these programs that this one started.
std::vector<pid_t> ServersOf(const std::string& program) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    auto end = text.rfind(')');
    if (end == std::string::npos) continue;
    std::istringstream rest(text.substr(end + 2));
    std::string state;
    pid_t parent = 0;
    rest >> state >> parent;
    std::ifstream cmdline(entry.path() / "cmdline");
    std::string command((std::istreambuf_iterator<char>(cmdline)), {});
    if (parent == ::getpid() && command.find(program) != std::string::npos) {
      found.push_back(std::stoi(name));
    }
  }
  return found;
}

// A sanitizer's shadow of all addresses is no memory of the program's.
bool IsShadow(unsigned long begin, unsigned long end) {
#ifdef __SANITIZE_THREAD__
  // In many pieces, between a program's lowest addresses and where it is loaded (tsan_platform.h).
  if (begin >= 0x0080'0000'0000 && end <= 0x5500'0000'0000) return true;
#endif
  return end - begin >= 1UL << 38;
}

// All of its memory that can be written; nullopt when the process does not let itself be read.
std::optional<Bytes> MemoryOf(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  int memory = ::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (!maps || memory < 0) return std::nullopt;
  Bytes all;
  std::string line;
  while (std::getline(maps, line)) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
    if (rights[0] != 'r' || rights[1] != 'w') continue;
    if (IsShadow(begin, end)) continue;
    // In pieces: a page that can't be read hides only its own.
    constexpr unsigned long kPiece = 1UL << 20;
    for (unsigned long at = begin; at < end; at += kPiece) {
      Bytes part(std::min(kPiece, end - at), '\0');
      const ssize_t got = ::pread(memory, part.data(), part.size(), static_cast<off_t>(at));
      if (got > 0) all.append(part, 0, static_cast<size_t>(got));
    }
  }
  ::close(memory);
  return all;
}

using CanaryTest = RegionTest;

TEST_F(CanaryTest, ContentAndNumbersLeaveNoTraceAtBrokerAndCustodians) {
  ASSERT_OK_AND(auto person, PersonBy(region(), "care", kPerson));
  auto draft = Avoidance(person);
  draft.sections.clear();
  draft.sections.push_back(
      Section("daily-living", "consent",
              std::string(R"({"help_needed": ["meals"], "note": ")") + kText + "\"}"));
  draft.sections.push_back(Section("identity", "consent", IdentityOf(kName)));
  ASSERT_OK_AND(auto denied, Send(As("care"), draft));
  ASSERT_OK_AND(auto consent, RecordConsent(As("care"), person));
  ASSERT_OK_AND(auto sent, Send(As("care"), draft));
  ASSERT_TRUE(sent.accepted());
  ASSERT_OK_AND(auto deliveries, FetchAll(As("team")));
  ASSERT_EQ(deliveries.size(), 1u);
  ASSERT_OK_AND(auto opened, Open(As("team"), deliveries[0]));
  ASSERT_OK_AND(auto* inbox, As("team").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(deliveries[0])));
  ASSERT_OK(inbox->ReportOutcome(sdk::NewRequestId(), IdOf(deliveries[0]), "help-offered"));
  ASSERT_OK_AND(auto again, Send(As("care"), draft));
  ASSERT_OK(Withdraw(As("care"), consent));

  // The search finds what is there: this process has it.
  auto own = MemoryOf(::getpid());
  ASSERT_TRUE(own);
  EXPECT_FALSE(Hits(*own, "this process").empty());

  std::vector<std::string> hits;
  size_t searched = 0;
  for (const char* program : {"schakel-broker", "schakel-custodian"}) {
    for (pid_t pid : ServersOf(program)) {
      ++searched;
      // Nothing to read is as good: the process has shut itself.
      auto memory = MemoryOf(pid);
      if (!memory) continue;
      for (auto& hit : Hits(*memory, program)) hits.push_back(std::move(hit));
    }
  }
  EXPECT_EQ(searched, 4u) << "one broker and three custodians";

  region().StopBroker();
  for (auto& hit : Hits(region().BrokerLog(), "log")) hits.push_back(std::move(hit));
  size_t files = 0;
  std::vector<fs::path> folders = {region().data_folder()};
  for (const auto& entry : fs::directory_iterator(region().folder())) {
    if (entry.path().filename().string().starts_with("custodian")) folders.push_back(entry.path());
  }
  for (const auto& folder : folders) {
    if (!fs::is_directory(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      Bytes content((std::istreambuf_iterator<char>(in)), {});
      for (auto& hit : Hits(content, entry.path().string())) hits.push_back(std::move(hit));
      ++files;
    }
  }
  EXPECT_GT(files, 5u);
  EXPECT_THAT(hits, ::testing::IsEmpty());
}

}  // namespace
}  // namespace schakel::e2e
