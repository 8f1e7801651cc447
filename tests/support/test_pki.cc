#include "tests/support/test_pki.h"

#include <cstdio>
#include <ctime>

#include "broker/base/check.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"

namespace schakel::testing {
namespace {

constexpr const char* kConfig = R"([req]
distinguished_name = none
[none]
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = authority
[authority]
dir = .
database = $dir/index.txt
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir/issued
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
policy = anything
preserve = yes
unique_subject = no
crl_extensions = crl_ext
[crl_ext]
authorityKeyIdentifier = keyid:always
[anything]
organizationName = optional
commonName = optional
serialNumber = optional
)";

// openssl's GeneralizedTime form of now + offset.
std::string TimeText(std::chrono::seconds offset) {
  const std::time_t at =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + offset);
  std::tm utc{};
  gmtime_r(&at, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &utc);
  return text;
}

}  // namespace

std::string TestCertificate::certificate_pem() const { return ReadFile(certificate); }
std::string TestCertificate::key_pem() const { return ReadFile(key); }

TestPki::TestPki(const std::filesystem::path& folder, const std::string& name)
    : folder_(folder / ("pki-" + name)) {
  std::filesystem::create_directories(folder_ / "issued");
  WriteFile(folder_ / "openssl.cnf", kConfig);
  WriteFile(folder_ / "index.txt", "");
  WriteFile(folder_ / "serial", "1000\n");
  WriteFile(folder_ / "crlnumber", "01\n");
  Openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ca.key"});
  Openssl({"req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", "-config", "openssl.cnf",
           "-extensions", "root", "-days", "3650", "-subj", "/O=Schakel test/CN=" + name});
  WriteCrl();
}

void TestPki::Openssl(std::initializer_list<std::string> args) const {
  const RunResult result = RunProgram({.program = "openssl", .args = args, .folder = folder_});
  if (result.code != 0) std::fprintf(stderr, "openssl failed:\n%s\n", result.err.c_str());
  SCHAKEL_CHECK(result.code == 0, "openssl makes the test's certificates");
}

TestCertificate TestPki::Issue(const Leaf& leaf) {
  const std::string base = "leaf" + std::to_string(++issued_);
  TestCertificate made{folder_ / (base + ".pem"), folder_ / (base + ".key")};
  if (leaf.key.empty()) {
    Openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
             made.key.string()});
  } else {
    WriteFile(made.key, ReadFile(leaf.key), 0600);
  }
  std::string subject = leaf.subject;
  if (subject.empty()) {
    subject = "/O=Schakel test";
    if (!leaf.oin.empty()) subject += "/serialNumber=" + leaf.oin;
    subject += "/CN=" + leaf.name;
  }
  std::string extensions =
      "[leaf]\nbasicConstraints = critical,CA:false\nkeyUsage = critical,digitalSignature\n"
      "subjectAltName = DNS:localhost,IP:127.0.0.1\nauthorityKeyIdentifier = keyid\n";
  if (!leaf.usage.empty()) extensions += "extendedKeyUsage = " + leaf.usage + "\n";
  WriteFile(folder_ / (base + ".ext"), extensions);
  Openssl({"req", "-new", "-key", made.key.string(), "-out", base + ".csr", "-config",
           "openssl.cnf", "-subj", subject});
  Openssl({"ca", "-batch", "-notext", "-config", "openssl.cnf", "-in", base + ".csr", "-out",
           made.certificate.string(), "-startdate", TimeText(leaf.from), "-enddate",
           TimeText(leaf.until), "-extfile", base + ".ext", "-extensions", "leaf"});
  return made;
}

void TestPki::Revoke(const TestCertificate& certificate) {
  Openssl({"ca", "-batch", "-config", "openssl.cnf", "-revoke", certificate.certificate.string()});
}

void TestPki::WriteCrl(std::chrono::seconds this_update, std::chrono::seconds next_update) {
  Openssl({"ca", "-batch", "-config", "openssl.cnf", "-gencrl", "-crl_lastupdate",
           TimeText(this_update), "-crl_nextupdate", TimeText(next_update), "-out", "crl.new"});
  std::filesystem::rename(folder_ / "crl.new", crl());
}

std::string TestPki::ca_pem() const { return ReadFile(ca()); }

std::string TestOin(uint64_t number) {
  std::string digits = std::to_string(number);
  SCHAKEL_CHECK(digits.size() <= 12, "an OIN has 20 digits");
  return "00000099" + std::string(12 - digits.size(), '0') + digits;
}

}  // namespace schakel::testing
