#include "broker/machine/envelope.h"

#include <algorithm>
#include <set>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hash.h"
#include "broker/merkle/batch_tree.h"
#include "broker/merkle/proof.h"
#include "broker/message/unknown_fields.h"

namespace schakel::machine {
namespace {

Status CheckSize(BytesView value, size_t size, const FieldPath& field) {
  if (value.empty()) {
    return InvalidArgument("FIELD_MISSING", field.str(), std::to_string(size) + " bytes expected");
  }
  if (value.size() != size) {
    return InvalidArgument(
        "FIELD_INVALID", field.str(),
        "is " + std::to_string(value.size()) + " bytes; " + std::to_string(size) + " expected");
  }
  return {};
}

Status CheckCount(int count, size_t max, const FieldPath& field) {
  if (count == 0) return InvalidArgument("FIELD_MISSING", field.str(), "at least one is required");
  if (static_cast<size_t>(count) > max) {
    return InvalidArgument("TOO_LARGE", field.str(),
                           std::to_string(count) + " given; at most " + std::to_string(max));
  }
  return {};
}

Status CheckUpTo(BytesView value, size_t max, const FieldPath& field) {
  if (value.empty()) return InvalidArgument("FIELD_MISSING", field.str(), "is required");
  if (value.size() > max) {
    return InvalidArgument(
        "TOO_LARGE", field.str(),
        "is " + std::to_string(value.size()) + " bytes; at most " + std::to_string(max));
  }
  return {};
}

Status CheckHeader(const v1::Header& h) {
  if (h.format_version() == 0) {
    return InvalidArgument("FIELD_MISSING", "header.format_version", "1 expected");
  }
  if (h.format_version() != 1) {
    return InvalidArgument("FIELD_INVALID", "header.format_version",
                           "is " + std::to_string(h.format_version()) + "; 1 expected");
  }
  SCHAKEL_TRY(CheckUpTo(h.region(), limits::kCodeBytesMax, "header.region"));
  SCHAKEL_TRY(CheckSize(h.signal_id(), 16, "header.signal_id"));
  SCHAKEL_TRY(CheckOin(h.sender(), "header.sender"));
  SCHAKEL_TRY(CheckSize(h.sender_key_set_digest(), 32, "header.sender_key_set_digest"));
  SCHAKEL_TRY(CheckCode(h.signal_type(), "header.signal_type"));
  SCHAKEL_TRY(CheckCode(h.purpose(), "header.purpose"));
  if (h.urgency() == v1::URGENCY_UNSPECIFIED) {
    return InvalidArgument("FIELD_MISSING", "header.urgency", "is required");
  }
  if (h.urgency() != v1::URGENCY_NORMAL && h.urgency() != v1::URGENCY_ACUTE) {
    return InvalidArgument("FIELD_INVALID", "header.urgency",
                           "URGENCY_NORMAL or URGENCY_ACUTE expected");
  }
  if (h.created_ms() == 0)
    return InvalidArgument("FIELD_MISSING", "header.created_ms", "is required");
  if (h.expires_ms() == 0)
    return InvalidArgument("FIELD_MISSING", "header.expires_ms", "is required");
  if (!h.follows().empty()) SCHAKEL_TRY(CheckSize(h.follows(), 16, "header.follows"));
  if (!h.supersedes().empty()) SCHAKEL_TRY(CheckSize(h.supersedes(), 16, "header.supersedes"));
  if (!h.follows().empty() && !h.supersedes().empty()) {
    return InvalidArgument("FIELD_INVALID", "header.supersedes",
                           "a signal follows another or supersedes one, not both");
  }
  if (h.checkpoint_size() == 0 && !h.checkpoint_root().empty()) {
    return InvalidArgument("FIELD_INVALID", "header.checkpoint_root",
                           "a root without a size; none expected");
  }
  if (h.checkpoint_size() != 0) {
    SCHAKEL_TRY(CheckSize(h.checkpoint_root(), 32, "header.checkpoint_root"));
  }
  return CheckSize(h.random(), 32, "header.random");
}

Status CheckRouting(const v1::Routing& r) {
  SCHAKEL_TRY(CheckCount(r.recipients_size(), limits::kRecipientsMax, "routing.recipients"));
  std::set<std::string> oins;
  for (int i = 0; i < r.recipients_size(); ++i) {
    const auto& recipient = r.recipients(i);
    SCHAKEL_TRY(CheckOin(recipient.oin(), FieldPath("routing.recipients", i, "oin")));
    if (!oins.insert(recipient.oin()).second) {
      return InvalidArgument("FIELD_INVALID", FieldPath("routing.recipients", i, "oin").str(),
                             "a recipient stands twice");
    }
    if (recipient.has_function()) {
      SCHAKEL_TRY(CheckCode(recipient.function().function(),
                            FieldPath("routing.recipients", i, "function.function")));
      SCHAKEL_TRY(CheckCode(recipient.function().area(),
                            FieldPath("routing.recipients", i, "function.area")));
    }
  }
  if (!r.case_id().empty()) SCHAKEL_TRY(CheckSize(r.case_id(), 16, "routing.case_id"));
  SCHAKEL_TRY(CheckCount(r.subjects_size(), limits::kSubjectsMax, "routing.subjects"));
  std::set<std::string> labels;
  for (int i = 0; i < r.subjects_size(); ++i) {
    SCHAKEL_TRY(CheckSize(r.subjects(i).label(), 16, FieldPath("routing.subjects", i, "label")));
    if (!labels.insert(r.subjects(i).label()).second) {
      return InvalidArgument("FIELD_INVALID", FieldPath("routing.subjects", i, "label").str(),
                             "a label stands twice");
    }
    SCHAKEL_TRY(CheckSubjectRef(r.subjects(i).ref(), FieldPath("routing.subjects", i, "ref")));
  }
  SCHAKEL_TRY(CheckUpTo(r.actor(), limits::kActorBytesMax, "routing.actor"));
  return CheckSize(r.random(), 16, "routing.random");
}

bool SameRef(const v1::SubjectRef& a, const v1::SubjectRef& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

// Finds the subjects of a section, and checks the reference that only identity-bsn carries.
Result<std::vector<uint16_t>> FindSubjects(const ParsedEnvelope& e, const v1::SectionMeta& meta,
                                           int i) {
  std::vector<uint16_t> places;
  for (const auto& label : meta.subject_labels()) {
    int place = -1;
    for (int k = 0; k < e.routing.subjects_size(); ++k) {
      if (e.routing.subjects(k).label() == label) place = k;
    }
    if (place < 0 || std::count(places.begin(), places.end(), place) > 0) {
      return InvalidArgument("FIELD_INVALID", FieldPath("sections", i, "meta.subject_labels").str(),
                             "distinct labels of routing's subjects expected");
    }
    places.push_back(static_cast<uint16_t>(place));
  }
  bool with_ref = meta.category() == "identity-bsn";
  if (with_ref != meta.has_subject_ref()) {
    return InvalidArgument("FIELD_INVALID", FieldPath("sections", i, "meta.subject_ref").str(),
                           "expected in an identity-bsn section and in no other");
  }
  if (with_ref &&
      (places.size() != 1 || !SameRef(meta.subject_ref(), e.routing.subjects(places[0]).ref()))) {
    return InvalidArgument("SUBJECT_MISMATCH", FieldPath("sections", i, "meta.subject_ref").str(),
                           "differs from routing's reference of that one subject");
  }
  return places;
}

bool IsSealedSize(size_t bytes) {
  for (size_t padded : {1024u, 4096u, 16384u, 65536u}) {
    if (bytes == padded + 16) return true;
  }
  return false;
}

// Reads one section and adds its digests to `known`.
Status AddSection(ParsedEnvelope* e, int i, const Digest& hd, std::vector<Digest>* known) {
  const auto& section = e->envelope.sections(i);
  SCHAKEL_TRY(CheckSize(section.sid(), 16, FieldPath("sections", i, "sid")));
  if (i > 0 && section.sid() <= e->envelope.sections(i - 1).sid()) {
    return InvalidArgument("FIELD_INVALID", FieldPath("sections", i, "sid").str(),
                           "distinct sids in ascending order expected");
  }
  SCHAKEL_TRY(CheckUpTo(section.meta(), limits::kMetaBytesMax, FieldPath("sections", i, "meta")));
  SCHAKEL_TRY(CheckSize(section.commitment(), 32, FieldPath("sections", i, "commitment")));
  if (!IsSealedSize(section.ciphertext().size())) {
    return InvalidArgument(section.ciphertext().empty() ? "FIELD_MISSING" : "FIELD_INVALID",
                           FieldPath("sections", i, "ciphertext").str(),
                           "1, 4, 16 or 64 KiB and 16 bytes expected");
  }
  auto& meta = e->metas.emplace_back();
  SCHAKEL_TRY(ParseStrict(section.meta(), FieldPath("sections", i, "meta"), &meta));
  SCHAKEL_TRY(CheckSectionMeta(meta, i, "meta"));
  SCHAKEL_ASSIGN(auto places, FindSubjects(*e, meta, i));
  e->section_subjects.push_back(std::move(places));

  crypto::SectionParts parts{hd, *SectionId::From(section.sid()), section.meta(),
                             *Digest::From(section.commitment()),
                             crypto::Sha256(section.ciphertext())};
  Digest sd = crypto::SectionDigest(parts);
  known->push_back(sd);
  SCHAKEL_TRY(CheckCount(section.wraps_size(), limits::kWrapsPerSectionMax,
                         FieldPath("sections", i, "wraps")));
  for (int k = 0; k < section.wraps_size(); ++k) {
    const auto& wrap = section.wraps(k);
    auto field = [i, k](const char* name) { return FieldPath("sections", i, "wraps", k, name); };
    SCHAKEL_TRY(CheckOin(wrap.recipient(), field("recipient")));
    auto recipient = std::find_if(e->recipients.begin(), e->recipients.end(),
                                  [&](const auto& r) { return r.str() == wrap.recipient(); });
    if (recipient == e->recipients.end()) {
      return InvalidArgument("WRAP_UNEXPECTED", field("recipient").str(),
                             "is no recipient of routing");
    }
    auto& places_of = e->wraps[static_cast<size_t>(recipient - e->recipients.begin())];
    if (places_of[static_cast<size_t>(i)] >= 0) {
      return InvalidArgument("WRAP_UNEXPECTED", field("recipient").str(), "has a wrap already");
    }
    places_of[static_cast<size_t>(i)] = k;
    SCHAKEL_TRY(CheckSize(wrap.recipient_key_set_digest(), 32, field("recipient_key_set_digest")));
    SCHAKEL_TRY(CheckSize(wrap.enc(), 32, field("enc")));
    SCHAKEL_TRY(CheckSize(wrap.wrapped(), 48, field("wrapped")));
    known->push_back(crypto::WrapDigest(sd, *recipient, wrap.enc(), wrap.wrapped()));
  }
  return {};
}

Status CheckValues(const ParsedEnvelope& e, const std::vector<Digest>& known,
                   std::vector<Digest>* values) {
  SCHAKEL_TRY(CheckCount(e.envelope.values_size(), limits::kValuesMax, "values"));
  for (const auto& value : e.envelope.values()) {
    auto digest = Digest::From(value);
    if (!digest) return InvalidArgument("VALUES_INVALID", "values", "each value is 32 bytes");
    values->push_back(*digest);
  }
  switch (crypto::CheckAllValues(*values, known)) {
    case crypto::ValuesFault::kNone:
      return {};
    case crypto::ValuesFault::kCount:
      return InvalidArgument("VALUES_INVALID", "values", "a multiple of 16 expected");
    case crypto::ValuesFault::kOrder:
      return InvalidArgument("VALUES_INVALID", "values",
                             "distinct values in ascending order expected");
    case crypto::ValuesFault::kMissing:
      return InvalidArgument("VALUES_INVALID", "values", "a digest of this envelope is missing");
    case crypto::ValuesFault::kOverfilled:
      return InvalidArgument("VALUES_INVALID", "values",
                             "more filling than up to the next multiple of 16");
  }
  return Internal("unknown fault of values");
}

Status CheckProof(ParsedEnvelope* e) {
  const auto& proof = e->envelope.proof();
  if (proof.count() < 1 || proof.count() > limits::kBatchEnvelopesMax) {
    return InvalidArgument(proof.count() == 0 ? "FIELD_MISSING" : "FIELD_INVALID", "proof.count",
                           "1 to 64 expected");
  }
  if (proof.index() >= proof.count()) {
    return InvalidArgument("FIELD_INVALID", "proof.index", "less than proof.count expected");
  }
  SCHAKEL_TRY(CheckSize(proof.signature(), 64, "proof.signature"));
  auto path = merkle::PathFrom(proof.path());
  if (!path.ok()) return InvalidArgument("FIELD_INVALID", "proof.path", path.error().message);
  auto root = merkle::BatchRoot(e->digest, proof.index(), proof.count(), *path);
  if (!root.ok()) {
    return InvalidArgument("FIELD_INVALID", "proof.path",
                           "the path of that index and count expected");
  }
  e->batch_message = crypto::BatchMessage(proof.count(), *root);
  return {};
}

}  // namespace

Status ParseStrict(BytesView bytes, const FieldPath& field, google::protobuf::Message* out) {
  if (!out->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return InvalidArgument("FIELD_INVALID", field.str(),
                           "is no " + out->GetDescriptor()->name() + " message");
  }
  return CheckKnown(*out, field);
}

Status CheckCode(const std::string& code, const FieldPath& field) {
  SCHAKEL_TRY(CheckUpTo(code, limits::kCodeBytesMax, field));
  bool good = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!good) {
    return InvalidArgument("FIELD_INVALID", field.str(), "a code of a-z, 0-9 and hyphens expected");
  }
  return {};
}

Status CheckOin(const std::string& oin, const FieldPath& field) {
  if (OrganisationId::From(oin)) return {};
  return InvalidArgument(oin.empty() ? "FIELD_MISSING" : "FIELD_INVALID", field.str(),
                         "an OIN of 20 digits expected");
}

Status CheckSectionMeta(const v1::SectionMeta& meta, int i, std::string_view within) {
  auto field = [&](const char* name) { return FieldPath("sections", i, within, -1, name); };
  SCHAKEL_TRY(CheckCode(meta.category(), field("category")));
  SCHAKEL_TRY(CheckCode(meta.ground(), field("ground")));
  SCHAKEL_TRY(
      CheckCount(meta.subject_labels_size(), limits::kSubjectsMax, field("subject_labels")));
  if (static_cast<size_t>(meta.attested_conditions_size()) > limits::kAttestationsMax) {
    return InvalidArgument("TOO_LARGE", field("attested_conditions").str(),
                           "at most 16 conditions");
  }
  for (const auto& condition : meta.attested_conditions()) {
    SCHAKEL_TRY(CheckCode(condition, field("attested_conditions")));
  }
  return {};
}

Status CheckKnown(const google::protobuf::Message& message, const FieldPath& field) {
  if (!message::HasUnknownFields(message)) return {};
  return InvalidArgument(
      "FIELD_INVALID", field.str(),
      "a " + message.GetDescriptor()->name() + " without unknown fields expected");
}

Status CheckSubjectRef(const v1::SubjectRef& ref, const FieldPath& field) {
  auto refuse = [&](const char* what) {
    return Status(InvalidArgument("SUBJECT_REF_INVALID", field.str(), what));
  };
  if (ref.pairs_size() < 1 || ref.pairs_size() > 2) return refuse("1 or 2 pairs expected");
  for (const auto& pair : ref.pairs()) {
    if (pair.value().size() != 32) return refuse("values of 32 bytes expected");
    if (pair.epoch() == 0 && ref.pairs_size() != 1) return refuse("epoch 0 stands alone");
  }
  if (ref.pairs_size() == 2 && ref.pairs(0).epoch() == ref.pairs(1).epoch()) {
    return refuse("distinct epochs expected");
  }
  return {};
}

Result<std::shared_ptr<const ParsedEnvelope>> ParseEnvelope(v1::Envelope envelope) {
  size_t bytes = envelope.ByteSizeLong();
  if (bytes > limits::kEnvelopeBytesMax) {
    return InvalidArgument("TOO_LARGE", "",
                           "the envelope is " + std::to_string(bytes) + " bytes; at most 262144");
  }
  SCHAKEL_TRY(CheckKnown(envelope, ""));
  SCHAKEL_TRY(CheckUpTo(envelope.header(), limits::kHeaderBytesMax, "header"));
  SCHAKEL_TRY(CheckUpTo(envelope.routing(), limits::kRoutingBytesMax, "routing"));
  v1::Header header;
  SCHAKEL_TRY(ParseStrict(envelope.header(), "header", &header));
  SCHAKEL_TRY(CheckHeader(header));
  v1::Routing routing;
  SCHAKEL_TRY(ParseStrict(envelope.routing(), "routing", &routing));
  SCHAKEL_TRY(CheckRouting(routing));
  SCHAKEL_TRY(CheckCount(envelope.sections_size(), limits::kSectionsMax, "sections"));

  auto parsed = std::make_shared<ParsedEnvelope>(
      ParsedEnvelope{.envelope = std::move(envelope),
                     .header = std::move(header),
                     .routing = std::move(routing),
                     .metas = {},
                     .section_subjects = {},
                     .wraps = {},
                     .signal_id = {},
                     .sender = *OrganisationId::From("00000000000000000000"),
                     .recipients = {},
                     .sender_key_set = {},
                     .digest = {},
                     .batch_message = {},
                     .bytes = bytes});
  parsed->signal_id = *SignalId::From(parsed->header.signal_id());
  parsed->sender = *OrganisationId::From(parsed->header.sender());
  parsed->sender_key_set = *Digest::From(parsed->header.sender_key_set_digest());
  for (const auto& recipient : parsed->routing.recipients()) {
    parsed->recipients.push_back(*OrganisationId::From(recipient.oin()));
  }
  int sections = parsed->envelope.sections_size();
  parsed->wraps.assign(parsed->recipients.size(),
                       std::vector<int>(static_cast<size_t>(sections), -1));

  Digest hd = crypto::HeaderDigest(parsed->envelope.header());
  std::vector<Digest> known = {crypto::RoutingDigest(hd, parsed->envelope.routing())};
  for (int i = 0; i < sections; ++i) SCHAKEL_TRY(AddSection(parsed.get(), i, hd, &known));
  std::vector<Digest> values;
  SCHAKEL_TRY(CheckValues(*parsed, known, &values));
  parsed->digest = crypto::EnvelopeDigest(hd, values);
  SCHAKEL_TRY(CheckProof(parsed.get()));
  return std::shared_ptr<const ParsedEnvelope>(std::move(parsed));
}

}  // namespace schakel::machine
