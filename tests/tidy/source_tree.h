// The project's own text files, read from disk, and what a rule says about one of them.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace schakel::tidy {

struct SourceFile {
  std::string path;  // from the top of the repository, with /
  std::string text;

  bool Is(std::string_view ending) const { return path.ends_with(ending); }
  bool IsCode() const { return Is(".cc") || Is(".h") || Is(".inc"); }
  bool Under(std::string_view folder) const;
};

// All text files that people of this project write, sorted by path: not what was taken over from
// others (proto/google, proto/grpc, published vectors, the licence) and nothing that is built.
std::vector<SourceFile> ReadSourceTree(const std::string& top);

struct Finding {
  std::string path;
  size_t line = 0;      // from 1; 0 for the whole file
  std::string message;  // what is wrong, and what to do instead

  bool operator==(const Finding&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Finding& finding);

// Calls visit(line number from 1, line without its end) for each line.
template <typename Visit>
void ForEachLine(std::string_view text, Visit visit) {
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    visit(++number, text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

size_t LineOf(std::string_view text, size_t offset);

}  // namespace schakel::tidy
