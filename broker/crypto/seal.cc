#include "broker/crypto/seal.h"

#include <algorithm>
#include <utility>

#include "broker/crypto/aead.h"
#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/hpke_internal.h"
#include "broker/crypto/random.h"
#include "broker/crypto/seal_internal.h"

namespace schakel::crypto {
namespace {

// Each content key seals one section under keys of its own, so the nonce need not vary.
constexpr BytesView kZeroNonce("\0\0\0\0\0\0\0\0\0\0\0\0", kAesGcmNonceBytes);

bool IsPaddedCiphertext(BytesView ciphertext) {
  return std::any_of(kPaddedSizes.begin(), kPaddedSizes.end(),
                     [&](size_t size) { return ciphertext.size() == size + kAesGcmTagBytes; });
}

}  // namespace

namespace seal_internal {

Result<SealedSection> SealSectionWith(const SealRequest& request, const SecretBytes& content_key,
                                      const std::function<X25519KeyPair()>& next_ephemeral) {
  SCHAKEL_ASSIGN(const SecretBytes padded,
                 PadPlaintext(request.media_type, request.schema_id, request.content));
  const SectionKeys keys = DeriveSectionKeys(content_key, request.header_digest, request.sid);
  SCHAKEL_ASSIGN(Bytes ciphertext,
                 SealAes256Gcm(keys.key, kZeroNonce,
                               SectionAad(request.header_digest, request.sid, request.meta),
                               padded.ExposeSecret()));
  SealedSection sealed{
      request.sid, Bytes(request.meta), keys.commitment, std::move(ciphertext), Digest(), {}};
  sealed.section_digest = SectionDigest({request.header_digest, request.sid, request.meta,
                                         keys.commitment, Sha256(sealed.ciphertext)});
  for (const SealRecipient& recipient : request.recipients) {
    const Bytes aad =
        WrapAad({request.sender, recipient.oin, recipient.key_set}, sealed.section_digest);
    SCHAKEL_ASSIGN(HpkeSealed wrap,
                   hpke_internal::SealBaseWith(next_ephemeral(), recipient.sealing_key, WrapInfo(),
                                               aad, content_key.ExposeSecret()));
    const Digest wrap_digest =
        WrapDigest(sealed.section_digest, recipient.oin, wrap.enc, wrap.ciphertext);
    sealed.wraps.push_back({recipient.oin, recipient.key_set, std::move(wrap.enc),
                            std::move(wrap.ciphertext), wrap_digest});
  }
  return sealed;
}

}  // namespace seal_internal

Result<SealedSection> SealSection(const SealRequest& request) {
  const SecretBytes content_key = RandomSecret(kContentKeyBytes);
  return seal_internal::SealSectionWith(request, content_key, &X25519KeyPair::Generate);
}

Result<std::variant<SectionContent, OpenFault>> OpenSection(const SectionToOpen& section,
                                                            const X25519KeyPair& recipient_key) {
  using Opened = std::variant<SectionContent, OpenFault>;
  const std::optional<Digest> commitment = Digest::From(section.commitment);
  if (!commitment || section.enc.size() != kHpkeEncBytes ||
      section.wrapped.size() != kWrappedKeyBytes || !IsPaddedCiphertext(section.ciphertext)) {
    return Opened(OpenFault::kShape);
  }
  const Digest section_digest = SectionDigest(
      {section.header_digest, section.sid, section.meta, *commitment, Sha256(section.ciphertext)});
  const Bytes wrap_aad =
      WrapAad({section.sender, section.recipient, section.recipient_key_set}, section_digest);
  SCHAKEL_ASSIGN(const std::optional<SecretBytes> content_key,
                 OpenBase(recipient_key, section.enc, WrapInfo(), wrap_aad, section.wrapped));
  if (!content_key) return Opened(OpenFault::kWrap);

  const SectionKeys keys = DeriveSectionKeys(*content_key, section.header_digest, section.sid);
  if (!ConstantTimeEqual(keys.commitment.view(), commitment->view())) {
    return Opened(OpenFault::kCommitment);
  }
  SCHAKEL_ASSIGN(const std::optional<SecretBytes> padded,
                 OpenAes256Gcm(keys.key, kZeroNonce,
                               SectionAad(section.header_digest, section.sid, section.meta),
                               section.ciphertext));
  if (!padded) return Opened(OpenFault::kCiphertext);
  std::optional<SectionContent> content = UnpadPlaintext(padded->ExposeSecret());
  if (!content) return Opened(OpenFault::kPadding);
  return Opened(*std::move(content));
}

}  // namespace schakel::crypto
