#include "broker/crypto/cert_key.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "broker/crypto/algorithms.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/init.h"
#include "broker/crypto/openssl_error.h"
#include "broker/crypto/openssl_ptr.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {
namespace {

// LIMIT: a PEM file with an RSA key of 8192 bits is below 8 KiB.
constexpr size_t kKeyFileBytesMax = 64 * 1024;
constexpr int kSaltBytes = 32;

enum class KeyKind { kRsa, kP256, kP384, kOther };

KeyKind KindOf(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA")) {
    const int bits = EVP_PKEY_get_bits(key);
    return bits >= 2048 && bits <= 8192 ? KeyKind::kRsa : KeyKind::kOther;
  }
  if (!EVP_PKEY_is_a(key, "EC")) return KeyKind::kOther;
  char group[64] = {};
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof group, &size) != 1) return KeyKind::kOther;
  const std::string_view name(group, size);
  if (name == SN_X9_62_prime256v1) return KeyKind::kP256;
  if (name == SN_secp384r1) return KeyKind::kP384;
  return KeyKind::kOther;
}

constexpr const char* kKinds = "expected RSA of 2048 to 8192 bits, or EC on P-256 or P-384";

// Sets hash and padding by the key's kind. `init` is EVP_DigestSignInit_ex or
// EVP_DigestVerifyInit_ex.
template <typename Init>
Status Begin(EVP_MD_CTX* context, EVP_PKEY* key, KeyKind kind, Init init) {
  const char* hash = kind == KeyKind::kP384 ? "SHA2-384" : "SHA2-256";
  EVP_PKEY_CTX* options = nullptr;  // owned by the context
  if (init(context, &options, hash, nullptr, nullptr, key, nullptr) != 1) {
    return Internal("OpenSSL can't begin a signature: " + TakeOpensslError());
  }
  if (kind == KeyKind::kRsa &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md_name(options, "SHA2-256", nullptr) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, kSaltBytes) != 1)) {
    return Internal("OpenSSL can't set RSA-PSS: " + TakeOpensslError());
  }
  return {};
}

const unsigned char* AsBytes(BytesView v) {
  return reinterpret_cast<const unsigned char*>(v.data());
}

// Whether the bytes have the form of a signature by this key; OpenSSL reports a wrong form as a
// failure, and here it is an answer.
bool WellFormed(EVP_PKEY* key, KeyKind kind, BytesView signature) {
  if (kind == KeyKind::kRsa) {
    return signature.size() == static_cast<size_t>(EVP_PKEY_get_size(key));
  }
  const unsigned char* at = AsBytes(signature);
  OpensslPtr<ECDSA_SIG, ECDSA_SIG_free> parsed(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
  ERR_clear_error();
  if (!parsed || at != AsBytes(signature) + signature.size()) return false;
  // One form only: DER, not BER.
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parsed.get(), &der);
  OpensslMemoryPtr der_owner(der);
  return size == static_cast<int>(signature.size()) &&
         std::memcmp(der, signature.data(), signature.size()) == 0;
}

Error FileError(const std::filesystem::path& path, const std::string& what) {
  ERR_clear_error();
  return InvalidArgument("FIELD_INVALID", path.string(), path.string() + ": " + what);
}

Result<SecretBytes> ReadKeyFile(const std::filesystem::path& path) {
  struct Descriptor {
    int fd;
    ~Descriptor() {
      if (fd >= 0) close(fd);
    }
  } file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) return FileError(path, std::string("can't open: ") + std::strerror(errno));
  struct stat about {};
  if (fstat(file.fd, &about) != 0 || !S_ISREG(about.st_mode)) {
    return FileError(path, "expected a regular file");
  }
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return FileError(path, "others may read this private key; expected mode 0600 (chmod 600)");
  }
  if (about.st_size <= 0 || static_cast<size_t>(about.st_size) > kKeyFileBytesMax) {
    return FileError(path, "expected a private key in PEM of at most 64 KiB");
  }
  SecretBytes text(static_cast<size_t>(about.st_size));
  std::span<uint8_t> room = text.ExposeSecretForWrite();
  while (!room.empty()) {
    const ssize_t got = read(file.fd, room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return FileError(path, "can't read it whole");
    room = room.subspan(static_cast<size_t>(got));
  }
  return text;
}

// Files here are not encrypted; without this OpenSSL would ask on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

Result<CertificateKey> CertificateKey::Load(const std::filesystem::path& path) {
  InitCrypto();
  SCHAKEL_ASSIGN(SecretBytes text, ReadKeyFile(path));
  BioPtr in(BIO_new_mem_buf(text.ExposeSecret().data(), static_cast<int>(text.size())));
  if (!in) return Internal("OpenSSL is out of memory");
  EvpPkeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, NoPassphrase, nullptr));
  if (!key) {
    return FileError(path, "expected an unencrypted private key in PEM: " + TakeOpensslError());
  }
  if (KindOf(key.get()) == KeyKind::kOther) return FileError(path, kKinds);
  unsigned char* spki = nullptr;
  const int size = i2d_PUBKEY(key.get(), &spki);
  OpensslMemoryPtr spki_owner(spki);
  if (size <= 0) return FileError(path, "its public key can't be read: " + TakeOpensslError());
  CertificateKey loaded;
  loaded.spki_ = Sha256({reinterpret_cast<char*>(spki), static_cast<size_t>(size)});
  loaded.key_ = std::shared_ptr<EVP_PKEY>(key.release(), EVP_PKEY_free);
  return loaded;
}

Result<Bytes> CertificateKey::Sign(BytesView message) const {
  EvpMdCtxPtr context(EVP_MD_CTX_new());
  if (!context) return Internal("OpenSSL is out of memory");
  SCHAKEL_TRY(Begin(context.get(), key_.get(), KindOf(key_.get()), EVP_DigestSignInit_ex));
  size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, AsBytes(message), message.size()) != 1) {
    return Internal("OpenSSL can't sign: " + TakeOpensslError());
  }
  Bytes signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     AsBytes(message), message.size()) != 1) {
    return Internal("OpenSSL can't sign: " + TakeOpensslError());
  }
  signature.resize(size);
  return signature;
}

Result<bool> VerifyByCertificate(const Certificate& certificate, BytesView message,
                                 BytesView signature) {
  EVP_PKEY* key = X509_get0_pubkey(certificate.raw());
  const KeyKind kind = key != nullptr ? KindOf(key) : KeyKind::kOther;
  ERR_clear_error();
  if (kind == KeyKind::kOther) {
    return InvalidArgument("CERTIFICATE_INVALID", "certificate",
                           std::string("its key is of a kind that signs nothing here; ") + kKinds);
  }
  if (!WellFormed(key, kind, signature)) return false;
  EvpMdCtxPtr context(EVP_MD_CTX_new());
  if (!context) return Internal("OpenSSL is out of memory");
  SCHAKEL_TRY(Begin(context.get(), key, kind, EVP_DigestVerifyInit_ex));
  const int outcome = EVP_DigestVerify(context.get(), AsBytes(signature), signature.size(),
                                       AsBytes(message), message.size());
  if (outcome < 0) return Internal("OpenSSL can't verify a signature: " + TakeOpensslError());
  ERR_clear_error();
  return outcome == 1;
}

}  // namespace schakel::crypto
