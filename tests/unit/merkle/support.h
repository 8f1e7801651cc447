// What the tests of the log share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/crypto/sign.h"
#include "broker/merkle/proof.h"
#include "broker/merkle/tile_builder.h"
#include "broker/merkle/tree.h"
#include "tests/support/paths.h"

namespace schakel::merkle {

inline std::string ReadVectorFile(const std::string& name) {
  std::ifstream in(checkout::SourcePath("tests/vectors/") + name, std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline nlohmann::json ReadVectors(const std::string& name) {
  return nlohmann::json::parse(ReadVectorFile(name));
}

inline Bytes FromHex(const nlohmann::json& hex) {
  return HexDecode(hex.get<std::string>()).value();
}

inline Digest DigestOf(BytesView raw) {
  auto digest = Digest::From(raw);
  EXPECT_TRUE(digest.has_value()) << "no 32 bytes";
  return digest.value_or(Digest{});
}

// A signing key that is the same in every run. Tests only: anyone can compute it.
inline crypto::SigningKey TestKey(char fill) {
  return crypto::SigningKey::FromSeed(crypto::SecretBytes::CopyOf(Bytes(32, fill))).value();
}

// A tree that keeps every node, for making proofs.
class MemoryTree {
 public:
  void Append(const Digest& entry) {
    levels_.resize(std::max<size_t>(levels_.size(), 1));
    levels_[0].push_back(LeafHash(entry));
    for (size_t level = 0; levels_[level].size() % 2 == 0; ++level) {
      if (levels_.size() == level + 1) levels_.emplace_back();
      const auto& row = levels_[level];
      levels_[level + 1].push_back(NodeHash(row[row.size() - 2], row.back()));
    }
  }
  NodeReader Nodes() const {
    return [this](NodeId id) -> Result<Digest> {
      if (id.level >= levels_.size() || id.index >= levels_[id.level].size()) {
        return Internal("no such node");
      }
      return levels_[id.level][id.index];
    };
  }

 private:
  std::vector<std::vector<Digest>> levels_;
};

// The tiles and entry bundles of a growing tree, by their paths.
class MemoryTiles {
 public:
  void Append(const Digest& entry) {
    builder_.Append(entry, [this](const TileId& tile, std::span<const Digest> hashes) {
      files_[TilePath(tile)] = EncodeTile(hashes);
    });
    entries_.push_back(entry);
  }
  // All files of a tlog-tiles folder but the checkpoint, at the size now.
  std::map<std::string, Bytes> Files() const {
    auto files = files_;
    for (const TileId& tile : builder_.PartialTiles()) {
      files[TilePath(tile)] = EncodeTile(builder_.Partial(tile.level));
    }
    for (size_t begin = 0; begin < entries_.size(); begin += kTileWidth) {
      const auto bundle =
          std::span(entries_).subspan(begin, std::min<size_t>(kTileWidth, entries_.size() - begin));
      files[EntryBundlePath(begin / kTileWidth, static_cast<uint32_t>(bundle.size()))] =
          EncodeEntryBundle(bundle);
    }
    return files;
  }
  // Reads from a copy of the tiles as they are now.
  TileReader Reader() const {
    return [files = Files()](const TileId& tile) -> Result<Bytes> {
      auto file = files.find(TilePath(tile));
      if (file == files.end()) return Internal("no tile " + TilePath(tile));
      return file->second;
    };
  }
  const TileBuilder& builder() const { return builder_; }

 private:
  TileBuilder builder_;
  std::map<std::string, Bytes> files_;
  std::vector<Digest> entries_;
};

}  // namespace schakel::merkle
