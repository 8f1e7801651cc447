#include "broker/custodian/keygen.h"

#include <chrono>
#include <utility>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/limits.h"
#include "broker/config/yaml_scalar.h"
#include "broker/crypto/cert_key.h"
#include "broker/crypto/key_document.h"
#include "broker/crypto/threshold.h"
#include "broker/custodian/files.h"
#include "broker/custodian/share_file.h"
#include "broker/custodian/signed_document.h"

namespace schakel::custodian {
namespace {

constexpr unsigned kPublicMode = 0644;

// A custodian's certificate and key, checked against each other.
struct Signer {
  OrganisationId oin;
  std::vector<crypto::Certificate> chain;
  crypto::CertificateKey key;
};

Error BadField(std::string field, std::string message) {
  return InvalidArgument("FIELD_INVALID", std::move(field), std::move(message));
}

Result<Signer> LoadSigner(const KeygenCustodian& custodian) {
  auto oin = OrganisationId::From(custodian.oin);
  if (!oin) return BadField("--custodian", custodian.oin + " is no OIN, expected 20 digits");
  constexpr size_t kChainBytesMax =
      2 * limits::kCertificateChainMax * limits::kCertificateBytesMax;  // PEM is a third longer
  SCHAKEL_ASSIGN(const Bytes pem, ReadFile(custodian.certificate_file, kChainBytesMax));
  SCHAKEL_ASSIGN(auto chain, crypto::Certificate::ParseChain(pem));
  SCHAKEL_ASSIGN(const OrganisationId named, crypto::RequireOin(chain.front()));
  if (named != *oin) {
    return BadField(custodian.certificate_file.string(),
                    "the certificate names " + named.str() + ", expected " + oin->str());
  }
  SCHAKEL_ASSIGN(auto key, crypto::CertificateKey::Load(custodian.key_file));
  if (!key.Matches(chain.front())) {
    return BadField(custodian.key_file.string(), "the key is not the one of the certificate " +
                                                     custodian.certificate_file.string());
  }
  return Signer{std::move(*oin), std::move(chain), std::move(key)};
}

Status CheckNumbers(const KeygenOptions& options) {
  const size_t count = options.custodians.size();
  if (const auto problem = config::FormProblem(v1::YAML_FORM_DOMAIN, options.region)) {
    return BadField("--region", *problem);
  }
  if (options.epoch == 0) {
    return BadField("--epoch", "expected 1 or more: epoch 0 means unlinked");
  }
  if (count == 0 || count > limits::kCustodiansMax) {
    return BadField("--custodian", "expected 1 to " + std::to_string(limits::kCustodiansMax) +
                                       " custodians, found " + std::to_string(count));
  }
  if (options.threshold == 0 || options.threshold > count) {
    return BadField("--threshold", "expected 1 to " + std::to_string(count) +
                                       ", the number of custodians, found " +
                                       std::to_string(options.threshold));
  }
  return {};
}

std::filesystem::path SharePath(const std::filesystem::path& folder, size_t x) {
  return folder / ("share-" + std::to_string(x) + ".key");
}

Result<v1::GetKeyDocumentResponse> SignAll(const crypto::KeyDocument& document,
                                           const std::vector<Signer>& signers) {
  v1::GetKeyDocumentResponse wire;
  wire.set_key_document(document.bytes());
  for (const Signer& signer : signers) {
    SCHAKEL_ASSIGN(Bytes signature, signer.key.Sign(document.bytes()));
    auto* each = wire.add_signatures();
    each->set_custodian(signer.oin.str());
    each->set_signature(std::move(signature));
    for (const auto& certificate : signer.chain) each->add_certificate_chain(certificate.der());
  }
  return wire;
}

// Files of one run; removed at its end unless it was completed.
class Output {
 public:
  Output() = default;
  ~Output() {
    if (complete_) return;
    std::error_code ignored;
    for (const auto& path : written_) std::filesystem::remove(path, ignored);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  Status Write(const std::filesystem::path& path, BytesView content, unsigned mode) {
    SCHAKEL_TRY(WriteNewFile(path, content, mode));
    written_.push_back(path);
    return {};
  }
  void Complete() { complete_ = true; }

 private:
  std::vector<std::filesystem::path> written_;
  bool complete_ = false;
};

}  // namespace

Result<KeygenCustodian> ParseKeygenCustodian(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t colon = text.rfind(':');
  if (equals == std::string::npos || colon == std::string::npos || colon < equals) {
    return BadField(text, "expected OIN=certificate.pem:key.pem");
  }
  KeygenCustodian custodian{text.substr(0, equals), text.substr(equals + 1, colon - equals - 1),
                            text.substr(colon + 1)};
  if (!OrganisationId::From(custodian.oin) || custodian.certificate_file.empty() ||
      custodian.key_file.empty()) {
    return BadField(text, "expected OIN=certificate.pem:key.pem, the OIN of 20 digits");
  }
  return custodian;
}

Result<Digest> Keygen(const KeygenOptions& options) {
  SCHAKEL_TRY(CheckNumbers(options));
  std::vector<Signer> signers;
  for (const KeygenCustodian& custodian : options.custodians) {
    SCHAKEL_ASSIGN(auto signer, LoadSigner(custodian));
    signers.push_back(std::move(signer));
  }

  SCHAKEL_ASSIGN(
      const crypto::Dealing dealing,
      crypto::DealShares(crypto::SecretScalar::Random(), static_cast<uint8_t>(options.threshold),
                         static_cast<uint8_t>(signers.size())));
  std::vector<crypto::Custodian> custodians;
  for (size_t i = 0; i < signers.size(); ++i) {
    const crypto::KeyShare& share = dealing.shares[i];
    custodians.push_back({share.x, signers[i].oin, crypto::Point::MultiplyGenerator(share.secret)});
  }
  SCHAKEL_ASSIGN(const auto document,
                 crypto::KeyDocument::Create(options.region, options.epoch, dealing.commitments,
                                             std::move(custodians)));
  SCHAKEL_ASSIGN(auto wire, SignAll(document, signers));
  // What a custodian would refuse is not written.
  const auto now = std::chrono::duration_cast<Millis>(SystemClock().Wall());
  SCHAKEL_TRY(VerifySignedDocument(wire, nullptr, now));

  std::error_code failed;
  std::filesystem::create_directories(options.out, failed);
  if (failed) return BadField(options.out.string(), "it can't be made: " + failed.message());
  Output output;
  SCHAKEL_TRY(output.Write(options.out / "key-document.pb", wire.SerializeAsString(), kPublicMode));
  for (const crypto::KeyShare& share : dealing.shares) {
    SCHAKEL_TRY(output.Write(SharePath(options.out, share.x),
                             EncodeShareFile(document, share).ExposeSecret(), kSecretFileMode));
  }
  output.Complete();
  return document.digest();
}

}  // namespace schakel::custodian
