#include "clients/cli/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "broker/base/ids.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/messages.h"
#include "clients/cli/test_bsn_list.h"

namespace schakel::cli {
namespace {

using crypto::SecretBytes;

// Reads to the end. The buffer doubles, and each copy is in secret memory.
Result<SecretBytes> ReadAll(int descriptor, const std::string& name, size_t bytes_max) {
  SecretBytes buffer(4096);
  size_t used = 0;
  while (true) {
    if (used == buffer.size()) {
      SecretBytes larger(buffer.size() * 2);
      std::memcpy(larger.ExposeSecretForWrite().data(), buffer.ExposeSecret().data(), used);
      buffer = std::move(larger);
    }
    const auto room = buffer.ExposeSecretForWrite().subspan(used);
    const ssize_t got = ::read(descriptor, room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED",
                       "can't read " + name + ": " + std::strerror(errno), name);
    }
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > bytes_max) {
      return InvalidArgument("TOO_LARGE", name,
                             name + " is larger than " + std::to_string(bytes_max) + " bytes");
    }
  }
  return SecretBytes::CopyOf(buffer.ExposeSecret().substr(0, used));
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Pads 8 digits and checks the elfproef; nullopt when it is no BSN.
std::optional<SecretBytes> Normalised(std::string_view digits) {
  if (digits.size() != 8 && digits.size() != 9) return std::nullopt;
  SecretBytes nine(9);
  auto out = nine.ExposeSecretForWrite();
  size_t at = 0;
  if (digits.size() == 8) out[at++] = '0';
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    out[at++] = static_cast<uint8_t>(c);
  }
  if (!PassesElfproef(nine.ExposeSecret())) return std::nullopt;
  return nine;
}

Status AddLines(Language language, std::string_view text, const std::string& name,
                std::vector<SecretBytes>& out) {
  size_t number = 0;
  size_t found = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && IsSpace(line.front())) line.remove_prefix(1);
    while (!line.empty() && IsSpace(line.back())) line.remove_suffix(1);
    if (line.empty()) continue;
    auto bsn = Normalised(line);
    if (!bsn) {
      return InvalidArgument("BSN_INVALID", name + " line " + std::to_string(number),
                             Say(language, Msg::kBsnWrong));
    }
    out.push_back(std::move(*bsn));
    ++found;
  }
  if (found == 0) return InvalidArgument("BSN_INVALID", name, Say(language, Msg::kBsnNone));
  return {};
}

}  // namespace

Result<SecretBytes> Input::Read(Language language, std::string_view spec, size_t bytes_max) {
  if (spec == "-" || spec == "@-") {
    if (read_) return UsageError(Say(language, Msg::kInputOnce), std::string(spec));
    read_ = true;
    return ReadAll(standard_input_, "-", bytes_max);
  }
  if (!spec.starts_with('@') || spec.size() < 2) {
    return UsageError(Say(language, Msg::kNotOnCommandLine));
  }
  const std::string path(spec.substr(1));
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return MakeError(ErrorCode::kNotFound, "FILE_MISSING",
                     "can't open " + path + ": " + std::strerror(errno), path);
  }
  auto content = ReadAll(descriptor, path, bytes_max);
  ::close(descriptor);
  return content;
}

std::span<const std::string_view> PublishedTestBsns() { return kTestBsns; }

bool IsPublishedTestBsn(std::string_view nine_digits) {
  return std::binary_search(kTestBsns.begin(), kTestBsns.end(), nine_digits);
}

Result<std::vector<SecretBytes>> ReadBsns(Language language, Input& input,
                                          const std::vector<std::string>& specs) {
  std::vector<SecretBytes> bsns;
  for (const auto& spec : specs) {
    if (spec.starts_with('@') || spec == "-") {
      SCHAKEL_ASSIGN(const auto content, input.Read(language, spec, 1 << 16));
      SCHAKEL_TRY(AddLines(language, content.ExposeSecret(), spec, bsns));
    } else if (IsPublishedTestBsn(spec)) {
      bsns.push_back(SecretBytes::CopyOf(spec));
    } else {
      return UsageError(Say(language, Msg::kBsnOnCommandLine), "--subject-bsn");
    }
  }
  return bsns;
}

}  // namespace schakel::cli
