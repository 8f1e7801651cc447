// Certificate revocation lists, read again whenever their files change.
// gRPC checks a CRL folder at handshakes only and does not notice a replaced file, so the broker
// looks issuer and serial up here at every RPC, and each second per stream. INVARIANT I3: whatever
// is not kGood is denied by the caller.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/crypto/x509.h"

namespace schakel::crypto {

enum class Revocation {
  kGood,     // the issuer's current list does not name it
  kRevoked,  // it is named
  kUnknown,  // no list of that issuer, or its file is unreadable, malformed or wrongly signed
  kStale,    // the list is not current: nextUpdate has passed or is missing, or thisUpdate is ahead
};

// A file with PEM CRLs, or a folder with such files (*.pem, *.crl; others are left alone).
// Every list must be signed by one of the issuers, with a key that may sign CRLs. Lists that say
// only a part (delta, indirect, by reason, by kind of certificate) are refused. Of two lists by one
// key the one with the later thisUpdate counts; of one CA with two keys each has its list. Replace
// a file by rename: one that is half written can't be used. Thread-safe.
class CrlStore {
 public:
  // `issuers`: trust anchors and intermediate CAs. Errors: FIELD_INVALID with the path when the
  // path is missing or a list in it can't be used: a start with a broken list would deny everybody.
  // `look_every`: how long answers may rest on one look at the files; zero: each has its own.
  static Result<std::unique_ptr<CrlStore>> Open(const std::filesystem::path& path,
                                                std::vector<Certificate> issuers,
                                                Millis look_every = Millis(0));
  ~CrlStore();
  CrlStore(const CrlStore&) = delete;
  CrlStore& operator=(const CrlStore&) = delete;

  // `issuer` and `serial` as in CertificateFacts. Looks first, when that is due, whether a file
  // changed (device, inode, size, mtime, ctime), and then reads them again. A file that can't be
  // used after the start makes every answer kUnknown until it is repaired: nobody knows what it
  // would have said.
  Revocation Lookup(const Digest& issuer, std::string_view serial, Millis now);
  Revocation Lookup(const Certificate& certificate, Millis now);

  // Looks for changes now, whatever is due.
  void LookNow();

  // Counts readings of the files, from 1: a cached answer is as old as its generation. Looks for
  // changes, as Lookup does.
  uint64_t Generation();

  // When the first of the lists gets stale, after which what it is about is denied; nullopt when no
  // list is usable, or one never says when. For the alarm.
  std::optional<Millis> NextUpdate();

  // What was wrong with the files at the last reading; empty when nothing was. For the log.
  std::string LastProblem();

 private:
  struct Lists;
  struct FileStamp;
  CrlStore(std::filesystem::path path, std::vector<Certificate> issuers, Millis look_every);
  std::shared_ptr<const Lists> Current(bool look_now = false);

  const std::filesystem::path path_;
  const std::vector<Certificate> issuers_;
  const std::chrono::steady_clock::duration look_every_;
  std::mutex mutex_;  // guards what follows
  std::chrono::steady_clock::time_point looked_;
  std::vector<FileStamp> stamps_;
  std::shared_ptr<const Lists> lists_;
};

}  // namespace schakel::crypto
