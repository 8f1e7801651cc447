// A folder under the system's temporary one that goes with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace schakel::cli {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string form = (std::filesystem::temp_directory_path() / "schakel-XXXXXX").string();
    if (mkdtemp(form.data()) != nullptr) path_ = form;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  // Empty when it could not be made.
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace schakel::cli
