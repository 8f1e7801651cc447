// The certificate of a listener, which may be replaced while it runs.
//
// gRPC 1.51 watches files by itself, but judges nothing: while certificate and key do not belong
// together, as between two renames, it accepts no connection any more. So the files are read and
// judged here, and gRPC watches copies of what was accepted, in memory (memfd_create(2)): never on
// a disk, and each replaced in one step.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/crypto/x509.h"
#include "broker/transport/tls.h"

namespace schakel::transport {

// A file in memory that others open by a path of this process; its content is replaced in one step.
class MemoryFile {
 public:
  // INTERNAL when the system has no memory files, or no /proc.
  static Result<MemoryFile> Create(std::string_view content);
  MemoryFile(MemoryFile&& other) noexcept;
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile();

  // Who has it open keeps the old content. Its time of change differs by a second at least from the
  // one before, since gRPC tells by it that a file changed between two readings.
  Status Replace(std::string_view content);
  std::string path() const;

 private:
  explicit MemoryFile(int fd) : fd_(fd) {}
  int fd_ = -1;
  int64_t version_ = 1;
};

// What became of the files that were found.
struct TlsReading {
  std::optional<Error> refused;  // the old ones stay in use; field and message say what to do
  std::string serial;            // of the certificate in use, in hex
  Millis not_after{};            // of the certificate in use
};

// Thread-safe. Credentials outlive it only with the certificate that was in use then.
class ServerTls {
 public:
  // Errors: as CheckTlsFiles; FIELD_INVALID when the environment sets GRPC_SSL_CIPHER_SUITES, which
  // would replace the suites (all ECDHE with AEAD).
  static Result<std::unique_ptr<ServerTls>> Open(const TlsFiles& files, Millis now);

  // A client must show a certificate that chains to the anchors, else the handshake fails: no call
  // begins. gRPC 1.51 can't switch off TLS session resumption, so nothing may rest on the handshake
  // alone: see authenticator.h.
  const std::shared_ptr<grpc::ServerCredentials>& credentials() const { return credentials_; }

  // Call it each second. Judges the files when they changed since they were read last and have been
  // quiet since the look before: replacing two files takes a moment. nullopt: nothing to tell.
  // Accepted files serve new handshakes a second later; connections that are there go on. Other
  // trust anchors are refused: what else rests on them is read at start.
  std::optional<TlsReading> LookForChange(Millis now);
  // The same at once, whether they changed or not.
  TlsReading Reload(Millis now);

  // False while what lies there was refused.
  bool current() const;
  Millis not_after() const;  // of the certificate in use

 private:
  // What tells versions of the three files apart.
  struct Stamp {
    std::array<int64_t, 12> facts{};
    bool operator==(const Stamp&) const = default;
  };
  struct Material;

  explicit ServerTls(TlsFiles files) : files_(std::move(files)) {}
  static Result<Material> Read(const TlsFiles& files, Millis now);
  Stamp StampNow() const;
  Status Take(Millis now);       // mutex_ held
  TlsReading Judge(Millis now);  // mutex_ held

  const TlsFiles files_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  mutable std::mutex mutex_;            // guards what follows
  std::optional<MemoryFile> identity_;  // certificate chain and key
  std::optional<MemoryFile> anchors_;
  std::string anchors_pem_;
  std::string serial_;
  Millis not_after_{};
  Stamp judged_;
  Stamp seen_;
  bool current_ = true;
};

}  // namespace schakel::transport
