#include "broker/crypto/secret_pool.h"

#include <sodium.h>

#include <array>
#include <mutex>
#include <vector>

#include "broker/base/check.h"
#include "broker/crypto/init.h"

namespace schakel::crypto {

namespace {

// Keys and scalars; curve points with labels; a padded section of 1 KiB.
constexpr std::array<size_t, 3> kPieceBytes = {64, 256, 2048};
constexpr size_t kPiecesPerBlock = 32;

// Blocks are kept for the life of the process: as many as were ever needed at once.
class Pool {
 public:
  uint8_t* Take(size_t piece_bytes) {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) AddBlock(piece_bytes);
    uint8_t* piece = free_.back();
    free_.pop_back();
    return piece;
  }
  void GiveBack(uint8_t* piece) {
    const std::lock_guard lock(mutex_);
    free_.push_back(piece);
  }

 private:
  void AddBlock(size_t piece_bytes) {
    auto* block = static_cast<uint8_t*>(sodium_malloc(piece_bytes * kPiecesPerBlock));
    SCHAKEL_CHECK(block != nullptr, "memory for secrets");
    sodium_memzero(block, piece_bytes * kPiecesPerBlock);  // sodium_malloc fills with 0xdb
    for (size_t i = 0; i < kPiecesPerBlock; ++i) free_.push_back(block + i * piece_bytes);
  }

  std::mutex mutex_;
  std::vector<uint8_t*> free_;  // zeros, all of them
};

// The pool for a size; null when it has a block of its own. Never destroyed: secrets of objects with
// static storage may outlive any order of destruction.
Pool* PoolFor(size_t size, size_t* piece_bytes) {
  static auto* pools = new std::array<Pool, kPieceBytes.size()>();
  for (size_t i = 0; i < kPieceBytes.size(); ++i) {
    if (size > kPieceBytes[i]) continue;
    *piece_bytes = kPieceBytes[i];
    return &(*pools)[i];
  }
  return nullptr;
}

}  // namespace

uint8_t* TakeSecretMemory(size_t size) {
  InitCrypto();
  size_t piece_bytes = 0;
  if (Pool* pool = PoolFor(size, &piece_bytes)) return pool->Take(piece_bytes);
  auto* own = static_cast<uint8_t*>(sodium_malloc(size));
  SCHAKEL_CHECK(own != nullptr, "memory for a secret");
  sodium_memzero(own, size);
  return own;
}

void GiveBackSecretMemory(uint8_t* memory, size_t size) {
  if (memory == nullptr) return;
  size_t piece_bytes = 0;
  if (Pool* pool = PoolFor(size, &piece_bytes)) {
    sodium_memzero(memory, size);
    pool->GiveBack(memory);
  } else {
    sodium_free(memory);  // wipes
  }
}

}  // namespace schakel::crypto
