// A folder for one test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace schakel::testing {

// Made under $TMPDIR (or /tmp) with mode 0700; removed with all its contents at the end of its
// life, unless SCHAKEL_KEEP_TEMP is set (for looking at what a failing test left).
class TempDir {
 public:
  explicit TempDir(std::string_view name = "test");
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// The whole file; empty when it is not there.
std::string ReadFile(const std::filesystem::path& path);
// Replaces the file in one step (temporary file, rename) and stops the process when it can't.
// `mode`: permission bits, such as 0600 for a key.
void WriteFile(const std::filesystem::path& path, std::string_view content, int mode = 0644);

}  // namespace schakel::testing
