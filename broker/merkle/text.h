// Strict texts: what notes, checkpoints and tile paths are made of. Internal to broker/merkle.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace schakel::merkle {

// A decimal number without sign, white space or leading zeros; nullopt above 2^64 - 1.
std::optional<uint64_t> ParseDecimal(std::string_view text);

// The first line of `text` without its newline; both are taken off. nullopt when there is none.
std::optional<std::string_view> TakeLine(std::string_view& text);

// Valid UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF) without control characters
// below U+0020 other than newline.
bool IsNoteText(std::string_view text);

// A key name of C2SP signed-note: not empty, valid UTF-8, no Unicode space, no plus sign, and no
// control character.
bool IsKeyName(std::string_view name);

}  // namespace schakel::merkle
