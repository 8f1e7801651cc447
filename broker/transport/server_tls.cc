#include "broker/transport/server_tls.h"

#include <fcntl.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "broker/crypto/secret.h"

namespace schakel::transport {
namespace {

namespace tls = grpc::experimental;

// How often gRPC looks at the copies in memory.
constexpr unsigned kGrpcLookSeconds = 1;

Error MemoryError(const char* doing) {
  return Internal(std::string("certificate and key can't be kept in memory: ") + doing + ": " +
                  std::strerror(errno));
}

// A new file in memory with this content and time of change.
Result<int> NewMemoryFile(std::string_view content, int64_t version) {
  const int fd = ::memfd_create("schakel-tls", MFD_CLOEXEC);
  if (fd < 0) return MemoryError("memfd_create");
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      ::close(fd);
      return MemoryError("write");
    }
    content.remove_prefix(static_cast<size_t>(n));
  }
  const std::array<timespec, 2> times = {timespec{version, 0}, timespec{version, 0}};
  if (::futimens(fd, times.data()) != 0) {
    ::close(fd);
    return MemoryError("futimens");
  }
  return fd;
}

}  // namespace

Result<MemoryFile> MemoryFile::Create(std::string_view content) {
  SCHAKEL_ASSIGN(const int fd, NewMemoryFile(content, 1));
  MemoryFile file(fd);
  struct stat there {};
  if (::stat(file.path().c_str(), &there) != 0) return MemoryError("/proc/self/fd");
  return file;
}

MemoryFile::MemoryFile(MemoryFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), version_(other.version_) {}

MemoryFile::~MemoryFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status MemoryFile::Replace(std::string_view content) {
  SCHAKEL_ASSIGN(const int fresh, NewMemoryFile(content, ++version_));
  const int moved = ::dup3(fresh, fd_, O_CLOEXEC);
  const Error error = MemoryError("dup3");
  ::close(fresh);
  if (moved < 0) return error;
  return {};
}

std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

// What was read and accepted.
struct ServerTls::Material {
  std::string identity_pem;  // chain, then key
  std::string anchors_pem;
  std::string serial;
  Millis not_after{};
};

Result<ServerTls::Material> ServerTls::Read(const TlsFiles& files, Millis now) {
  SCHAKEL_TRY(CheckTlsFiles(files, crypto::ChainUse::kServer, now));
  Material material;
  SCHAKEL_ASSIGN(material.identity_pem, ReadPemFile(files.certificate));
  SCHAKEL_ASSIGN(material.anchors_pem, ReadPemFile(files.ca));
  SCHAKEL_ASSIGN(const auto chain, crypto::Certificate::ParseChain(material.identity_pem));
  material.serial = chain.front().facts().serial;
  material.not_after = chain.front().facts().not_after;
  SCHAKEL_ASSIGN(std::string key, ReadPemFile(files.key));
  if (!material.identity_pem.ends_with('\n')) material.identity_pem += '\n';
  material.identity_pem += key;
  crypto::WipeMemory(key);
  return material;
}

Result<std::unique_ptr<ServerTls>> ServerTls::Open(const TlsFiles& files, Millis now) {
  // gRPC's own list is TLS 1.3's suites and ECDHE with AES-GCM; the variable would replace it.
  if (std::getenv("GRPC_SSL_CIPHER_SUITES") != nullptr) {
    return InvalidArgument("FIELD_INVALID", "GRPC_SSL_CIPHER_SUITES",
                           "unset this environment variable: it would replace the cipher suites");
  }
  std::unique_ptr<ServerTls> self(new ServerTls(files));
  {
    const std::lock_guard lock(self->mutex_);
    self->judged_ = self->seen_ = self->StampNow();
    SCHAKEL_TRY(self->Take(now));
  }
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(
      self->identity_->path(), self->identity_->path(), self->anchors_->path(), kGrpcLookSeconds);
  tls::TlsServerCredentialsOptions options(std::move(provider));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  self->credentials_ = tls::TlsServerCredentials(options);
  return self;
}

ServerTls::Stamp ServerTls::StampNow() const {
  Stamp stamp;
  size_t at = 0;
  for (const auto* path : {&files_.certificate, &files_.key, &files_.ca}) {
    struct stat facts {};
    const bool there = ::stat(path->c_str(), &facts) == 0;
    stamp.facts[at++] = there ? static_cast<int64_t>(facts.st_ino) : -1;
    stamp.facts[at++] = there ? facts.st_size : -1;
    stamp.facts[at++] = there ? facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec : -1;
    stamp.facts[at++] = there ? facts.st_ctim.tv_sec * 1'000'000'000 + facts.st_ctim.tv_nsec : -1;
  }
  return stamp;
}

Status ServerTls::Take(Millis now) {
  SCHAKEL_ASSIGN(Material material, Read(files_, now));
  Status taken = [&]() -> Status {
    if (StampNow() != judged_) {
      return InvalidArgument("FIELD_INVALID", files_.certificate.string(),
                             "certificate and key change while they are read");
    }
    if (!identity_) {
      SCHAKEL_ASSIGN(MemoryFile identity, MemoryFile::Create(material.identity_pem));
      SCHAKEL_ASSIGN(MemoryFile anchors, MemoryFile::Create(material.anchors_pem));
      identity_.emplace(std::move(identity));
      anchors_.emplace(std::move(anchors));
      anchors_pem_ = material.anchors_pem;
      return {};
    }
    if (material.anchors_pem != anchors_pem_) {
      return InvalidArgument("FIELD_INVALID", files_.ca.string(),
                             "other trust anchors are taken at a start only: restart the program");
    }
    return identity_->Replace(material.identity_pem);
  }();
  crypto::WipeMemory(material.identity_pem);
  if (!taken.ok()) return taken;
  serial_ = material.serial;
  not_after_ = material.not_after;
  return {};
}

TlsReading ServerTls::Judge(Millis now) {
  judged_ = seen_ = StampNow();
  const Status taken = Take(now);
  current_ = taken.ok();
  TlsReading reading;
  if (!taken.ok()) reading.refused = taken.error();
  reading.serial = serial_;
  reading.not_after = not_after_;
  return reading;
}

std::optional<TlsReading> ServerTls::LookForChange(Millis now) {
  const std::lock_guard lock(mutex_);
  const Stamp stamp = StampNow();
  const bool quiet = stamp == seen_;
  seen_ = stamp;
  if (!quiet || stamp == judged_) return std::nullopt;
  return Judge(now);
}

TlsReading ServerTls::Reload(Millis now) {
  const std::lock_guard lock(mutex_);
  return Judge(now);
}

bool ServerTls::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Millis ServerTls::not_after() const {
  const std::lock_guard lock(mutex_);
  return not_after_;
}

}  // namespace schakel::transport
