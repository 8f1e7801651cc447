// Test vectors of tests/vectors, with their hex fields read as bytes.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/crypto/secret.h"
#include "tests/support/paths.h"

namespace schakel::crypto {

inline nlohmann::json LoadVectors(const std::string& path) {
  std::ifstream in(checkout::SourcePath("tests/vectors/") + path);
  EXPECT_TRUE(in.good()) << path;
  return nlohmann::json::parse(in);
}

inline Bytes Hex(const nlohmann::json& field) {
  return HexDecode(field.get<std::string>()).value();
}
inline Bytes Hex(const char* text) { return HexDecode(text).value(); }
inline Digest HexDigest(const nlohmann::json& field) { return Digest::From(Hex(field)).value(); }
inline SecretBytes HexSecret(const nlohmann::json& field) {
  return SecretBytes::CopyOf(Hex(field));
}
inline OrganisationId Oin(const nlohmann::json& field) {
  return OrganisationId::From(field.get<std::string>()).value();
}

inline Bytes FlipBit(Bytes bytes, size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

}  // namespace schakel::crypto
