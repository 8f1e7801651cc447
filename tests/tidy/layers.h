// Which folder may include which, and which libraries stay where. The reasons: ARCHITECTURE.md,
// Modules.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/source_tree.h"

namespace schakel::tidy {

struct Layer {
  std::string_view folder;
  std::vector<std::string_view> may_include;  // and what those may include, in turn
};

// The whole table, lowest first.
const std::vector<Layer>& Layers();

// The table's folder that holds `path`; empty when none does.
std::string_view LayerOf(std::string_view path);

// What each folder may include, itself and in turn included.
std::map<std::string_view, std::set<std::string_view>> Closure();

// Includes of one file that point the wrong way.
std::vector<Finding> CheckLayers(const SourceFile& file);

// Includes of libraries outside the folders that they stay in, and their names in code.
std::vector<Finding> CheckLibraries(const SourceFile& file);

}  // namespace schakel::tidy
