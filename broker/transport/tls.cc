#include "broker/transport/tls.h"

#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "broker/crypto/cert_key.h"

namespace schakel::transport {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;  // a chain or a bundle of anchors is far smaller

Error At(const std::filesystem::path& path, std::string message) {
  return InvalidArgument("FIELD_INVALID", path.string(), std::move(message));
}

}  // namespace

Result<std::string> ReadPemFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) {
    text.resize(kFileBytesMax + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(in.gcount()));
  }
  if (text.empty()) {
    return InvalidArgument("FIELD_INVALID", path.string(), "the file can't be read or is empty");
  }
  if (text.size() > kFileBytesMax) {
    return InvalidArgument("FIELD_INVALID", path.string(), "the file is larger than 1 MiB");
  }
  return text;
}

Result<crypto::TrustAnchors> CheckTlsFiles(const TlsFiles& files, crypto::ChainUse use,
                                           Millis now) {
  SCHAKEL_ASSIGN(const std::string chain_pem, ReadPemFile(files.certificate));
  auto chain = crypto::Certificate::ParseChain(chain_pem);
  if (!chain.ok()) return At(files.certificate, chain.error().message);
  const crypto::CertificateFacts& leaf = chain->front().facts();
  if (!leaf.ValidAt(now)) return At(files.certificate, "the certificate is not valid now");
  if (use == crypto::ChainUse::kServer && !leaf.server_auth) {
    return At(files.certificate, "extendedKeyUsage of the certificate must name serverAuth");
  }
  if (use == crypto::ChainUse::kClient && !leaf.client_auth) {
    return At(files.certificate, "extendedKeyUsage of the certificate must name clientAuth");
  }
  SCHAKEL_ASSIGN(const crypto::CertificateKey key, crypto::CertificateKey::Load(files.key));
  if (!key.Matches(chain->front())) {
    return At(files.key, "the key does not belong to the certificate");
  }
  SCHAKEL_ASSIGN(const std::string ca_pem, ReadPemFile(files.ca));
  auto anchors = crypto::TrustAnchors::Parse(ca_pem);
  if (!anchors.ok()) return At(files.ca, anchors.error().message);
  return *std::move(anchors);
}

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(std::string ca_pem,
                                                                 std::string certificate_pem,
                                                                 std::string key_pem) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = std::move(ca_pem);
  options.pem_cert_chain = std::move(certificate_pem);
  options.pem_private_key = std::move(key_pem);
  return grpc::SslCredentials(options);
}

}  // namespace schakel::transport
