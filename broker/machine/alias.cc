#include "broker/machine/alias.h"

#include "broker/crypto/hash.h"

namespace schakel::machine {

namespace {

// SOURCE: Crockford's base 32: no I, L, O, which look like digits, and no U.
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr size_t kPrefixMax = 4;
constexpr size_t kCodeMax = 8;

// A permutation of the numbers below 2^(2 * half_bits): Luby and Rackoff's construction, with as
// many rounds as keep small domains even.
constexpr int kRounds = 6;

uint64_t Round(const merkle::AliasKey& key, int round, unsigned half_bits, uint64_t half) {
  const Digest digest = crypto::Sha256Hasher()
                            .Raw("schakel/v1/alias\n")
                            .Raw(key.view())
                            .U8(static_cast<uint8_t>(round))
                            .U8(static_cast<uint8_t>(half_bits))
                            .U32(static_cast<uint32_t>(half))
                            .Finish();
  uint64_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | digest.bytes[i];
  return value & ((uint64_t{1} << half_bits) - 1);
}

uint64_t Permute(const merkle::AliasKey& key, unsigned half_bits, uint64_t number) {
  uint64_t left = number >> half_bits;
  uint64_t right = number & ((uint64_t{1} << half_bits) - 1);
  for (int round = 0; round < kRounds; ++round) {
    uint64_t next = left ^ Round(key, round, half_bits, right);
    left = right;
    right = next;
  }
  return left << half_bits | right;
}

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::string AliasPrefix(std::string_view region) {
  std::string prefix;
  for (char c : region.substr(0, region.find('.'))) {
    c = Upper(c);
    bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain && prefix.size() < kPrefixMax) prefix += c;
  }
  return prefix.empty() ? "S" : prefix;
}

std::string AliasCode(const merkle::AliasKey& key, uint64_t number) {
  unsigned bits = 20;
  // LIMIT: 8 characters name 2^40 signals; behind them numbers would be used again.
  while (bits < 40 && number >= uint64_t{1} << bits) {
    number -= uint64_t{1} << bits;
    bits += 10;
  }
  uint64_t permuted = Permute(key, bits / 2, number & ((uint64_t{1} << bits) - 1));
  std::string code;
  for (unsigned shift = bits; shift > 0; shift -= 5) {
    code += kDigits[permuted >> (shift - 5) & 31];
  }
  return code;
}

std::string NextAlias(Context& ctx) {
  auto& meta = ctx.meta();
  if (meta.alias_key().empty()) {
    meta.set_alias_key(merkle::AliasKeyOf(ctx.command().entropy).str());
  }
  uint64_t number = meta.signals();
  meta.set_signals(number + 1);
  return AliasPrefix(meta.region()) + "-" +
         AliasCode(*merkle::AliasKey::From(meta.alias_key()), number);
}

std::optional<std::string> NormalAlias(std::string_view typed) {
  size_t hyphen = typed.find('-');
  if (hyphen == std::string_view::npos || hyphen == 0 || hyphen > kPrefixMax) return std::nullopt;
  std::string alias;
  for (char c : typed.substr(0, hyphen)) {
    c = Upper(c);
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return std::nullopt;
    alias += c;
  }
  alias += '-';
  std::string_view code = typed.substr(hyphen + 1);
  if (code.size() < 4 || code.size() > kCodeMax) return std::nullopt;
  for (char c : code) {
    c = Upper(c);
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if (kDigits.find(c) == std::string_view::npos) return std::nullopt;
    alias += c;
  }
  return alias;
}

}  // namespace schakel::machine
