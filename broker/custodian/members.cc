#include "broker/custodian/members.h"

#include <sys/stat.h>

#include "broker/config/yaml_message.h"
#include "broker/crypto/hash.h"
#include "broker/custodian/files.h"
#include "schakel/config/v1/custodian.pb.h"

namespace schakel::custodian {
namespace {

// LIMIT: the most members that may stand in a file, at some 1 KiB each.
constexpr size_t kMembersBytesMax = 10 * 1024 * 1024;

int64_t Nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<MemberMap> ParseMembers(std::string_view file, std::string_view text,
                                      std::vector<Error>* problems) {
  const size_t before = problems->size();
  config::v1::MembersFile parsed;
  config::ReadYaml(file, text, &parsed, problems);
  MemberMap members;
  for (const auto& each : parsed.members()) {
    const auto oin = OrganisationId::From(each.oin());
    const auto raw_spki = HexDecode(each.certificate_spki_digest());
    const auto spki = raw_spki ? Digest::From(*raw_spki) : std::nullopt;
    if (!oin || !spki) continue;  // reported by the reader
    Member member{*spki, v1::ROLE_PARTNER, each.authority(), {}, each.disabled()};
    if (each.role() == "auditor") {
      member.role = v1::ROLE_AUDITOR;
    } else if (!each.role().empty() && each.role() != "partner") {
      problems->push_back(
          InvalidArgument("CONFIG_INVALID", std::string(file) + ":" + std::to_string(each.line()),
                          "role: expected partner or auditor; found '" + each.role() + "'"));
    }
    if (each.per_day() != 0) member.limits.per_day = each.per_day();
    if (each.per_30_days() != 0) member.limits.per_30_days = each.per_30_days();
    if (!members.emplace(*oin, std::move(member)).second) {
      problems->push_back(InvalidArgument("CONFIG_INVALID",
                                          std::string(file) + ":" + std::to_string(each.line()),
                                          oin->str() + " stands in the file twice"));
    }
  }
  if (problems->size() != before) return std::nullopt;
  return members;
}

std::unique_ptr<MembersFile> MembersFile::Open(std::filesystem::path path, OnReload on_reload,
                                               std::vector<Error>* problems) {
  std::unique_ptr<MembersFile> file(new MembersFile(std::move(path), std::move(on_reload)));
  std::lock_guard lock(file->mutex_);
  file->stamp_ = StampOf(file->path_);
  file->first_ = file->Read();
  problems->insert(problems->end(), file->first_.problems.begin(), file->first_.problems.end());
  if (!file->current_) return nullptr;
  return file;
}

MembersFile::Stamp MembersFile::StampOf(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return {};
  return {facts.st_dev, facts.st_ino, facts.st_size, Nanoseconds(facts.st_mtim),
          Nanoseconds(facts.st_ctim)};
}

MembersFile::Reading MembersFile::Read() const {
  current_ = false;
  Reading reading;
  const auto text = ReadFile(path_, kMembersBytesMax);
  if (!text.ok()) {
    reading.problems.push_back(text.error());
    return reading;
  }
  reading.digest = crypto::Sha256(*text);
  auto members = ParseMembers(path_.string(), *text, &reading.problems);
  if (!members) return reading;
  reading.members = members->size();
  members_ = std::make_shared<const MemberMap>(std::move(*members));
  ++version_;
  current_ = true;
  return reading;
}

MembersFile::Snapshot MembersFile::Newest() const {
  std::lock_guard lock(mutex_);
  // The stamp is taken before the reading: a change meanwhile shows at the next look.
  const Stamp stamp = StampOf(path_);
  if (stamp != stamp_) {
    stamp_ = stamp;
    const Reading reading = Read();
    if (on_reload_) on_reload_(reading);
  }
  return {members_, version_};
}

std::optional<transport::MemberFacts> MembersFile::Find(const OrganisationId& organisation) const {
  const Snapshot snapshot = Newest();
  const auto found = snapshot.members->find(organisation);
  if (found == snapshot.members->end()) return std::nullopt;
  transport::MemberFacts facts;
  facts.role = found->second.role;
  facts.spki = found->second.spki;
  facts.entry_version = snapshot.version;
  facts.disabled = found->second.disabled;
  return facts;
}

std::optional<Member> MembersFile::FindMember(const OrganisationId& organisation) const {
  const Snapshot snapshot = Newest();
  const auto found = snapshot.members->find(organisation);
  if (found == snapshot.members->end()) return std::nullopt;
  return found->second;
}

bool MembersFile::Current() const {
  Newest();
  std::lock_guard lock(mutex_);
  return current_;
}

size_t MembersFile::size() const { return Members()->size(); }

std::shared_ptr<const MemberMap> MembersFile::Members() const { return Newest().members; }

}  // namespace schakel::custodian
