// What the user hands over by file or standard input, straight into secret memory.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.h"
#include "broker/crypto/secret.h"
#include "clients/cli/language.h"

namespace schakel::cli {

// Reads "@FILE", "@-" and "-". Standard input can be read once only. Not thread-safe.
class Input {
 public:
  explicit Input(int standard_input) : standard_input_(standard_input) {}

  // Errors: USAGE for anything but those three forms, and when standard input was read already;
  // FILE_MISSING; TOO_LARGE above `bytes_max`.
  Result<crypto::SecretBytes> Read(Language language, std::string_view spec,
                                   size_t bytes_max = 1 << 20);

 private:
  int standard_input_;
  bool read_ = false;
};

// Whether it is one of the published numbers of fictitious persons
// (tests/vectors/identifiers/rvig-test-bsn.json), which alone may stand on a command line, where
// others can read it.
bool IsPublishedTestBsn(std::string_view nine_digits);
// All of them, ascending.
std::span<const std::string_view> PublishedTestBsns();

// BSNs of "@FILE" and "@-" (one a line, 8 or 9 digits) and of literals of the published test set,
// in order, 9 digits each. Errors: USAGE for another literal (never repeated in the message),
// BSN_INVALID with "line N".
Result<std::vector<crypto::SecretBytes>> ReadBsns(Language language, Input& input,
                                                  const std::vector<std::string>& specs);

}  // namespace schakel::cli
