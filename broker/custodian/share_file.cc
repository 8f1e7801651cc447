#include "broker/custodian/share_file.h"

#include <algorithm>

#include "broker/crypto/hash.h"
#include "broker/custodian/files.h"

namespace schakel::custodian {
namespace {

constexpr BytesView kLabel = "schakel/v1/custodian-share\n";
constexpr size_t kOinBytes = 20;
constexpr size_t kDigestBytes = 32;
// LIMIT: fixed parts and the longest region.
constexpr size_t kShareFileBytesMax = 1024;

Error InvalidShare(std::string message) {
  return InvalidArgument("KEY_SHARE_INVALID", {}, std::move(message));
}

}  // namespace

crypto::SecretBytes EncodeShareFile(const crypto::KeyDocument& document,
                                    const crypto::KeyShare& share) {
  const auto& custodians = document.custodians();
  const auto custodian = std::find_if(custodians.begin(), custodians.end(),
                                      [&](const auto& each) { return each.x == share.x; });
  SCHAKEL_CHECK(custodian != custodians.end(), "a share of no custodian of the document");
  SCHAKEL_CHECK(crypto::Point::MultiplyGenerator(share.secret) == custodian->public_share,
                "a share that is not the one of the document");

  ByteWriter writer;
  writer.Raw(kLabel).Lp(document.region()).U32(document.epoch()).Raw(custodian->oin.str());
  writer.U8(share.x).Raw(document.digest().view()).Raw(custodian->public_share.view());
  writer.Raw(crypto::Sha256(writer.bytes()).str());

  const Bytes open_part = writer.Take();
  const BytesView secret = share.secret.ExposeSecret();
  crypto::SecretBytes file(open_part.size() + secret.size());
  const auto out = file.ExposeSecretForWrite();
  std::copy(open_part.begin(), open_part.end(), out.begin());
  std::copy(secret.begin(), secret.end(),
            out.begin() + static_cast<std::ptrdiff_t>(open_part.size()));
  return file;
}

Result<KeyShareFile> ParseShareFile(BytesView secret_content) {
  if (!secret_content.starts_with(kLabel)) return InvalidShare("this is no share file of keygen");
  ByteReader reader(secret_content);
  reader.Raw(kLabel.size());
  const auto region = reader.Lp();
  const auto epoch = reader.U32();
  const auto oin = reader.Raw(kOinBytes);
  const auto x = reader.U8();
  const auto document = reader.Raw(kDigestBytes);
  const auto public_share = reader.Raw(crypto::kPointBytes);
  const size_t public_bytes = secret_content.size() - reader.remaining();
  const auto check = reader.Raw(kDigestBytes);
  const auto secret = reader.Raw(crypto::kScalarBytes);
  if (!reader.Done()) return InvalidShare("the file is cut off, or has bytes after its end");
  if (crypto::Sha256(secret_content.substr(0, public_bytes)).view() != *check) {
    return InvalidShare("the check sum does not match: the file was changed or damaged");
  }
  auto custodian = OrganisationId::From(*oin);
  if (!custodian) return InvalidShare("the custodian's OIN is not 20 digits");
  auto point = crypto::Point::Decode(*public_share);
  if (!point) return InvalidShare("the public share is no valid group element");
  auto scalar = crypto::SecretScalar::Decode(*secret);
  if (!scalar || crypto::Point::MultiplyGenerator(*scalar) != *point) {
    return InvalidShare("the share is not the one of its public share: it was changed or damaged");
  }
  return KeyShareFile{std::string(*region),     *epoch, std::move(*custodian),
                      *Digest::From(*document), *point, {*x, std::move(*scalar)}};
}

Result<KeyShareFile> LoadShareFile(const std::filesystem::path& path) {
  SCHAKEL_ASSIGN(const crypto::SecretBytes content, ReadSecretFile(path, kShareFileBytesMax));
  auto share = ParseShareFile(content.ExposeSecret());
  if (share.ok()) return share;
  Error error = share.error();
  error.field = path.string();
  return error;
}

}  // namespace schakel::custodian
