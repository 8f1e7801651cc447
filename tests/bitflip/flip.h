// One bit of one of a folder's files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>

namespace schakel::bitflip {

// The file that only holds disk space for bad times.
inline constexpr const char* kReserve = "reserve";

struct Flip {
  std::filesystem::path file;  // from the folder
  uint64_t offset = 0;
  int bit = 0;

  // "blob" for 000012.blob, "CURRENT" for CURRENT.
  std::string kind() const;
};

// Every file gets its turn, and so does every byte: half of the draws take a file first, whatever
// its size, half take a byte of all bytes. The
// reserve is left out, since it holds nothing. REQUIRES:
// the folder has a file with content.
Flip Draw(const std::filesystem::path& folder, std::mt19937_64& random);
void Apply(const std::filesystem::path& folder, const Flip& flip);

}  // namespace schakel::bitflip
