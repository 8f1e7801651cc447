// Result<T>: a value or an Error. Shaped like std::expected (which g++ 12 lacks).
// An expected denial is no Error: it is a value of its own type (see policy/engine/decision.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "broker/base/check.h"

namespace schakel {

// Same numbers as google.rpc.Code, so that the transport translates by a cast.
enum class ErrorCode : int {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// What went wrong, where, and what was expected.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string reason;   // stable UPPER_SNAKE, a value of error_reason.proto without its prefix
  std::string message;  // English, for people: what was wrong and what was expected; no personal data
  std::string field;    // path of the wrong field or "file:line", empty when none applies
  int64_t retry_after_ms = 0;  // > 0 when the same request may be retried after that time

  bool operator==(const Error&) const = default;
};

inline Error InvalidArgument(std::string reason, std::string field, std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(reason), std::move(message), std::move(field), 0};
}
inline Error MakeError(ErrorCode code, std::string reason, std::string message,
                       std::string field = {}) {
  return {code, std::move(reason), std::move(message), std::move(field), 0};
}
inline Error Internal(std::string message) {
  return {ErrorCode::kInternal, "INTERNAL", std::move(message), {}, 0};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok()
  T& value() & {
    SCHAKEL_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(state_);
  }
  const T& value() const& {
    SCHAKEL_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(state_);
  }
  T&& value() && {
    SCHAKEL_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok()
  const Error& error() const {
    SCHAKEL_CHECK(!ok(), "error() of a Result that holds a value");
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

// Success or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  // REQUIRES: !ok()
  const Error& error() const {
    SCHAKEL_CHECK(!ok(), "error() of a Result that succeeded");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace schakel

#define SCHAKEL_CONCAT_INNER(a, b) a##b
#define SCHAKEL_CONCAT(a, b) SCHAKEL_CONCAT_INNER(a, b)

// Returns the error of `expression` (a Result) from the calling function, if it failed.
#define SCHAKEL_TRY(expression)                                          \
  do {                                                                   \
    if (auto schakel_try = (expression); !schakel_try.ok())              \
      return schakel_try.error();                                        \
  } while (false)

// Declares `lhs` with the value of `expression`, or returns its error.
#define SCHAKEL_ASSIGN(lhs, expression) \
  SCHAKEL_ASSIGN_INNER(SCHAKEL_CONCAT(schakel_result_, __LINE__), lhs, expression)
#define SCHAKEL_ASSIGN_INNER(result, lhs, expression) \
  auto result = (expression);                         \
  if (!result.ok()) return result.error();            \
  lhs = std::move(result).value()
