// A folder that is gone at the end of its test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "broker/base/check.h"

namespace schakel::custodian {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "custodian-XXXXXX").string();
    SCHAKEL_CHECK(::mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes (or overwrites in place) a file and returns its path.
  std::filesystem::path Write(const std::string& name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }
  // The same by a new file and a rename, as careful editors do.
  void Replace(const std::string& name, std::string_view content) const {
    std::filesystem::rename(Write(name + ".new", content), path_ / name);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace schakel::custodian
