// A policy bundle as its author wrote it: the files of a folder, parsed into typed messages. Codes
// are not yet looked up: see compile.h (what is refused) and check.h (what is advised against).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "schakel/v1/policy_bundle.pb.h"

namespace schakel::policy {

// Path within the folder (with /, no leading one) -> the file's bytes.
using BundleFiles = std::map<std::string, Bytes>;

inline constexpr const char* kManifestFile = "bundle.yaml";
inline constexpr const char* kGroundsFile = "grounds.yaml";
inline constexpr const char* kSignalTypesFile = "signal-types.yaml";
inline constexpr const char* kRulesFile = "rules.yaml";
inline constexpr const char* kFunctionsFile = "functions.yaml";
inline constexpr const char* kTestsFile = "tests.yaml";
inline constexpr const char* kSchemasFolder = "schemas/";
inline constexpr const char* kScenariosFolder = "scenarios/";

// Whether a bundle may hold a file of this path: the files above, schemas/*.json, scenarios/*.
bool IsBundlePath(std::string_view path);

struct Bundle {
  v1::BundleManifest manifest;
  v1::BundleGroundFile grounds;
  v1::BundleSignalTypeFile signal_types;
  v1::BundleRuleFile rules;
  v1::BundleFunctionFile functions;
  v1::BundleTestFile tests;
  // Schema id (the file's name in schemas/ without .json) -> JSON Schema text.
  std::map<std::string, Bytes> schemas;
};

// Parses the files. Appends one Error per mistake (field "file:line"); nullopt when there was one.
std::optional<Bundle> ParseBundle(const BundleFiles& files, std::vector<Error>* problems);
// The same; the Error is the first mistake and tells how many more there are (BUNDLE_INVALID).
Result<Bundle> ParseBundle(const BundleFiles& files);

}  // namespace schakel::policy
