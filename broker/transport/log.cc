#include "broker/transport/log.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

namespace schakel::transport {
namespace {

constexpr size_t kValueBytesMax = 1000;

const char* Name(LogKey key) {
  switch (key) {
    case LogKey::kOrganisation:
      return "organisation";
    case LogKey::kMethod:
      return "method";
    case LogKey::kCode:
      return "code";
    case LogKey::kReason:
      return "reason";
    case LogKey::kTraceId:
      return "trace_id";
    case LogKey::kPosition:
      return "position";
    case LogKey::kTreeSize:
      return "tree_size";
    case LogKey::kAddress:
      return "address";
    case LogKey::kPort:
      return "port";
    case LogKey::kMode:
      return "mode";
    case LogKey::kPath:
      return "path";
    case LogKey::kVersion:
      return "version";
    case LogKey::kDigest:
      return "digest";
    case LogKey::kCount:
      return "count";
    case LogKey::kBytes:
      return "bytes";
    case LogKey::kMicros:
      return "micros";
    case LogKey::kSignal:
      return "signal";
    case LogKey::kDetail:
      return "detail";
    case LogKey::kSource:
      return "source";
    case LogKey::kUntil:
      return "until";
  }
  return "unknown";
}

const char* Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::optional<LogLevel> ParseLevel(std::string_view text) {
  if (text.empty()) return LogLevel::kInfo;
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (text == Name(level)) return level;
  }
  return std::nullopt;
}

// RFC 3339, UTC, milliseconds.
std::string TimeText(std::chrono::system_clock::time_point now) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(millis).count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  return std::string(text, size) + fmt::format(".{:03}Z", (millis.count() % 1000));
}

}  // namespace

Result<std::unique_ptr<Logger>> Logger::Make(std::string_view level, std::ostream* out) {
  spdlog::sink_ptr sink;
  if (out != nullptr) {
    sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(*out, /*force_flush=*/true);
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  auto logger = std::make_shared<spdlog::logger>("schakel", std::move(sink));
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::debug);
  std::unique_ptr<Logger> made(new Logger(std::move(logger)));
  SCHAKEL_TRY(made->SetLevel(level));
  return made;
}

Status Logger::SetLevel(std::string_view level) {
  const std::optional<LogLevel> parsed = ParseLevel(level);
  if (!parsed) {
    return InvalidArgument("FIELD_INVALID", "log.level",
                           "expected debug, info, warning or error, not " + std::string(level));
  }
  logger_->set_level(SpdlogLevel(*parsed));
  return {};
}

Logger::~Logger() = default;

void Logger::Write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!logger_->should_log(SpdlogLevel(level))) return;
  nlohmann::ordered_json line;
  line["time"] = TimeText(std::chrono::system_clock::now());
  line["level"] = Name(level);
  line["event"] = event;
  for (const LogField& field : fields) {
    std::visit(
        [&](const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string_view>) {
            line[Name(field.key)] = value.substr(0, kValueBytesMax);
          } else {
            line[Name(field.key)] = value;
          }
        },
        field.value);
  }
  // Wrong UTF-8 (a library's text, a cut value) is replaced, never thrown at.
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  logger_->log(SpdlogLevel(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace schakel::transport
