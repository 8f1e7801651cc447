#include "tests/bitflip/flip.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "broker/base/check.h"

namespace schakel::bitflip {

namespace fs = std::filesystem;

std::string Flip::kind() const {
  const std::string name = file.filename().string();
  const std::string ending = file.extension().string();
  // Of an older LOG the rest of the name is a time.
  if (!ending.empty() && !name.starts_with("LOG")) return ending.substr(1);
  return name.substr(0, name.find_first_of("-."));
}

Flip Draw(const fs::path& folder, std::mt19937_64& random) {
  std::vector<std::pair<fs::path, uint64_t>> files;
  uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    if (entry.path().filename() == kReserve) continue;
    files.emplace_back(entry.path().lexically_relative(folder), entry.file_size());
    bytes += entry.file_size();
  }
  SCHAKEL_CHECK(!files.empty(), "the store has files");
  std::sort(files.begin(), files.end());
  Flip flip;
  flip.bit = static_cast<int>(random() % 8);
  if (random() % 2 == 0) {
    const auto& [file, size] = files[random() % files.size()];
    flip.file = file;
    flip.offset = random() % size;
    return flip;
  }
  uint64_t place = random() % bytes;
  for (const auto& [file, size] : files) {
    flip.file = file;
    flip.offset = place;
    if (place < size) break;
    place -= size;
  }
  return flip;
}

void Apply(const fs::path& folder, const Flip& flip) {
  std::fstream file(folder / flip.file, std::ios::binary | std::ios::in | std::ios::out);
  const auto place = static_cast<std::streamoff>(flip.offset);
  char byte = 0;
  file.seekg(place).get(byte);
  file.seekp(place).put(static_cast<char>(byte ^ (1 << flip.bit)));
  file.flush();
  SCHAKEL_CHECK(file.good(), "the bit was turned");
}

}  // namespace schakel::bitflip
