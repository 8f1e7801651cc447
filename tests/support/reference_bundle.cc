#include "tests/support/reference_bundle.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "broker/base/check.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/policy_format.h"
#include "policy/engine/pack.h"
#include "tests/support/paths.h"

namespace schakel::testing {

namespace {

policy::BundleFiles ReadFolder() {
  namespace fs = std::filesystem;
  const fs::path folder = checkout::SourcePath("policy/zuid-holland-zuid");
  policy::BundleFiles files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream content;
    content << in.rdbuf();
    files[fs::relative(entry.path(), folder).generic_string()] = content.str();
  }
  auto selected = policy::SelectFiles(files);
  SCHAKEL_CHECK(selected.ok(), "the reference bundle can be read");
  auto keyed = policy::SetKeyDocuments(*selected, {{1, crypto::Sha256("key document 1")}});
  SCHAKEL_CHECK(keyed.ok(), "the reference bundle takes a key document");
  return *std::move(keyed);
}

const policy::BundleFiles& ReferenceFiles() {
  static const policy::BundleFiles files = ReadFolder();
  return files;
}

ReferenceBundle Pack(const policy::BundleFiles& files) {
  std::vector<crypto::PolicyFile> list;
  for (const auto& [path, content] : files) list.push_back({path, content});
  auto bytes = crypto::EncodePolicyBundle(std::move(list));
  auto compiled = policy::CompileFiles(files);
  SCHAKEL_CHECK(bytes.ok() && compiled.ok(), "the reference bundle compiles");
  return {*bytes, crypto::PolicyDigest(*bytes), *compiled};
}

}  // namespace

const ReferenceBundle& Reference() {
  static const ReferenceBundle bundle = Pack(ReferenceFiles());
  return bundle;
}

ReferenceBundle ReferenceChanged(const std::string& file, const std::string& from,
                                 const std::string& to) {
  policy::BundleFiles files = ReferenceFiles();
  Bytes& text = files[file];
  const size_t at = text.find(from);
  SCHAKEL_CHECK(at != Bytes::npos, "the reference bundle has what is to be changed");
  text.replace(at, from.size(), to);
  return Pack(files);
}

ReferenceBundle ReferenceWithVersion(const std::string& version) {
  return ReferenceChanged("bundle.yaml", "version: \"2026.1\"", "version: \"" + version + "\"");
}

ReferenceBundle ReferenceWithRules(const std::string& extra) {
  policy::BundleFiles files = ReferenceFiles();
  files["rules.yaml"] += extra;
  return Pack(files);
}

}  // namespace schakel::testing
