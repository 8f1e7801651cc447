#include "broker/transport/trace.h"

#include <algorithm>

#include "broker/crypto/random.h"

namespace schakel::transport {
namespace {

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool AllZero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

// The 32 digits of trace-id, or nothing.
// SOURCE: W3C Trace Context 3.2.2: version "-" trace-id "-" parent-id "-" trace-flags
std::string_view TraceIdDigits(std::string_view text) {
  constexpr size_t kLength = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  if (text.size() < kLength) return {};
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
  if (!IsLowerHex(version) || !IsLowerHex(trace) || !IsLowerHex(parent) || !IsLowerHex(flags)) {
    return {};
  }
  if (version == "ff" || AllZero(trace) || AllZero(parent)) return {};
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return {};
  return trace;
}

}  // namespace

Bytes TraceIdFrom(std::string_view traceparent) {
  const std::string_view digits = TraceIdDigits(traceparent);
  if (digits.empty()) return crypto::RandomBytes(16);
  std::optional<Bytes> raw = HexDecode(digits);
  SCHAKEL_CHECK(raw.has_value(), "the digits were checked");
  return *std::move(raw);
}

}  // namespace schakel::transport
