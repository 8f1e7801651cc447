#include "clients/sdk/key_store.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>

#include "broker/base/limits.h"
#include "clients/sdk/files.h"
#include "schakel/client/v1/state.pb.h"

namespace schakel::sdk {
namespace {

namespace fs = std::filesystem;

std::string FileName(uint64_t version, const char* ending) {
  char text[32];
  std::snprintf(text, sizeof text, "%010llu.%s", static_cast<unsigned long long>(version), ending);
  return text;
}

std::optional<uint64_t> VersionOf(const fs::path& file) {
  if (file.extension() != ".keyset") return std::nullopt;
  const std::string stem = file.stem().string();
  uint64_t version = 0;
  const auto [end, code] = std::from_chars(stem.data(), stem.data() + stem.size(), version);
  if (code != std::errc() || end != stem.data() + stem.size() || version == 0) return std::nullopt;
  return version;
}

Error DamagedKeyStore(const fs::path& path) {
  return MakeError(ErrorCode::kDataLoss, "KEY_STORE_DAMAGED",
                   path.string() + " is damaged; restore it from your own copy", path.string());
}

// Reads the private keys straight into secret memory.
Result<std::optional<crypto::SecretBytes>> ReadSecretFile(const fs::path& path) {
  SCHAKEL_ASSIGN(auto content, ReadFileIfThere(path, 64));
  if (!content) return std::optional<crypto::SecretBytes>();
  auto secret = crypto::SecretBytes::CopyOf(*content);
  crypto::WipeMemory(*content);
  return std::optional<crypto::SecretBytes>(std::move(secret));
}

}  // namespace

Result<KeyStore> KeyStore::Open(fs::path folder) {
  SCHAKEL_TRY(EnsurePrivateFolder(folder));
  return KeyStore(std::move(folder));
}

Result<std::vector<uint64_t>> KeyStore::Versions() const {
  std::vector<uint64_t> versions;
  std::error_code code;
  for (fs::directory_iterator at(folder_, code), end; !code && at != end; at.increment(code)) {
    if (const auto version = VersionOf(at->path().filename())) versions.push_back(*version);
  }
  if (code) {
    return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED",
                     "can't list " + folder_.string() + ": " + code.message(), folder_.string());
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

Result<std::optional<OwnKeySet>> KeyStore::Load(uint64_t version) const {
  const fs::path path = folder_ / FileName(version, "keyset");
  SCHAKEL_ASSIGN(const auto content, ReadFileIfThere(path, 1 << 20));
  if (!content) return std::optional<OwnKeySet>();
  client::v1::OwnKeySet stored;
  if (!stored.ParseFromString(*content)) return DamagedKeyStore(path);
  auto key_set = crypto::ParseKeySet(stored.key_set().key_set());
  if (!key_set.ok() || key_set->version != version) return DamagedKeyStore(path);
  OwnKeySet own{*key_set,         crypto::KeySetDigest(stored.key_set().key_set()),
                stored.key_set(), stored.registered(),
                nullptr,          nullptr};
  const fs::path key_path = folder_ / FileName(version, "keys");
  SCHAKEL_ASSIGN(const auto secret, ReadSecretFile(key_path));
  if (!secret) return std::optional<OwnKeySet>(std::move(own));  // destroyed after its term
  if (secret->size() != 64) return DamagedKeyStore(key_path);
  auto sealing = crypto::X25519KeyPair::FromPrivate(
      crypto::SecretBytes::CopyOf(secret->ExposeSecret().substr(0, 32)));
  auto signing =
      crypto::SigningKey::FromSeed(crypto::SecretBytes::CopyOf(secret->ExposeSecret().substr(32)));
  if (!sealing.ok() || !signing.ok() || sealing->public_key() != own.key_set.sealing_key ||
      signing->public_key() != own.key_set.signing_key) {
    return DamagedKeyStore(key_path);
  }
  own.sealing = std::make_shared<const crypto::X25519KeyPair>(std::move(sealing).value());
  own.signing = std::make_shared<const crypto::SigningKey>(std::move(signing).value());
  return std::optional<OwnKeySet>(std::move(own));
}

Status KeyStore::Write(const OwnKeySet& own) const {
  client::v1::OwnKeySet stored;
  *stored.mutable_key_set() = own.signed_key_set;
  stored.set_registered(own.registered);
  return WriteFileDurably(folder_ / FileName(own.key_set.version, "keyset"),
                          stored.SerializeAsString());
}

Result<std::vector<OwnKeySet>> KeyStore::List() const {
  SCHAKEL_ASSIGN(const auto versions, Versions());
  std::vector<OwnKeySet> all;
  for (const uint64_t version : versions) {
    SCHAKEL_ASSIGN(auto own, Load(version));
    if (own) all.push_back(std::move(*own));
  }
  return all;
}

Result<OwnKeySet> KeyStore::Generate(std::span<const crypto::Certificate> chain, Millis now,
                                     std::chrono::hours validity) {
  if (chain.empty() || chain.size() > limits::kCertificateChainMax) {
    return InvalidArgument("CERTIFICATE_INVALID", "certificate", "a chain has 1 to 5 certificates");
  }
  SCHAKEL_ASSIGN(const auto oin, crypto::RequireOin(chain.front()));
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder_ / ".lock"));
  SCHAKEL_ASSIGN(const auto all, List());
  if (!all.empty() && !all.back().complete()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INCOMPLETE",
                     "key set " + std::to_string(all.back().key_set.version) +
                         " waits for the certificate's signature: attach it, or discard that set");
  }
  if (!all.empty() && all.back().key_set.oin != oin) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INVALID",
                     "the key store holds key sets of " + all.back().key_set.oin.str() +
                         ", the certificate names " + oin.str());
  }
  auto sealing = crypto::X25519KeyPair::Generate();
  auto signing = crypto::SigningKey::Generate();
  const Millis wanted = now + std::min<Millis>(validity, limits::kKeySetValidityMax);
  const Millis until = std::min(wanted, chain.front().facts().not_after);
  if (until <= now || !chain.front().facts().ValidAt(now)) {
    return MakeError(ErrorCode::kFailedPrecondition, "CERTIFICATE_EXPIRED",
                     "the certificate is not valid now");
  }
  const crypto::KeySet key_set{oin,
                               all.empty() ? 1 : all.back().key_set.version + 1,
                               now,
                               until,
                               all.empty() ? Digest{} : all.back().digest,
                               sealing.public_key(),
                               signing.public_key()};
  const Bytes bytes = crypto::EncodeKeySet(key_set);
  OwnKeySet own{key_set, crypto::KeySetDigest(bytes), {}, false, nullptr, nullptr};
  own.signed_key_set.set_key_set(bytes);
  own.signed_key_set.set_signing_key_signature(signing.Sign(bytes));
  for (const auto& certificate : chain) {
    own.signed_key_set.add_certificate_chain(certificate.der());
  }
  // Private keys first: a public part without them would be of no use.
  Bytes secret(sealing.private_key().ExposeSecret());
  secret.append(signing.seed().ExposeSecret());
  const auto written = WriteFileDurably(folder_ / FileName(key_set.version, "keys"), secret);
  crypto::WipeMemory(secret);
  if (!written.ok()) return written.error();
  SCHAKEL_TRY(Write(own));
  own.sealing = std::make_shared<const crypto::X25519KeyPair>(std::move(sealing));
  own.signing = std::make_shared<const crypto::SigningKey>(std::move(signing));
  return own;
}

