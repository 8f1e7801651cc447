// An envelope, parsed and checked as far as its bytes alone allow: sizes, shape and digests. Pure.
#pragma once

#include <memory>
#include <vector>

#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/machine/field_path.h"
#include "schakel/v1/envelope.pb.h"

namespace schakel::machine {

// An object that exists is well formed: every id has its size, every label is in routing, every
// wrap is for a recipient, values hold every digest. Immutable.
struct ParsedEnvelope {
  v1::Envelope envelope;  // the bytes of header, routing, meta as they came
  v1::Header header;
  v1::Routing routing;
  std::vector<v1::SectionMeta> metas;                   // by section
  std::vector<std::vector<uint16_t>> section_subjects;  // by section: places in routing's subjects
  // By recipient: for each section the place of its wrap, or -1.
  std::vector<std::vector<int>> wraps;
  SignalId signal_id;
  OrganisationId sender;
  std::vector<OrganisationId> recipients;
  Digest sender_key_set;
  Digest digest;        // envelope_digest
  Bytes batch_message;  // what the signature is over
  size_t bytes = 0;     // of the whole message
};

// INVALID_ARGUMENT with the field's path for anything malformed; VALUES_INVALID when digests and
// values do not match. Does not look at the signature, the time or the region.
Result<std::shared_ptr<const ParsedEnvelope>> ParseEnvelope(v1::Envelope envelope);

// 1 or 2 pairs of 32 bytes with distinct epochs; epoch 0 only alone. SUBJECT_REF_INVALID.
Status CheckSubjectRef(const v1::SubjectRef& ref, const FieldPath& field);
inline bool IsLinked(const v1::SubjectRef& ref) {
  return ref.pairs_size() > 0 && ref.pairs(0).epoch() != 0;
}

// 1..kCodeBytesMax characters of [a-z0-9-]. FIELD_MISSING, TOO_LARGE or FIELD_INVALID.
Status CheckCode(const std::string& code, const FieldPath& field);
// An OIN of 20 digits. FIELD_MISSING or FIELD_INVALID.
Status CheckOin(const std::string& oin, const FieldPath& field);
// Of sections[i], where the message stands in the field `within`, or is the section itself: codes,
// 1 to 16 labels, at most 16 conditions; whether the labels are subjects' is asked elsewhere.
// FIELD_MISSING, TOO_LARGE or FIELD_INVALID.
Status CheckSectionMeta(const v1::SectionMeta& meta, int i, std::string_view within);
// FIELD_INVALID when the message, or one within it, has a field that this broker does not know:
// what is stored or hashed must be understood whole.
Status CheckKnown(const google::protobuf::Message& message, const FieldPath& field);

// Parses `bytes` as a message without unknown fields. FIELD_INVALID with `field`.
Status ParseStrict(BytesView bytes, const FieldPath& field, google::protobuf::Message* out);

}  // namespace schakel::machine
