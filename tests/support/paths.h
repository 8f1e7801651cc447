// Where the tests find the repository and what was built. Only paths.cc is compiled with these paths,
// so that a compiler cache serves every other test in any checkout.
#pragma once

#include <string>
#include <string_view>

namespace schakel::checkout {

// `below` in the top folder of the repository; the folder itself when it is empty.
std::string SourcePath(std::string_view below);
// `below` in the folder of this build: bin/schakel-broker.
std::string BuildPath(std::string_view below);

}  // namespace schakel::checkout