Result<OwnKeySet> KeyStore::Attach(BytesView certificate_signature) {
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder_ / ".lock"));
  SCHAKEL_ASSIGN(auto all, List());
  if (all.empty() || all.back().complete()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_MISSING",
                     "no key set waits for a signature; run: schakel keys generate");
  }
  OwnKeySet own = std::move(all.back());
  SCHAKEL_ASSIGN(const auto leaf,
                 crypto::Certificate::Parse(own.signed_key_set.certificate_chain(0)));
  SCHAKEL_ASSIGN(const bool good, crypto::VerifyByCertificate(leaf, own.signed_key_set.key_set(),
                                                              certificate_signature));
  if (!good) {
    return InvalidArgument("SIGNATURE_INVALID", "signature",
                           "the signature is not one by the certificate's key over the key set");
  }
  own.signed_key_set.set_certificate_signature(Bytes(certificate_signature));
  SCHAKEL_TRY(Write(own));
  return own;
}

Result<OwnKeySet> KeyStore::Sign(const crypto::CertificateKey& key) {
  SCHAKEL_ASSIGN(const auto all, List());
  if (all.empty()) return Attach({});
  SCHAKEL_ASSIGN(const Bytes signature, key.Sign(all.back().signed_key_set.key_set()));
  return Attach(signature);
}

