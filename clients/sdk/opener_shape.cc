// Step 1 of opening: sizes, version, suite.
#include <algorithm>
#include <set>

#include "broker/base/limits.h"
#include "broker/crypto/aead.h"
#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hpke.h"
#include "broker/crypto/padding.h"
#include "broker/crypto/sign.h"
#include "broker/message/unknown_fields.h"
#include "clients/sdk/opener_internal.h"

namespace schakel::sdk {
namespace {

bool IsCode(const std::string& code) {
  return !code.empty() && code.size() <= limits::kCodeBytesMax;
}

bool IsPaddedSize(size_t ciphertext) {
  return std::any_of(crypto::kPaddedSizes.begin(), crypto::kPaddedSizes.end(),
                     [&](size_t size) { return ciphertext == size + crypto::kAesGcmTagBytes; });
}

std::string WrongInProof(const v1::BatchProof& proof) {
  if (proof.count() < 1 || proof.count() > limits::kBatchEnvelopesMax) return "batch count";
  if (proof.index() >= proof.count()) return "batch index";
  if (proof.path_size() > 6) return "batch path";
  if (proof.signature().size() != crypto::kEd25519SignatureBytes) return "signature size";
  return "";
}

std::string WrongInSection(const v1::Section& section, const OrganisationId& reader) {
  if (section.sid().size() != 16) return "sid size";
  if (section.meta().size() > limits::kMetaBytesMax) return "meta size";
  if (section.commitment().size() != 32) return "commitment size";
  if (!IsPaddedSize(section.ciphertext().size())) return "ciphertext size";
  if (section.wraps_size() != 1) return "not one wrap";
  const auto& wrap = section.wraps(0);
  if (wrap.recipient() != reader.str()) return "wrap of another recipient";
  if (wrap.recipient_key_set_digest().size() != 32) return "wrap key set size";
  if (wrap.enc().size() != crypto::kHpkeEncBytes) return "enc size";
  if (wrap.wrapped().size() != crypto::kWrappedKeyBytes) return "wrapped size";
  return "";
}

}  // namespace

std::string WrongInHeader(const v1::Header& header) {
  if (message::HasUnknownFields(header)) return "unknown field in the header";
  if (header.format_version() != 1) return "format version";
  if (!IsCode(header.region())) return "region";
  if (header.signal_id().size() != 16) return "signal id";
  if (!OrganisationId::From(header.sender())) return "sender";
  if (header.sender_key_set_digest().size() != 32) return "sender key set";
  if (!IsCode(header.signal_type()) || !IsCode(header.purpose())) return "type or purpose";
  if (header.urgency() != v1::URGENCY_NORMAL && header.urgency() != v1::URGENCY_ACUTE) {
    return "urgency";
  }
  constexpr uint64_t kExpiryMs = static_cast<uint64_t>(Millis(limits::kExpiryMax).count());
  if (header.created_ms() >= (uint64_t{1} << 48) || header.expires_ms() <= header.created_ms() ||
      header.expires_ms() - header.created_ms() > kExpiryMs) {
    return "times";
  }
  for (const auto* id : {&header.follows(), &header.supersedes()}) {
    if (!id->empty() && id->size() != 16) return "follows or supersedes";
  }
  if (!header.follows().empty() && !header.supersedes().empty()) return "follows and supersedes";
  if (header.checkpoint_root().size() != (header.checkpoint_size() == 0 ? 0u : 32u)) {
    return "checkpoint";
  }
  if (header.random().size() != 32) return "random";
  return "";
}

std::string WrongInMeta(const v1::SectionMeta& meta) {
  if (message::HasUnknownFields(meta)) return "unknown field in a meta";
  if (!IsCode(meta.category()) || !IsCode(meta.ground())) return "category or ground";
  const auto& labels = meta.subject_labels();
  if (labels.empty() || static_cast<size_t>(labels.size()) > limits::kSubjectsMax) {
    return "number of labels";
  }
  if (std::set<std::string>(labels.begin(), labels.end()).size() !=
      static_cast<size_t>(labels.size())) {
    return "equal labels";
  }
  for (const auto& label : labels) {
    if (label.size() != 16) return "label size";
  }
  if (static_cast<size_t>(meta.attested_conditions_size()) > limits::kAttestationsMax) {
    return "number of conditions";
  }
  for (const auto& condition : meta.attested_conditions()) {
    if (!IsCode(condition)) return "condition";
  }
  return "";
}

Status Opener::CheckShape(Work& work) {
  const auto& in = work.in;
  if (message::HasUnknownFields(in)) return work.Fail(1, "unknown field");
  if (in.header().size() > limits::kHeaderBytesMax || !work.header.ParseFromString(in.header())) {
    return work.Fail(1, "header can't be read");
  }
  if (auto wrong = WrongInHeader(work.header); !wrong.empty()) return work.Fail(1, wrong);
  if (auto wrong = WrongInProof(in.proof()); !wrong.empty()) return work.Fail(1, wrong);
  work.sender = OrganisationId::From(work.header.sender());
  work.id = *SignalId::From(work.header.signal_id());
  work.header_digest = crypto::HeaderDigest(in.header());
  if (static_cast<size_t>(in.values_size()) > limits::kValuesMax) return work.Fail(1, "values");
  for (const auto& value : in.values()) {
    const auto digest = Digest::From(value);
    if (!digest) return work.Fail(1, "value size");
    work.values.push_back(*digest);
  }
  work.envelope_digest = crypto::EnvelopeDigest(work.header_digest, work.values);
  if (in.sections_size() < 1 || static_cast<size_t>(in.sections_size()) > limits::kSectionsMax) {
    return work.Fail(1, "number of sections");
  }
  if (!in.case_id().empty() && in.case_id().size() != 16) return work.Fail(1, "case size");
  if (in.bundle_digest().size() != 32) return work.Fail(1, "bundle digest size");
  for (int i = 0; i < in.sections_size(); ++i) {
    const auto& section = in.sections(i);
    if (auto wrong = WrongInSection(section, reader_.oin); !wrong.empty()) {
      return work.Fail(1, wrong);
    }
    if (i > 0 && section.sid() <= in.sections(i - 1).sid()) return work.Fail(1, "order of sids");
    v1::SectionMeta meta;
    if (!meta.ParseFromString(section.meta())) return work.Fail(1, "meta can't be read");
    if (auto wrong = WrongInMeta(meta); !wrong.empty()) return work.Fail(1, wrong);
    work.metas.push_back(std::move(meta));
  }
  return {};
}

}  // namespace schakel::sdk
