// What no file of this project does, each with what to do instead.
#pragma once

#include <vector>

#include "tests/tidy/source_tree.h"

namespace schakel::tidy {

// Words that are banned, in the files that each ban is for.
std::vector<Finding> CheckWords(const SourceFile& file);

// A header begins with #pragma once, before anything but comments.
std::vector<Finding> CheckHeader(const SourceFile& file);

// Code beyond 400 lines needs a reason in the list of habits.cc.
std::vector<Finding> CheckLength(const SourceFile& file);

// Every SCHAKEL_CHECK outside the tests says in words which rule was broken.
std::vector<Finding> CheckChecks(const SourceFile& file);

// Every tag INVARIANT names an invariant that the page `architecture` lists.
std::vector<Finding> CheckInvariants(const SourceFile& file, std::string_view architecture);

// Every relative link of a page leads to a file below `top`.
std::vector<Finding> CheckLinks(const SourceFile& file, const std::string& top);

// Files that the list of long files names, but that are not there.
std::vector<Finding> CheckLengthList(const std::vector<SourceFile>& tree);

}  // namespace schakel::tidy
