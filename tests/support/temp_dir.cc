#include "tests/support/temp_dir.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "broker/base/check.h"

namespace schakel::testing {

TempDir::TempDir(std::string_view name) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / ("schakel-" + std::string(name) + "-XXXXXX"))
          .string();
  SCHAKEL_CHECK(mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
  path_ = pattern;
}

TempDir::~TempDir() {
  if (std::getenv("SCHAKEL_KEEP_TEMP") != nullptr) return;
  std::error_code ignored;  // a test has ended already
  std::filesystem::remove_all(path_, ignored);
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void WriteFile(const std::filesystem::path& path, std::string_view content, int mode) {
  const std::filesystem::path temporary = path.string() + ".writing";
  std::filesystem::remove(temporary);
  {
    std::ofstream out(temporary, std::ios::binary);
    SCHAKEL_CHECK(chmod(temporary.c_str(), static_cast<mode_t>(mode)) == 0, "chmod");
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.flush();
    SCHAKEL_CHECK(out.good(), "a test's file can be written");
  }
  std::filesystem::rename(temporary, path);
}

}  // namespace schakel::testing
