// What the files of Region share.
#pragma once

#include <cstdio>
#include <string>
#include <utility>

#include "broker/base/check.h"
#include "tests/support/child_process.h"
#include "tests/support/paths.h"
#include "tests/support/test_pki.h"

namespace schakel::e2e {

inline constexpr int kCustodians = 3;

inline std::string CustodianProgram() { return checkout::BuildPath("bin/schakel-custodian"); }

inline testing::RunResult MustRun(testing::ChildOptions options, const char* what) {
  auto result = testing::RunProgram(std::move(options));
  if (result.code != 0) std::fprintf(stderr, "%s: %s\n", what, result.err.c_str());
  SCHAKEL_CHECK(result.code == 0, what);
  return result;
}

inline std::string TlsYaml(const testing::TestCertificate& certificate,
                           const testing::TestPki& pki) {
  return "tls:\n  certificate_file: " + certificate.certificate.string() +
         "\n  key_file: " + certificate.key.string() + "\n  ca_file: " + pki.ca().string() +
         "\n  crl_path: " + pki.crl().string() + "\n";
}

}  // namespace schakel::e2e