Status KeyStore::DiscardIncomplete() {
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder_ / ".lock"));
  SCHAKEL_ASSIGN(const auto all, List());
  if (all.empty() || all.back().complete()) return {};
  const uint64_t version = all.back().key_set.version;
  SCHAKEL_TRY(RemoveFileDurably(folder_ / FileName(version, "keyset")));
  return RemoveFileDurably(folder_ / FileName(version, "keys"));
}

Status KeyStore::MarkRegistered(const Digest& digest) {
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder_ / ".lock"));
  SCHAKEL_ASSIGN(auto own, Find(digest));
  if (own.registered) return {};
  own.registered = true;
  return Write(own);
}

Result<OwnKeySet> KeyStore::Current(Millis now) const {
  SCHAKEL_ASSIGN(auto all, List());
  bool any_expired = false;
  for (auto own = all.rbegin(); own != all.rend(); ++own) {
    if (!own->registered || !own->signing) continue;
    if (own->ValidAt(now)) return std::move(*own);
    any_expired = true;
  }
  return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_MISSING",
                   any_expired ? "the registered key set is not valid now; run: schakel keys "
                                 "generate, then schakel org register-keys"
                               : "no key set is registered with the broker; run: schakel keys "
                                 "generate, then schakel org register-keys",
                   folder_.string());
}

Result<OwnKeySet> KeyStore::Newest() const {
  SCHAKEL_ASSIGN(auto all, List());
  for (auto own = all.rbegin(); own != all.rend(); ++own) {
    if (own->complete()) return std::move(*own);
  }
  return MakeError(ErrorCode::kNotFound, "KEY_SET_MISSING",
                   "no key set carries both signatures; run: schakel keys generate",
                   folder_.string());
}

Result<OwnKeySet> KeyStore::Find(const Digest& digest) const {
  SCHAKEL_ASSIGN(auto all, List());
  for (auto& own : all) {
    if (own.digest == digest) return std::move(own);
  }
  return MakeError(ErrorCode::kNotFound, "KEY_SET_UNKNOWN",
                   "the key store has no key set " + HexEncode(digest.view()).substr(0, 16));
}

Result<size_t> KeyStore::DestroyOld(Millis now) {
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder_ / ".lock"));
  SCHAKEL_ASSIGN(const auto all, List());
  const Millis keep = Millis(limits::kExpiryMax) + Millis(std::chrono::hours(30 * 24));
  size_t destroyed = 0;
  for (const auto& own : all) {
    if (!own.sealing || own.key_set.not_after + keep > now) continue;
    const fs::path path = folder_ / FileName(own.key_set.version, "keys");
    // Overwritten in place before it is removed: best effort, as file systems may keep copies.
    if (FILE* file = std::fopen(path.c_str(), "r+b")) {
      const char zeros[64] = {};
      std::fwrite(zeros, 1, sizeof zeros, file);
      std::fclose(file);
    }
    SCHAKEL_TRY(RemoveFileDurably(path));
    ++destroyed;
  }
  return destroyed;
}

}  // namespace schakel::sdk
