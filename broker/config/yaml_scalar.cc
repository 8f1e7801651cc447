#include "broker/config/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "broker/base/limits.h"

namespace schakel::config {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

bool IsCode(std::string_view text) {
  if (text.empty() || text.size() > limits::kCodeBytesMax || !IsLower(text[0])) return false;
  if (text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; });
}

bool IsDomain(std::string_view text) {
  if (text.empty() || text.size() > limits::kCodeBytesMax) return false;
  char previous = '.';
  for (char c : text) {
    if (!IsLower(c) && !IsDigit(c) && c != '-' && c != '.') return false;
    if ((c == '.' || c == '-') && previous == '.') return false;
    if (c == '.' && previous == '-') return false;
    previous = c;
  }
  return previous != '.' && previous != '-' && text.find('.') != std::string_view::npos;
}

template <typename T>
std::optional<T> ParseWhole(std::string_view text) {
  std::string_view digits = text;
  if (std::numeric_limits<T>::is_signed && digits.starts_with('-')) digits.remove_prefix(1);
  // A leading zero would be octal to one reader of YAML and decimal to another.
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), IsDigit)) return std::nullopt;
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// The number before one of the units, times its factor.
template <size_t n>
std::optional<uint64_t> ParseWithUnit(std::string_view text, const Unit (&units)[n]) {
  const size_t digits = std::find_if_not(text.begin(), text.end(), IsDigit) - text.begin();
  const auto number = ParseUnsigned(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    if (*number > std::numeric_limits<uint64_t>::max() / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> ParseInteger(std::string_view text) { return ParseWhole<int64_t>(text); }
std::optional<uint64_t> ParseUnsigned(std::string_view text) { return ParseWhole<uint64_t>(text); }

std::optional<uint64_t> ParseByteSize(std::string_view text) {
  static constexpr Unit kUnits[] = {
      {"", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}};
  return ParseWithUnit(text, kUnits);
}

std::optional<int64_t> ParseDurationMs(std::string_view text) {
  static constexpr Unit kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const auto ms = ParseWithUnit(text, kUnits);
  // LIMIT: google.protobuf.Duration holds 10,000 years.
  if (!ms || *ms > 315'576'000'000'000ull) return std::nullopt;
  return static_cast<int64_t>(*ms);
}

std::optional<std::string> FormProblem(schakel::v1::YamlForm form, std::string_view text) {
  const auto all = [&](auto predicate) { return std::all_of(text.begin(), text.end(), predicate); };
  switch (form) {
    case schakel::v1::YAML_FORM_CODE:
      if (IsCode(text)) return std::nullopt;
      return "expected a code: lower case letters, digits and hyphens, at most 64";
    case schakel::v1::YAML_FORM_OIN:
      if (text.size() == 20 && all(IsDigit)) return std::nullopt;
      return "expected an OIN: 20 digits";
    case schakel::v1::YAML_FORM_DIGEST:
      if (text.size() == 64 && all([](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); })) {
        return std::nullopt;
      }
      return "expected a SHA-256 digest: 64 lower-case hexadecimal digits";
    case schakel::v1::YAML_FORM_FUNCTION_AT_AREA: {
      const size_t at = text.find('@');
      if (at != std::string_view::npos && IsCode(text.substr(0, at)) &&
          IsCode(text.substr(at + 1))) {
        return std::nullopt;
      }
      return "expected function@area, such as debt-relief@dordrecht";
    }
    case schakel::v1::YAML_FORM_DOMAIN:
      if (IsDomain(text)) return std::nullopt;
      return "expected a domain name in lower case, such as zhz.example";
    default:
      if (all([](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; })) {
        return std::nullopt;
      }
      return "expected text without control characters";
  }
}

std::string EnumText(std::string_view enum_name, std::string_view value_name) {
  std::string prefix;
  for (char c : enum_name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !prefix.empty()) prefix += '_';
    prefix += IsLower(c) ? static_cast<char>(c - 'a' + 'A') : c;
  }
  prefix += '_';
  std::string text(value_name.starts_with(prefix) ? value_name.substr(prefix.size()) : value_name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return text;
}

}  // namespace schakel::config
