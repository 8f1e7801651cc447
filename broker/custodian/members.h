// Who may compute pseudonyms: the members file, read again whenever it changes.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/custodian/budget.h"
#include "broker/transport/directory_reader.h"

namespace schakel::custodian {

struct Member {
  Digest spki;                       // of its certificate's public key
  v1::Role role = v1::ROLE_PARTNER;  // or auditor: may read all records of the custodian's log
  std::string authority;             // article that lets it use the BSN
  BudgetLimits limits;
  bool disabled = false;
  bool operator==(const Member&) const = default;
};

using MemberMap = std::map<OrganisationId, Member>;

// Reads the text of a members file (schakel.config.v1.MembersFile). Appends one Error per mistake,
// its field "file:line"; returns nullopt when there was one.
std::optional<MemberMap> ParseMembers(std::string_view file, std::string_view text,
                                      std::vector<Error>* problems);

// The file, looked at whenever it is asked. A file that can't be used keeps what was read before:
// taking everyone's authority away because of a typing mistake would stop the region, and giving
// it to somebody needs a file that is right. Thread-safe.
class MembersFile final : public transport::DirectoryReader {
 public:
  // What one reading gave.
  struct Reading {
    std::vector<Error> problems;  // none: it holds now
    Digest digest;                // SHA-256 of the file; zeros when it could not be read
    size_t members = 0;           // that it names; 0 when it does not hold
  };
  // Called on the asking thread after each reading but the first; must be quick and not call back.
  using OnReload = std::function<void(const Reading&)>;

  // nullptr, with `problems`, when the file can't be used at start.
  static std::unique_ptr<MembersFile> Open(std::filesystem::path path, OnReload on_reload,
                                           std::vector<Error>* problems);

  // Only the key is pinned, since the file names no issuer.
  std::optional<transport::MemberFacts> Find(const OrganisationId& organisation) const override;
  std::optional<Member> FindMember(const OrganisationId& organisation) const;

  // False while the newest version of the file can't be used.
  bool Current() const;
  size_t size() const;
  // The reading at the start, for whoever records which members were in force.
  const Reading& first() const { return first_; }
  // All of them, as they are now.
  std::shared_ptr<const MemberMap> Members() const;

 private:
  // What tells versions of a file apart; all zero when there is none.
  struct Stamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Snapshot {
    std::shared_ptr<const MemberMap> members;
    uint64_t version;
  };

  MembersFile(std::filesystem::path path, OnReload on_reload)
      : path_(std::move(path)), on_reload_(std::move(on_reload)) {}
  static Stamp StampOf(const std::filesystem::path& path);
  Snapshot Newest() const;
  Reading Read() const;  // mutex_ held

  const std::filesystem::path path_;
  const OnReload on_reload_;
  Reading first_;
  mutable std::mutex mutex_;  // guards what follows
  mutable Stamp stamp_;
  mutable std::shared_ptr<const MemberMap> members_;
  mutable uint64_t version_ = 0;  // counts readings that held
  mutable bool current_ = false;
};

}  // namespace schakel::custodian
