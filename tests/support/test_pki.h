// A certificate authority for tests, made with the openssl command line so that it shares no code
// with what it tests. P-256 keys, mode 0600. Only fictitious OINs (prefix 00000099).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace schakel::testing {

// A certificate with its key. Paths stay valid as long as the TestPki's folder.
struct TestCertificate {
  std::filesystem::path certificate;
  std::filesystem::path key;

  std::string certificate_pem() const;
  std::string key_pem() const;
};

// Stops the process when openssl fails: a test without its certificates means nothing.
class TestPki {
 public:
  using Time = std::chrono::system_clock::time_point;

  struct Leaf {
    std::string oin;                              // subject.serialNumber; empty for none
    std::string name = "Test";                    // subject.commonName
    std::string usage = "clientAuth,serverAuth";  // extendedKeyUsage; empty for none
    std::string subject = {};  // whole subject in openssl's /A=b/C=d form, when set
    std::chrono::seconds from = std::chrono::hours(-1);   // against now
    std::chrono::seconds until = std::chrono::hours(24);  // against now
    std::filesystem::path key = {};                       // use this key again instead of a new one
  };

  // In `folder`/pki-<name>, which must not exist. CN of the authority is `name`. Writes a current
  // CRL without entries.
  TestPki(const std::filesystem::path& folder, const std::string& name = "test-ca");

  // subjectAltName is always localhost and 127.0.0.1.
  TestCertificate Issue(const Leaf& leaf);
  // A partner's certificate for client and server.
  TestCertificate IssueFor(const std::string& oin) { return Issue(Leaf{.oin = oin}); }

  // Takes effect with the next WriteCrl.
  void Revoke(const TestCertificate& certificate);
  // Replaces the CRL in one step. Times against now.
  void WriteCrl(std::chrono::seconds this_update = std::chrono::seconds(-60),
                std::chrono::seconds next_update = std::chrono::hours(24));

  std::filesystem::path ca() const { return folder_ / "ca.pem"; }
  std::filesystem::path crl() const { return folder_ / "crl.pem"; }
  std::string ca_pem() const;

 private:
  void Openssl(std::initializer_list<std::string> args) const;

  const std::filesystem::path folder_;
  int issued_ = 0;
};

// 00000099 and `number` with zeros before it: a fictitious OIN.
std::string TestOin(uint64_t number);

}  // namespace schakel::testing
