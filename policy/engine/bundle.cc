#include "policy/engine/bundle.h"

#include <string_view>

#include "broker/base/limits.h"
#include "broker/config/yaml_message.h"

namespace schakel::policy {
namespace {

bool IsSimpleName(std::string_view name) {
  if (name.empty() || name[0] == '.' || name.size() > 128) return false;
  for (char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (!plain) return false;
  }
  return true;
}

void CheckSizes(const BundleFiles& files, std::vector<Error>* problems) {
  size_t bytes = 0;
  for (const auto& [path, content] : files) {
    bytes += path.size() + content.size();
    if (!IsBundlePath(path)) {
      problems->push_back(InvalidArgument(
          "BUNDLE_INVALID", path + ":1",
          "expected only bundle.yaml, grounds.yaml, signal-types.yaml, rules.yaml, functions.yaml, "
          "tests.yaml, schemas/*.json and scenarios/*"));
    }
  }
  if (bytes > limits::kBundleBytesMax || files.size() > limits::kBundleFilesMax) {
    problems->push_back(InvalidArgument(
        "BUNDLE_INVALID", "",
        "expected at most " + std::to_string(limits::kBundleBytesMax) + " bytes in at most " +
            std::to_string(limits::kBundleFilesMax) + " files; found " + std::to_string(bytes) +
            " in " + std::to_string(files.size())));
  }
}

void ReadFile(const BundleFiles& files, const char* path, google::protobuf::Message* out,
              std::vector<Error>* problems) {
  const auto file = files.find(path);
  if (file == files.end()) {
    problems->push_back(
        InvalidArgument("BUNDLE_INVALID", std::string(path) + ":1", "the file is missing"));
    return;
  }
  const size_t first = problems->size();
  config::ReadYaml(path, file->second, out, problems);
  for (size_t i = first; i < problems->size(); ++i) (*problems)[i].reason = "BUNDLE_INVALID";
}

}  // namespace

bool IsBundlePath(std::string_view path) {
  for (const char* file :
       {kManifestFile, kGroundsFile, kSignalTypesFile, kRulesFile, kFunctionsFile, kTestsFile}) {
    if (path == file) return true;
  }
  if (path.starts_with(kSchemasFolder)) {
    path.remove_prefix(std::string_view(kSchemasFolder).size());
    return IsSimpleName(path) && path.ends_with(".json") && path.size() > 5;
  }
  if (path.starts_with(kScenariosFolder)) {
    path.remove_prefix(std::string_view(kScenariosFolder).size());
    return IsSimpleName(path);
  }
  return false;
}

std::optional<Bundle> ParseBundle(const BundleFiles& files, std::vector<Error>* problems) {
  const size_t first = problems->size();
  Bundle bundle;
  CheckSizes(files, problems);
  // Parsing what is too large, or what a path hides, would only add noise.
  if (problems->size() > first) return std::nullopt;
  ReadFile(files, kManifestFile, &bundle.manifest, problems);
  ReadFile(files, kGroundsFile, &bundle.grounds, problems);
  ReadFile(files, kSignalTypesFile, &bundle.signal_types, problems);
  ReadFile(files, kRulesFile, &bundle.rules, problems);
  ReadFile(files, kFunctionsFile, &bundle.functions, problems);
  ReadFile(files, kTestsFile, &bundle.tests, problems);
  for (const auto& [path, content] : files) {
    if (!path.starts_with(kSchemasFolder)) continue;
    const size_t start = std::string_view(kSchemasFolder).size();
    bundle.schemas.emplace(path.substr(start, path.size() - start - 5), content);
  }
  if (problems->size() > first) return std::nullopt;
  return bundle;
}

Result<Bundle> ParseBundle(const BundleFiles& files) {
  std::vector<Error> problems;
  auto bundle = ParseBundle(files, &problems);
  if (!bundle) return config::JoinProblems(problems);
  return *std::move(bundle);
}

}  // namespace schakel::policy
