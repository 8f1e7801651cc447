#include "broker/crypto/policy_format.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/hash.h"

namespace schakel::crypto {
namespace {

constexpr BytesView kPolicyLabel = "schakel/v1/policy\n";
constexpr size_t kPathBytesMax = 255;  // LIMIT: what common file systems take as one name

Error Invalid(std::string field, std::string message) {
  return InvalidArgument("BUNDLE_INVALID", std::move(field), std::move(message));
}

// A relative path of plain parts, so that unpacking a bundle never leaves its folder.
bool IsPlainPath(BytesView path) {
  if (path.empty() || path.size() > kPathBytesMax) return false;
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const BytesView part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return std::none_of(path.begin(), path.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
  });
}

Status CheckCount(size_t files) {
  if (files >= 1 && files <= limits::kBundleFilesMax) return {};
  return Invalid("bundle", "a bundle has 1 to 1000 files");
}

}  // namespace

Result<Bytes> EncodePolicyBundle(std::vector<PolicyFile> files) {
  SCHAKEL_TRY(CheckCount(files.size()));
  // std::string compares as unsigned bytes.
  std::sort(files.begin(), files.end(),
            [](const PolicyFile& a, const PolicyFile& b) { return a.path < b.path; });
  size_t total = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    const PolicyFile& file = files[i];
    if (!IsPlainPath(file.path)) return Invalid("path", "a path must be plain and relative");
    if (i > 0 && files[i - 1].path == file.path) return Invalid(file.path, "is there twice");
    if (file.content.size() > limits::kBundleBytesMax) return Invalid(file.path, "is too large");
    total += 8 + file.path.size() + file.content.size();
  }
  if (total > limits::kBundleBytesMax) return Invalid("bundle", "a bundle has 3 MiB at most");
  ByteWriter out(total);
  for (const PolicyFile& file : files) out.Lp(file.path).Lp(file.content);
  return out.Take();
}

Result<std::vector<PolicyFile>> ParsePolicyBundle(BytesView bundle) {
  if (bundle.size() > limits::kBundleBytesMax) {
    return Invalid("bundle", "a bundle has 3 MiB at most");
  }
  std::vector<PolicyFile> files;
  ByteReader in(bundle);
  while (in.remaining() > 0) {
    const auto path = in.Lp();
    const auto content = in.Lp();
    if (!path || !content) return Invalid("bundle", "a length points beyond the end");
    if (!IsPlainPath(*path)) return Invalid("path", "a path must be plain and relative");
    if (!files.empty() && !(files.back().path < *path)) {
      return Invalid(std::string(*path), "paths must stand in ascending order, each once");
    }
    SCHAKEL_TRY(CheckCount(files.size() + 1));
    files.push_back({std::string(*path), Bytes(*content)});
  }
  SCHAKEL_TRY(CheckCount(files.size()));
  return files;
}

Digest PolicyDigest(BytesView bundle) {
  return Sha256Hasher().Raw(kPolicyLabel).Raw(bundle).Finish();
}

}  // namespace schakel::crypto
