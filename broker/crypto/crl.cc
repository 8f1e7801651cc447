#include "broker/crypto/crl.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>

#include "broker/crypto/crl_list.h"

namespace schakel::crypto {
namespace {

// LIMIT: the largest lists of public CAs are a few MiB; a file beyond this is a mistake.
constexpr int64_t kFileBytesMax = 64 * 1024 * 1024;
// LIMIT: an installation trusts a handful of CAs, and each lookup asks for the state of every file.
constexpr size_t kFilesMax = 64;

bool IsListFile(const std::filesystem::path& path) {
  return path.extension() == ".pem" || path.extension() == ".crl";
}

int64_t Nanoseconds(const timespec& t) { return t.tv_sec * 1'000'000'000 + t.tv_nsec; }

std::optional<std::string> ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || !text) return std::nullopt;
  return std::move(text).str();
}

}  // namespace

// What tells that a file was replaced or rewritten. A file that is not there has size -1.
struct CrlStore::FileStamp {
  std::string path;
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = -1;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;

  // A regular file; anything else counts as one that is not there.
  static FileStamp Of(const std::filesystem::path& path, const struct stat* about) {
    FileStamp stamp{.path = path.string()};
    if (about != nullptr && S_ISREG(about->st_mode)) {
      stamp.device = about->st_dev;
      stamp.inode = about->st_ino;
      stamp.size = about->st_size;
      stamp.modified_ns = Nanoseconds(about->st_mtim);
      stamp.changed_ns = Nanoseconds(about->st_ctim);
    }
    return stamp;
  }

  static FileStamp Of(const std::filesystem::path& path) {
    struct stat about {};
    return Of(path, stat(path.c_str(), &about) == 0 ? &about : nullptr);
  }

  // In the order of their paths; one that is missing when nothing is there.
  static std::vector<FileStamp> All(const std::filesystem::path& path) {
    struct stat about {};
    if (stat(path.c_str(), &about) != 0) return {Of(path, nullptr)};
    if (!S_ISDIR(about.st_mode)) return {Of(path, &about)};
    std::error_code failed;
    std::filesystem::directory_iterator entries(path, failed);
    std::vector<FileStamp> stamps;
    for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed)) {
      if (IsListFile(entries->path())) stamps.push_back(Of(entries->path()));
    }
    if (failed || stamps.empty()) return {Of(path, nullptr)};
    std::sort(stamps.begin(), stamps.end(),
              [](const FileStamp& a, const FileStamp& b) { return a.path < b.path; });
    return stamps;
  }
};

// One reading of the files. With a problem there are no lists: every answer is kUnknown.
struct CrlStore::Lists {
  std::map<Digest, std::map<Digest, RevocationList>> by_issuer;  // then by signing key
  std::string problem;
  uint64_t generation = 0;

  void Add(RevocationList list) {
    std::map<Digest, RevocationList>& same_issuer = by_issuer[list.issuer];
    auto [it, added] = same_issuer.try_emplace(list.signer, list);
    if (!added && it->second.this_update < list.this_update) it->second = std::move(list);
  }

  static Lists Read(const std::vector<FileStamp>& stamps, const std::vector<Certificate>& issuers) {
    Lists lists;
    if (stamps.size() > kFilesMax) {
      lists.problem = "expected at most 64 files";
      return lists;
    }
    for (const FileStamp& stamp : stamps) {
      auto parsed = ReadFile(stamp, issuers);
      if (!parsed.ok()) {
        Lists none;
        none.problem = stamp.path + ": " + parsed.error().message;
        return none;
      }
      for (RevocationList& list : *parsed) lists.Add(std::move(list));
    }
    return lists;
  }

  static Result<std::vector<RevocationList>> ReadFile(const FileStamp& stamp,
                                                      const std::vector<Certificate>& issuers) {
    if (stamp.size < 0) {
      return InvalidArgument("FIELD_INVALID", {}, "there is no file with revocation lists");
    }
    if (stamp.size > kFileBytesMax) {
      return InvalidArgument("FIELD_INVALID", {}, "expected at most 64 MiB");
    }
    auto text = ReadWhole(stamp.path);
    if (!text) return InvalidArgument("FIELD_INVALID", {}, "it can't be read");
    return ParseRevocationLists(*text, issuers);
  }
};

CrlStore::CrlStore(std::filesystem::path path, std::vector<Certificate> issuers, Millis look_every)
    : path_(std::move(path)), issuers_(std::move(issuers)), look_every_(look_every) {}

CrlStore::~CrlStore() = default;

Result<std::unique_ptr<CrlStore>> CrlStore::Open(const std::filesystem::path& path,
                                                 std::vector<Certificate> issuers,
                                                 Millis look_every) {
  std::unique_ptr<CrlStore> store(new CrlStore(path, std::move(issuers), look_every));
  std::string problem = store->LastProblem();
  if (!problem.empty()) {
    return InvalidArgument("FIELD_INVALID", path.string(), problem);
  }
  return store;
}

std::shared_ptr<const CrlStore::Lists> CrlStore::Current(bool look_now) {
  // Under the lock, so that a reading never overtakes a newer one. Stamps are taken before the
  // reading: a file that changes meanwhile is read again at the next look.
  std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (lists_ && !look_now && now - looked_ < look_every_) return lists_;
  looked_ = now;
  std::vector<FileStamp> stamps = FileStamp::All(path_);
  if (!lists_ || stamps != stamps_) {
    auto lists = std::make_shared<Lists>(Lists::Read(stamps, issuers_));
    lists->generation = (lists_ ? lists_->generation : 0) + 1;
    lists_ = std::move(lists);
    stamps_ = std::move(stamps);
  }
  return lists_;
}

Revocation CrlStore::Lookup(const Digest& issuer, std::string_view serial, Millis now) {
  const std::shared_ptr<const Lists> lists = Current();
  auto found = lists->by_issuer.find(issuer);
  if (found == lists->by_issuer.end()) return Revocation::kUnknown;
  Revocation answer = Revocation::kGood;
  // A CA may have lists by an old and a new key: one that names the certificate, or is stale,
  // decides.
  for (const auto& [signer, list] : found->second) {
    if (list.revoked.contains(std::string(serial))) return Revocation::kRevoked;
    if (!list.CurrentAt(now)) answer = Revocation::kStale;
  }
  return answer;
}

Revocation CrlStore::Lookup(const Certificate& certificate, Millis now) {
  return Lookup(certificate.facts().issuer, certificate.facts().serial, now);
}

void CrlStore::LookNow() { Current(/*look_now=*/true); }

uint64_t CrlStore::Generation() { return Current()->generation; }

std::optional<Millis> CrlStore::NextUpdate() {
  const std::shared_ptr<const Lists> lists = Current();
  std::optional<Millis> first;
  for (const auto& [issuer, by_signer] : lists->by_issuer) {
    for (const auto& [signer, list] : by_signer) {
      if (!list.next_update) return std::nullopt;
      if (!first || *list.next_update < *first) first = list.next_update;
    }
  }
  return first;
}

std::string CrlStore::LastProblem() { return Current()->problem; }

}  // namespace schakel::crypto
