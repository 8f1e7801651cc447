// RFC 6962 2.1 word for word: slow, recursive, over lists of entries. The fast code is held against
// it. It shares nothing with broker/merkle but SHA-256.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/crypto/hash.h"

namespace schakel::textbook {

using Entries = std::vector<Bytes>;

// D[n] of the RFC; points into a list of entries.
using List = std::span<const Bytes>;

// D[begin:end]
inline List Slice(List d, size_t begin, size_t end) { return d.subspan(begin, end - begin); }

inline size_t LargestPowerOfTwoBelow(size_t n) {
  size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

inline Digest Mth(List d) {
  if (d.empty()) return crypto::Sha256("");
  if (d.size() == 1) return crypto::Sha256(std::string(1, '\x00') + d[0]);
  const size_t k = LargestPowerOfTwoBelow(d.size());
  return crypto::Sha256(std::string(1, '\x01') + Mth(Slice(d, 0, k)).str() +
                        Mth(Slice(d, k, d.size())).str());
}

inline std::vector<Digest> PathOf(size_t m, List d) {
  if (d.size() == 1) return {};
  const size_t k = LargestPowerOfTwoBelow(d.size());
  std::vector<Digest> path;
  if (m < k) {
    path = PathOf(m, Slice(d, 0, k));
    path.push_back(Mth(Slice(d, k, d.size())));
  } else {
    path = PathOf(m - k, Slice(d, k, d.size()));
    path.push_back(Mth(Slice(d, 0, k)));
  }
  return path;
}

inline std::vector<Digest> SubProof(size_t m, List d, bool complete) {
  if (m == d.size()) return complete ? std::vector<Digest>{} : std::vector<Digest>{Mth(d)};
  const size_t k = LargestPowerOfTwoBelow(d.size());
  std::vector<Digest> proof;
  if (m <= k) {
    proof = SubProof(m, Slice(d, 0, k), complete);
    proof.push_back(Mth(Slice(d, k, d.size())));
  } else {
    proof = SubProof(m - k, Slice(d, k, d.size()), false);
    proof.push_back(Mth(Slice(d, 0, k)));
  }
  return proof;
}

inline std::vector<Digest> Consistency(size_t m, List d) { return SubProof(m, d, true); }

// n entries of 32 bytes, all different.
inline Entries MakeEntries(size_t n) {
  Entries entries;
  entries.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    entries.push_back(crypto::Sha256("entry " + std::to_string(i)).str());
  }
  return entries;
}

}  // namespace schakel::textbook
