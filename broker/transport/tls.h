// TLS of servers and test clients: mutual TLS always, 1.3 preferred, 1.2 only with ECDHE and AEAD.
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <chrono>
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

// Credentials of a listener. A client must show a certificate that chains to the anchors, else the
// handshake fails: no call begins. Replaced files are taken for new handshakes within `refresh`,
// without restart; the ones in use stay while new ones can't be read. gRPC 1.51 can't switch off
// TLS session resumption, so nothing may rest on the handshake alone: see authenticator.h.
// Errors: as CheckTlsFiles; FIELD_INVALID when the environment sets GRPC_SSL_CIPHER_SUITES, which
// would replace the suites (all ECDHE with AEAD).
Result<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsFiles& files, Millis now, std::chrono::seconds refresh = std::chrono::seconds(10));

// Credentials of a caller, from PEM texts; an empty certificate and key show none to the server.
// The server's name is checked against its certificate.
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(std::string ca_pem,
                                                                 std::string certificate_pem = {},
                                                                 std::string key_pem = {});

}  // namespace schakel::transport
