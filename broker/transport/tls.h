// TLS of servers and test clients: mutual TLS always, 1.3 preferred, 1.2 only with ECDHE and AEAD.
// A listener's credentials: server_tls.h.
#pragma once

#include <grpcpp/security/credentials.h>

#include <filesystem>
#include <memory>
#include <string>

#include "broker/base/result.h"
#include "broker/crypto/x509.h"

namespace schakel::transport {

// PEM files of one endpoint.
struct TlsFiles {
  std::filesystem::path certificate;  // chain, leaf first
  std::filesystem::path key;          // private key of the leaf, mode 0600
  std::filesystem::path ca;           // trust anchors for the other side's certificates
};

// Reads the files and checks what gRPC would only find at a handshake, or never: the key's mode,
// that the key belongs to the leaf, that the leaf may serve (extendedKeyUsage serverAuth) or call
// (clientAuth), that it is valid at `now`, that the anchors are CA certificates.
// Returns the anchors, which a CrlStore wants as issuers. Errors: FIELD_INVALID with the path as
// field.
Result<crypto::TrustAnchors> CheckTlsFiles(const TlsFiles& files, crypto::ChainUse use, Millis now);

// The whole of a PEM file. LIMIT: 1 MiB. FIELD_INVALID with the path.
Result<std::string> ReadPemFile(const std::filesystem::path& path);

// Credentials of a caller, from PEM texts; an empty certificate and key show none to the server.
// The server's name is checked against its certificate.
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(std::string ca_pem,
                                                                 std::string certificate_pem = {},
                                                                 std::string key_pem = {});

}  // namespace schakel::transport
