#include "policy/engine/pack.h"

#include <string>
#include <string_view>
#include <vector>

#include "broker/base/limits.h"
#include "broker/config/yaml_message.h"

namespace schakel::policy {
namespace {

// The text without the block of one top-level key. Comments at the start of a line stay.
std::string WithoutKey(std::string_view text, std::string_view key) {
  std::string out;
  bool inside = false;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end == std::string_view::npos ? end : end + 1);
    text.remove_prefix(line.size());
    if (line.starts_with(key) && line.substr(key.size()).starts_with(":")) {
      inside = true;
      continue;
    }
    const bool continues = line.starts_with(' ') || line.starts_with('-') || line.starts_with('}');
    if (inside && continues) continue;
    inside = inside && (line == "\n" || line.starts_with('#'));
    out += line;
  }
  return out;
}

}  // namespace

Result<BundleFiles> SelectFiles(const BundleFiles& folder) {
  BundleFiles files;
  size_t bytes = 0;
  for (const auto& [path, content] : folder) {
    if (!IsBundlePath(path)) continue;
    files.emplace(path, content);
    bytes += path.size() + content.size();
  }
  if (!files.contains(kManifestFile)) {
    return InvalidArgument("BUNDLE_INVALID", std::string(kManifestFile) + ":1",
                           "the file is missing: this is no policy bundle");
  }
  if (files.size() > limits::kBundleFilesMax || bytes > limits::kBundleBytesMax) {
    return InvalidArgument("BUNDLE_INVALID", "",
                           "expected at most " + std::to_string(limits::kBundleBytesMax) +
                               " bytes in at most " + std::to_string(limits::kBundleFilesMax) +
                               " files; found " + std::to_string(bytes) + " in " +
                               std::to_string(files.size()));
  }
  return files;
}

Result<BundleFiles> SetKeyDocuments(const BundleFiles& files,
                                    const std::map<uint32_t, Digest>& digests) {
  const auto manifest = files.find(kManifestFile);
  if (manifest == files.end()) {
    return InvalidArgument("BUNDLE_INVALID", std::string(kManifestFile) + ":1",
                           "the file is missing");
  }
  std::string text = WithoutKey(manifest->second, "key_documents");
  if (!text.empty() && text.back() != '\n') text += '\n';
  if (!digests.empty()) text += "key_documents:\n";
  for (const auto& [epoch, digest] : digests) {
    text +=
        "  - {epoch: " + std::to_string(epoch) + ", digest: " + HexEncode(digest.view()) + "}\n";
  }
  // Cutting text is simple, so look whether it did what it should.
  v1::BundleManifest read;
  SCHAKEL_TRY(config::ReadYaml(kManifestFile, text, &read));
  bool equal = static_cast<size_t>(read.key_documents_size()) == digests.size();
  for (const v1::BundleKeyDocument& document : read.key_documents()) {
    const auto it = digests.find(document.epoch());
    equal = equal && it != digests.end() && document.digest() == HexEncode(it->second.view());
  }
  if (!equal) {
    return InvalidArgument("BUNDLE_INVALID", std::string(kManifestFile) + ":1",
                           "expected key_documents to stand at the start of a line");
  }
  BundleFiles out = files;
  out[kManifestFile] = std::move(text);
  return out;
}

}  // namespace schakel::policy
