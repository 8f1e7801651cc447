#include "clients/sdk/signal_draft.h"

#include "broker/crypto/hash.h"
#include "clients/sdk/pseudonym_client.h"

namespace schakel::sdk {
namespace {

void AddStrings(ByteWriter& out, const std::vector<std::string>& values) {
  out.U32(static_cast<uint32_t>(values.size()));
  for (const auto& value : values) out.Lp(value);
}

void AddNumbers(ByteWriter& out, const std::vector<uint16_t>& values) {
  out.U32(static_cast<uint32_t>(values.size()));
  for (const uint16_t value : values) out.U16(value);
}

void AddSubject(ByteWriter& out, const v1::SubjectRef& subject) {
  const bool unlinked = IsUnlinked(subject);
  out.U32(static_cast<uint32_t>(subject.pairs_size()));
  for (const auto& pair : subject.pairs()) {
    out.U32(pair.epoch()).Lp(unlinked ? BytesView() : BytesView(pair.value()));
  }
}

}  // namespace

Digest DraftDigest(const SignalDraft& draft, BytesView key) {
  const crypto::HmacSha256Key hmac(key);
  ByteWriter out;
  out.Raw("schakel/sdk/draft/1\n");
  out.Lp(draft.signal_type).Lp(draft.purpose).U8(static_cast<uint8_t>(draft.urgency));
  out.U64(draft.expires_in ? static_cast<uint64_t>(draft.expires_in->count()) : 0);
  out.Lp(draft.follows ? draft.follows->view() : BytesView());
  out.Lp(draft.supersedes ? draft.supersedes->view() : BytesView());
  out.Lp(draft.case_id ? draft.case_id->view() : BytesView());
  out.U32(static_cast<uint32_t>(draft.recipients.size()));
  for (const auto& to : draft.recipients) {
    out.Lp(to.organisation ? to.organisation->str() : std::string());
    out.Lp(to.function ? to.function->str() : std::string());
  }
  out.U32(static_cast<uint32_t>(draft.subjects.size()));
  for (const auto& subject : draft.subjects) AddSubject(out, subject);
  out.U32(static_cast<uint32_t>(draft.sections.size()));
  for (const auto& section : draft.sections) {
    out.Lp(section.category).Lp(section.ground).Lp(section.media_type).Lp(section.schema_id);
    AddNumbers(out, section.subjects);
    AddStrings(out, section.attested);
    AddNumbers(out, section.readers);
    // The content enters as its own HMAC, so that no copy of it leaves secret memory.
    out.Raw(hmac.Compute(section.content.ExposeSecret()).view());
  }
  return hmac.Compute(out.bytes());
}

}  // namespace schakel::sdk
