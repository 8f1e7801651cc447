// Writes the envelope vectors into a folder: make_envelope_vectors tests/vectors/envelope
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/vectors/envelope/envelope_vectors.h"

namespace {

bool Write(const std::string& path, const nlohmann::ordered_json& vectors) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << schakel::vectors::FileText(vectors);
  out.close();
  if (!out) std::fprintf(stderr, "%s can't be written\n", path.c_str());
  return static_cast<bool>(out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_envelope_vectors FOLDER\n");
    return 64;
  }
  const std::string folder = argv[1];
  const bool written = Write(folder + "/envelope-1.json", schakel::vectors::EnvelopeVectors()) &&
                       Write(folder + "/refused-1.json", schakel::vectors::RefusedVectors()) &&
                       Write(folder + "/statement-1.json", schakel::vectors::StatementVectors());
  return written ? 0 : 1;
}
