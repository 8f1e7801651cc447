// A development PKI in a folder of its own, made by deploy/dev-pki, and certificates of odd shapes
// made by the openssl program.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "broker/base/clock.h"
#include "broker/crypto/cert_key.h"
#include "broker/crypto/x509.h"
#include "tests/support/paths.h"

namespace schakel::crypto {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "schakel-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

inline void WriteText(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline Millis Now() { return std::chrono::duration_cast<Millis>(SystemClock().Wall()); }

class DevPki {
 public:
  DevPki() { EXPECT_EQ(Run("init"), 0); }

  // Runs deploy/dev-pki on this folder; what it says is in output(). Returns its exit code.
  int Run(const std::string& arguments) {
    return Shell(checkout::SourcePath("deploy/dev-pki ") + path().string() + " " + arguments);
  }
  // Runs a command line with $D set to this folder, where openssl's errors go to output().
  int Shell(const std::string& command) {
    const std::filesystem::path out = path() / "output.txt";
    const int status = std::system(
        ("export D=" + path().string() + "; { " + command + "; } > " + out.string() + " 2>&1")
            .c_str());
    output_ = ReadText(out);
    return status < 0 ? status : WEXITSTATUS(status);
  }
  Certificate Issue(const std::string& oin, const std::string& options = "") {
    EXPECT_EQ(Run("issue --oin " + oin + " --name 'Test " + oin + "' " + options), 0) << output_;
    return Certificate::Parse(ReadText(path() / (oin + ".pem"))).value();
  }
  // A certificate that signed itself, with this subject (as openssl's -subj).
  Certificate SelfSigned(const std::string& subject, const std::string& options = "") {
    EXPECT_EQ(Shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
                    "-keyout $D/self.key -out $D/self.pem -multivalue-rdn -subj '" +
                    subject + "' " + options),
              0)
        << output_;
    return Certificate::Parse(ReadText(path() / "self.pem")).value();
  }
  CertificateKey Key(const std::string& oin) {
    return CertificateKey::Load(path() / (oin + ".key")).value();
  }
  TrustAnchors Anchors() { return TrustAnchors::Parse(ReadText(path() / "ca.pem")).value(); }
  std::filesystem::path CrlFile() const { return path() / "crl" / "ca.crl.pem"; }

  const std::filesystem::path& path() const { return folder_.path(); }
  const std::string& output() const { return output_; }

 private:
  TempFolder folder_;
  std::string output_;
};

}  // namespace schakel::crypto
