#include "broker/merkle/proof_bundle.h"

#include <optional>
#include <string_view>

#include "broker/base/limits.h"
#include "broker/merkle/text.h"

namespace schakel::merkle {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

Error Malformed(std::string message) {
  return InvalidArgument("PROOF_MALFORMED", "proof", std::move(message));
}

}  // namespace

std::string EncodeProofBundle(const ProofBundle& bundle) {
  SCHAKEL_CHECK(!bundle.extra || !bundle.extra->empty(), "extra data is absent or not empty");
  std::string text(kFirstLine);
  if (bundle.extra) text.append(kExtra).append(Base64Encode(*bundle.extra)).append("\n");
  text.append(kIndex).append(std::to_string(bundle.index)).append("\n");
  for (const Digest& hash : bundle.path) text.append(Base64Encode(hash.view())).append("\n");
  return text.append("\n").append(bundle.checkpoint);
}

Result<ProofBundle> ParseProofBundle(BytesView text) {
  if (text.size() > limits::kProofBundleBytesMax) return Malformed("the proof is too long");
  if (!text.starts_with(kFirstLine)) return Malformed("a proof begins with its format's name");
  text.remove_prefix(kFirstLine.size());
  ProofBundle bundle;
  auto line = TakeLine(text);
  if (line && line->starts_with(kExtra)) {
    bundle.extra = Base64Decode(line->substr(kExtra.size()));
    if (!bundle.extra || bundle.extra->empty()) return Malformed("extra data is no base64");
    line = TakeLine(text);
  }
  if (!line || !line->starts_with(kIndex)) return Malformed("a proof names its index");
  auto index = ParseDecimal(line->substr(kIndex.size()));
  if (!index) return Malformed("an index is a decimal number without leading zeros");
  bundle.index = *index;
  while ((line = TakeLine(text)) && !line->empty()) {
    auto raw = Base64Decode(*line);
    auto hash = raw ? Digest::From(*raw) : std::nullopt;
    if (!hash || bundle.path.size() == kPathHashesMax) {
      return Malformed("a path is at most 65 lines, each the base64 of 32 bytes");
    }
    bundle.path.push_back(*hash);
  }
  if (!line || text.empty()) return Malformed("an empty line and a checkpoint follow the path");
  bundle.checkpoint = text;
  return bundle;
}

Result<Checkpoint> VerifyProofBundle(const ProofBundle& bundle, const Digest& entry,
                                     const VerifierKey& key) {
  SCHAKEL_ASSIGN(Checkpoint checkpoint, OpenCheckpoint(bundle.checkpoint, key));
  SCHAKEL_TRY(VerifyInclusion(bundle.index, LeafHash(entry), bundle.path, checkpoint.head));
  return checkpoint;
}

}  // namespace schakel::merkle
