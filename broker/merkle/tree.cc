#include "broker/merkle/tree.h"

#include <bit>
#include <cstring>

#include "broker/crypto/hash.h"

namespace schakel::merkle {

Digest LeafHash(BytesView entry) { return crypto::Sha256Hasher().U8(0x00).Raw(entry).Finish(); }

Digest LeafHash(const Digest& entry) {
  char message[1 + 32];
  message[0] = 0x00;
  std::memcpy(message + 1, entry.bytes.data(), 32);
  return crypto::Sha256(BytesView(message, sizeof message));
}

Digest NodeHash(const Digest& left, const Digest& right) {
  char message[1 + 32 + 32];
  message[0] = 0x01;
  std::memcpy(message + 1, left.bytes.data(), 32);
  std::memcpy(message + 33, right.bytes.data(), 32);
  return crypto::Sha256(BytesView(message, sizeof message));
}

const Digest& RootOfEmpty() {
  static const Digest kRoot = crypto::Sha256(BytesView());
  return kRoot;
}

void Frontier::AppendLeaf(const Digest& leaf_hash) {
  SCHAKEL_CHECK(size_ != UINT64_MAX, "a tree of 2^64 - 1 leaves is full");
  Digest node = leaf_hash;
  uint32_t level = 0;
  // As in binary counting: each set low bit is a finished subtree that the new leaf completes.
  for (uint64_t s = size_; (s & 1) != 0; s >>= 1) node = NodeHash(node_[level++], node);
  node_[level] = node;
  ++size_;
}

Digest Frontier::Root() const {
  if (size_ == 0) return RootOfEmpty();
  auto level = static_cast<uint32_t>(std::countr_zero(size_));
  Digest root = node_[level];
  for (++level; level < 64; ++level) {
    if ((size_ >> level & 1) != 0) root = NodeHash(node_[level], root);
  }
  return root;
}

Bytes Frontier::Serialise() const {
  ByteWriter out(8 + 32 * static_cast<size_t>(std::popcount(size_)));
  out.U64(size_);
  for (uint32_t level = 64; level-- > 0;) {
    if ((size_ >> level & 1) != 0) out.Raw(node_[level].view());
  }
  return out.Take();
}

Result<Frontier> Frontier::Parse(BytesView raw) {
  ByteReader in(raw);
  Frontier frontier;
  frontier.size_ = in.U64().value_or(0);
  for (uint32_t level = 64; level-- > 0 && !in.failed();) {
    if ((frontier.size_ >> level & 1) == 0) continue;
    auto hash = in.Raw(32);
    if (hash) frontier.node_[level] = *Digest::From(*hash);
  }
  if (!in.Done()) {
    return InvalidArgument("MERKLE_MALFORMED", "frontier",
                           "a frontier is a size and one hash per set bit of it");
  }
  return frontier;
}

bool Frontier::operator==(const Frontier& other) const {
  if (size_ != other.size_) return false;
  for (uint32_t level = 0; level < 64; ++level) {
    if ((size_ >> level & 1) != 0 && node_[level] != other.node_[level]) return false;
  }
  return true;
}

}  // namespace schakel::merkle
