#include "broker/custodian/key_holder.h"

#include "broker/base/limits.h"
#include "broker/crypto/threshold.h"

namespace schakel::custodian {
namespace {

Error DoesNotFit(std::string message) {
  return InvalidArgument("KEY_SHARE_INVALID", {}, std::move(message));
}

}  // namespace

Result<KeyHolder> KeyHolder::Create(KeyShareFile share, SignedDocument document,
                                    const OrganisationId& own) {
  const crypto::KeyDocument& keys = document.document;
  if (share.key_document != keys.digest()) {
    return DoesNotFit("the share was dealt with the key document " +
                      HexEncode(share.key_document.view()) + ", the one here is " +
                      HexEncode(keys.digest().view()));
  }
  const crypto::Custodian* custodian = keys.Find(own);
  if (custodian == nullptr) {
    return DoesNotFit("the own certificate names " + own.str() +
                      ", which is no custodian of the key document");
  }
  if (share.custodian != own || share.share.x != custodian->x) {
    return DoesNotFit("the share is number " + std::to_string(share.share.x) + " of " +
                      share.custodian.str() + "; the own certificate's " + own.str() +
                      " holds number " + std::to_string(custodian->x));
  }
  if (share.region != keys.region() || share.epoch != keys.epoch()) {
    return DoesNotFit("region or epoch of the share are not those of the key document");
  }
  SCHAKEL_ASSIGN(const bool fits, crypto::VerifyShare(keys.commitments(), share.share));
  if (!fits || share.public_share != custodian->public_share) {
    return DoesNotFit("the share does not match the key document's public share of " + own.str());
  }
  return KeyHolder(std::move(share), std::move(document));
}

Result<crypto::Evaluation> KeyHolder::Evaluate(std::span<const crypto::Point> blinded) const {
  SCHAKEL_CHECK(!blinded.empty() && blinded.size() <= limits::kEvaluateBatchMax,
                "a batch of evaluations within its limit");
  return crypto::BlindEvaluate(share_.share.secret, share_.public_share, blinded);
}

}  // namespace schakel::custodian
