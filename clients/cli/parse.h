// Small values of the command line: ids, times, durations, addresses.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <utility>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "clients/cli/exit_code.h"
#include "policy/engine/party.h"

namespace schakel::cli {

// 16 bytes: as a UUID, 32 hex digits, or base64 (as JSON output has them). USAGE otherwise.
Result<Bytes> ParseId16(const std::string& text, const std::string& option);

template <typename Id>
Result<Id> ParseId(const std::string& text, const std::string& option) {
  SCHAKEL_ASSIGN(const Bytes raw, ParseId16(text, option));
  return *Id::From(raw);
}

Result<OrganisationId> ParseOin(const std::string& text, const std::string& option);
// 64 hex digits.
Result<Digest> ParseDigest(const std::string& text, const std::string& option);
// function@Area
Result<policy::FunctionAtArea> ParseFunction(const std::string& text, const std::string& option);
// 500ms, 30s, 10min, 8h, 5d, 2w: a whole number from 1 with its unit.
Result<Millis> ParseDuration(const std::string& text, const std::string& option);
// 2026-01-31 (its first moment), 2026-01-31T12:00, 2026-01-31T12:00:05, both in local time; with a
// final Z in UTC.
Result<Millis> ParseTime(const std::string& text, const std::string& option);

google::protobuf::Timestamp TimestampOf(Millis time);
Millis MillisOf(const google::protobuf::Timestamp& time);
// "2026-01-31 12:00:05" in local time; empty for a time that is not set.
std::string TimeText(Millis time);
std::string TimeText(const google::protobuf::Timestamp& time);

// "KEY=VALUE" -> both; USAGE without the sign or with an empty part.
Result<std::pair<std::string, std::string>> ParsePair(const std::string& text,
                                                      const std::string& option);

}  // namespace schakel::cli
