#include "clients/cli/parse.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "clients/cli/messages.h"

namespace schakel::cli {

Result<Bytes> ParseId16(Language language, const std::string& text, const std::string& option) {
  if (auto uuid = UuidParse(text)) return *uuid;
  if (auto raw = HexDecode(text); raw && raw->size() == 16) return *raw;
  if (auto raw = Base64Decode(text); raw && raw->size() == 16) return *raw;
  return UsageError(Say(language, Msg::kNoId, {text}), option);
}

Result<OrganisationId> ParseOin(Language language, const std::string& text,
                                const std::string& option) {
  if (auto oin = OrganisationId::From(text)) return *oin;
  return UsageError(Say(language, Msg::kNoOin, {text}), option);
}

Result<Digest> ParseDigest(Language language, const std::string& text, const std::string& option) {
  if (const auto raw = HexDecode(text)) {
    if (const auto digest = Digest::From(*raw)) return *digest;
  }
  return UsageError(Say(language, Msg::kNoDigest, {text}), option);
}

Result<policy::FunctionAtArea> ParseFunction(Language language, const std::string& text,
                                             const std::string& option) {
  if (auto function = policy::FunctionAtArea::Parse(text)) return *function;
  return UsageError(Say(language, Msg::kNoFunction, {text}), option);
}

Result<Millis> ParseDuration(Language language, const std::string& text,
                             const std::string& option) {
  int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  int64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "min" || unit == "m") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  if (unit == "d") factor = 86'400'000;
  if (unit == "w") factor = 7 * int64_t{86'400'000};
  if (code != std::errc() || factor == 0 || number < 1 || number > 1'000'000'000) {
    return UsageError(Say(language, Msg::kNoDuration, {text}), option);
  }
  return Millis(number * factor);
}

Result<Millis> ParseTime(Language language, const std::string& text, const std::string& option) {
  const bool utc = text.ends_with('Z');
  const std::string body = utc ? text.substr(0, text.size() - 1) : text;
  for (const char* form : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* end = strptime(body.c_str(), form, &parts);
    if (end == nullptr || *end != '\0') continue;
    const int day = parts.tm_mday;
    parts.tm_isdst = -1;
    const time_t seconds = utc ? timegm(&parts) : std::mktime(&parts);
    if (seconds == -1 || parts.tm_mday != day) break;  // such as 31 February
    return Millis(int64_t{seconds} * 1000);
  }
  return UsageError(Say(language, Msg::kNoTime, {text}), option);
}

google::protobuf::Timestamp TimestampOf(Millis time) {
  google::protobuf::Timestamp stamp;
  stamp.set_seconds(time.count() / 1000);
  stamp.set_nanos(static_cast<int32_t>(time.count() % 1000 * 1'000'000));
  return stamp;
}

Millis MillisOf(const google::protobuf::Timestamp& time) {
  // LIMIT: years 1 to 9999, as the type lays down, whatever the other side says.
  const auto seconds = std::clamp<int64_t>(time.seconds(), -62'135'596'800, 253'402'300'799);
  return Millis(seconds * 1000 + time.nanos() / 1'000'000);
}

std::string TimeText(Millis time) {
  if (time.count() == 0) return "";
  const time_t seconds = time.count() / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

std::string TimeText(const google::protobuf::Timestamp& time) { return TimeText(MillisOf(time)); }

Result<std::pair<std::string, std::string>> ParsePair(Language language, const std::string& text,
                                                      const std::string& option) {
  const size_t at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    return UsageError(Say(language, Msg::kNoPair, {text}), option);
  }
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

}  // namespace schakel::cli
