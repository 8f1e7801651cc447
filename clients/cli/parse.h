// Small values of the command line: ids, times, durations, addresses. A mistake is a USAGE error,
// its message in the user's language.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <utility>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/language.h"
#include "policy/engine/party.h"

namespace schakel::cli {

// 16 bytes: as a UUID, 32 hex digits, or base64 (as JSON output has them). USAGE otherwise.
Result<Bytes> ParseId16(Language language, const std::string& text, const std::string& option);

template <typename Id>
Result<Id> ParseId(Language language, const std::string& text, const std::string& option) {
  SCHAKEL_ASSIGN(const Bytes raw, ParseId16(language, text, option));
  return *Id::From(raw);
}

Result<OrganisationId> ParseOin(Language language, const std::string& text,
                                const std::string& option);
// 64 hex digits.
Result<Digest> ParseDigest(Language language, const std::string& text, const std::string& option);
// function@Area
Result<policy::FunctionAtArea> ParseFunction(Language language, const std::string& text,
                                             const std::string& option);
// 500ms, 30s, 10min, 8h, 5d, 2w: a whole number from 1 with its unit.
Result<Millis> ParseDuration(Language language, const std::string& text, const std::string& option);
// 2026-01-31 (its first moment), 2026-01-31T12:00, 2026-01-31T12:00:05, both in local time; with a
// final Z in UTC.
Result<Millis> ParseTime(Language language, const std::string& text, const std::string& option);

google::protobuf::Timestamp TimestampOf(Millis time);
Millis MillisOf(const google::protobuf::Timestamp& time);
// "2026-01-31 12:00:05" in local time; empty for a time that is not set.
std::string TimeText(Millis time);
std::string TimeText(const google::protobuf::Timestamp& time);

// "KEY=VALUE" -> both; USAGE without the sign or with an empty part.
Result<std::pair<std::string, std::string>> ParsePair(Language language, const std::string& text,
                                                      const std::string& option);

}  // namespace schakel::cli
