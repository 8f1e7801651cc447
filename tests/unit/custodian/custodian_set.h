// Three custodians with a dealt key, a certificate authority and members, in a temporary folder.
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <ostream>
#include <streambuf>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/custodian/settings.h"
#include "broker/custodian/signed_document.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_pki.h"

namespace schakel::custodian {

// A clock that a test sets. Thread-safe.
class SetClock final : public Clock {
 public:
  Micros Wall() const override { return SystemClock().Wall() + ahead_.load(); }
  Micros Steady() const override { return SystemClock().Steady(); }
  void SetAhead(Micros ahead) { ahead_ = ahead; }

 private:
  std::atomic<Micros> ahead_{Micros(0)};
};

// Log lines that a test reads while servers still write them.
class SharedLines {
 public:
  std::ostream* out() { return &out_; }
  std::string str() const { return buffer_.str(); }

 private:
  class Buffer final : public std::streambuf {
   public:
    std::string str() const {
      std::lock_guard lock(mutex_);
      return text_;
    }

   private:
    int_type overflow(int_type c) override {
      std::lock_guard lock(mutex_);
      if (c != traits_type::eof()) text_ += traits_type::to_char_type(c);
      return traits_type::not_eof(c);
    }
    std::streamsize xsputn(const char* text, std::streamsize size) override {
      std::lock_guard lock(mutex_);
      text_.append(text, static_cast<size_t>(size));
      return size;
    }

    mutable std::mutex mutex_;
    std::string text_;
  };
  Buffer buffer_;
  std::ostream out_{&buffer_};
};

struct MemberEntry {
  std::string oin = {};
  std::filesystem::path certificate = {};  // whose key is pinned
  uint32_t per_day = 500;
  uint32_t per_30_days = 5000;
  bool disabled = false;
  std::string role = {};
};

class CustodianSet {
 public:
  explicit CustodianSet(uint32_t threshold = 2);

  static std::string CustodianOin(size_t i) { return testing::TestOin(9001 + i); }
  // Certificate of custodian i, 0 to 2.
  const testing::TestCertificate& certificate(size_t i) const { return certificates_[i]; }
  std::filesystem::path keys() const { return folder_ / "keys"; }
  std::filesystem::path share(size_t i) const {
    return keys() / ("share-" + std::to_string(i + 1) + ".key");
  }
  std::filesystem::path document() const { return keys() / "key-document.pb"; }
  std::filesystem::path members() const { return folder_ / "members.yaml"; }
  std::filesystem::path data(size_t i) const { return folder_ / ("data-" + std::to_string(i)); }
  std::filesystem::path head(size_t i) const { return folder_ / ("head-" + std::to_string(i)); }
  std::filesystem::path log_key_file(size_t i) const {
    return folder_ / ("log-" + std::to_string(i) + ".key");
  }
  std::filesystem::path port_file(size_t i) const {
    return folder_ / ("port-" + std::to_string(i));
  }
  testing::TestPki& pki() { return pki_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  const Digest& digest() const { return digest_; }
  SignedDocument Signed() const;

  void WriteMembers(const std::vector<MemberEntry>& members) const;
  // Writes the configuration of custodian i; `more` is YAML of further keys.
  std::filesystem::path WriteConfig(size_t i, const std::string& more = {}) const;
  // The same, read.
  Settings SettingsOf(size_t i, const std::string& more = {}) const;
  // Begins the log of custodian i, as schakel-custodian init does. Its verifier key.
  std::string Begin(size_t i) const;
  bool HasLog(size_t i) const { return std::filesystem::exists(head(i)); }

 private:
  const testing::TempDir folder_{"custodian"};
  testing::TestPki pki_{folder_.path()};
  std::vector<testing::TestCertificate> certificates_;
  Digest digest_;
};

// Hex of the digest of the certificate's public key, computed by the openssl command line.
std::string SpkiHex(const std::filesystem::path& certificate);

}  // namespace schakel::custodian
