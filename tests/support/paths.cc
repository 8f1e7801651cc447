#include "tests/support/paths.h"

namespace schakel::checkout {

namespace {

std::string Join(std::string folder, std::string_view below) {
  if (!below.empty()) folder.append("/").append(below);
  return folder;
}

}  // namespace

std::string SourcePath(std::string_view below) { return Join(SCHAKEL_SOURCE_DIR, below); }
std::string BuildPath(std::string_view below) { return Join(SCHAKEL_BINARY_DIR, below); }

}  // namespace schakel::checkout
