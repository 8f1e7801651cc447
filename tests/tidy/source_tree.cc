#include "tests/tidy/source_tree.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>

namespace schakel::tidy {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 7> kFolders = {"broker", "clients", "cmake", "deploy",
                                                      "policy", "proto",   "tests"};
constexpr std::array<std::string_view, 4> kTopFiles = {"ARCHITECTURE.md", "CHANGELOG.md",
                                                       "CMakeLists.txt", "README.md"};
// Taken over from others as it is.
constexpr std::array<std::string_view, 3> kForeign = {"proto/google", "proto/grpc",
                                                      "tests/vectors/c2sp"};

bool IsText(const fs::path& path) {
  static constexpr std::array<std::string_view, 10> kEndings = {
      ".cc", ".h", ".in", ".inc", ".md", ".proto", ".py", ".sh", ".txt", ".yaml"};
  const std::string ending = path.extension().string();
  // Scripts have no ending.
  return ending.empty() || std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

std::string ReadText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

bool SourceFile::Under(std::string_view folder) const {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

std::vector<SourceFile> ReadSourceTree(const std::string& top) {
  std::vector<SourceFile> files;
  for (const auto& name : kTopFiles) {
    files.push_back({std::string(name), ReadText(fs::path(top) / name)});
  }
  for (const auto& folder : kFolders) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(top) / folder)) {
      if (!entry.is_regular_file() || !IsText(entry.path())) continue;
      SourceFile file{fs::relative(entry.path(), top).generic_string(), ""};
      const bool foreign = std::any_of(kForeign.begin(), kForeign.end(),
                                       [&](std::string_view other) { return file.Under(other); });
      if (foreign || file.path.find("/__pycache__/") != std::string::npos) continue;
      file.text = ReadText(entry.path());
      files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::ostream& operator<<(std::ostream& out, const Finding& finding) {
  out << finding.path;
  if (finding.line > 0) out << ':' << finding.line;
  return out << ": " << finding.message;
}

size_t LineOf(std::string_view text, size_t offset) {
  return 1 + static_cast<size_t>(std::count(text.begin(), text.begin() + offset, '\n'));
}

}  // namespace schakel::tidy
