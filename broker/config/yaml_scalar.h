// The text forms of single values in files that people write. Used by yaml_message.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schakel/v1/yaml_options.pb.h"

namespace schakel::config {

// A whole decimal number without sign, plus or leading zeros ("-" in front when `negative`).
// nullopt when it is none or does not fit.
std::optional<int64_t> ParseInteger(std::string_view text);
std::optional<uint64_t> ParseUnsigned(std::string_view text);

// 64KiB, 256MiB, 1GiB or plain bytes. nullopt when it is none or does not fit.
std::optional<uint64_t> ParseByteSize(std::string_view text);

// 500ms, 10s, 5min, 12h, 30d as milliseconds. nullopt when it is none or does not fit.
std::optional<int64_t> ParseDurationMs(std::string_view text);

// What is wrong with a text of that form, as "expected ..."; nullopt when nothing is.
std::optional<std::string> FormProblem(schakel::v1::YamlForm form, std::string_view text);

// An enum value's name as files write it: without the enum's prefix, lower case, with hyphens.
// `enum_name` RuleEffect and `value_name` RULE_EFFECT_NO_RULE give no-rule.
std::string EnumText(std::string_view enum_name, std::string_view value_name);

}  // namespace schakel::config
