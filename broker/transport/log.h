// Structured log: one JSON object a line on standard error, without personal data.
// What may be logged is a closed list of keys: no actor, no subject, no label, no content, no
// request. INVARIANT I5.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>

#include "broker/base/result.h"

namespace spdlog {
class logger;
}

namespace schakel::transport {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// The keys, each with its name in the line in log.cc. An organisation's OIN is no personal data.
enum class LogKey {
  kOrganisation,
  kMethod,
  kCode,
  kReason,
  kTraceId,
  kPosition,
  kTreeSize,
  kAddress,
  kPort,
  kMode,
  kPath,
  kVersion,
  kDigest,
  kCount,
  kBytes,
  kMicros,
  kSignal,  // number of a Unix signal
  kDetail,  // a failure's English text, of our own or of a library; never text of a request
  kSource,  // file:line of a library's message
  kUntil,   // seconds since 1970 at which something ends
};

struct LogField {
  LogKey key;
  std::variant<std::string_view, int64_t, uint64_t, bool> value;

  LogField(LogKey k, std::string_view v) : key(k), value(v) {}
  LogField(LogKey k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(LogKey k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(LogKey k, bool v) : key(k), value(v) {}
  template <std::signed_integral T>
  LogField(LogKey k, T v) : key(k), value(static_cast<int64_t>(v)) {}
  template <std::unsigned_integral T>
  LogField(LogKey k, T v) : key(k), value(static_cast<uint64_t>(v)) {}
};

// Thread-safe. LIMIT: text values are cut at 1,000 bytes.
class Logger {
 public:
  // Level as in the configuration: debug, info, warning or error; empty means info. `out`: where
  // the lines go instead of standard error (tests); must outlive it. Errors: FIELD_INVALID.
  static Result<std::unique_ptr<Logger>> Make(std::string_view level, std::ostream* out = nullptr);
  ~Logger();

  // Another level from now on, named as in Make. FIELD_INVALID: the old one stays.
  Status SetLevel(std::string_view level);

  // `event` is a literal in snake_case: what happened.
  template <size_t N>
  void Debug(const char (&event)[N], std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kDebug, {event, N - 1}, fields);
  }
  template <size_t N>
  void Info(const char (&event)[N], std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kInfo, {event, N - 1}, fields);
  }
  template <size_t N>
  void Warning(const char (&event)[N], std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kWarning, {event, N - 1}, fields);
  }
  template <size_t N>
  void Failure(const char (&event)[N], std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kError, {event, N - 1}, fields);
  }

 private:
  explicit Logger(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}
  void Write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

  const std::shared_ptr<spdlog::logger> logger_;
};

// Sends gRPC's own log lines (process-wide) to `log` as events "grpc" and counts handshakes that
// failed. Ends with the object's life; only one at a time. gRPC 1.51 tells of a failed handshake
// nowhere but in its log.
class GrpcLogBridge {
 public:
  explicit GrpcLogBridge(Logger* log);  // must outlive it
  ~GrpcLogBridge();
  GrpcLogBridge(const GrpcLogBridge&) = delete;
  GrpcLogBridge& operator=(const GrpcLogBridge&) = delete;
  static uint64_t FailedHandshakes();  // since the process started
};

}  // namespace schakel::transport
