// Envelopes and statements of the fixture: what a sender's SDK would have made.
#include <algorithm>

#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hash.h"
#include "broker/merkle/batch_tree.h"
#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

constexpr size_t kSealedBytes = 1024 + 16;

std::vector<Digest> KnownDigests(const v1::Envelope& envelope) {
  Digest hd = crypto::HeaderDigest(envelope.header());
  std::vector<Digest> known = {crypto::RoutingDigest(hd, envelope.routing())};
  for (const auto& section : envelope.sections()) {
    auto sid = SectionId::From(section.sid());
    auto commitment = Digest::From(section.commitment());
    Digest sd = crypto::SectionDigest({hd, sid.value_or(SectionId{}), section.meta(),
                                       commitment.value_or(Digest{}),
                                       crypto::Sha256(section.ciphertext())});
    known.push_back(sd);
    for (const auto& wrap : section.wraps()) {
      auto recipient = OrganisationId::From(wrap.recipient());
      if (!recipient || wrap.enc().size() != 32 || wrap.wrapped().size() != 48) continue;
      known.push_back(crypto::WrapDigest(sd, *recipient, wrap.enc(), wrap.wrapped()));
    }
  }
  return known;
}

Bytes RoutingBytes(const EnvelopeSpec& spec, const std::vector<Bytes>& labels,
                   const std::string& actor, SeededBytes* random) {
  v1::Routing routing;
  for (const auto& recipient : spec.recipients) {
    auto* routed = routing.add_recipients();
    routed->set_oin(recipient.oin.str());
    if (recipient.function.empty()) continue;
    routed->mutable_function()->set_function(recipient.function);
    routed->mutable_function()->set_area(recipient.area);
  }
  if (spec.case_id) routing.set_case_id(spec.case_id->str());
  for (size_t i = 0; i < spec.subjects.size(); ++i) {
    auto* subject = routing.add_subjects();
    subject->set_label(labels[i]);
    *subject->mutable_ref() = spec.subjects[i];
  }
  routing.set_actor(actor);
  routing.set_random(random->Take(16));
  return routing.SerializeAsString();
}

Bytes HeaderBytes(const EnvelopeSpec& spec, const EnvelopeFrame& frame, SeededBytes* random) {
  v1::Header header;
  header.set_format_version(1);
  header.set_region("zhz.example");
  header.set_signal_id(spec.signal_id ? spec.signal_id->str() : random->Take(16));
  header.set_sender(spec.sender.str());
  header.set_sender_key_set_digest(frame.sender_key_set.str());
  header.set_signal_type(spec.signal_type);
  header.set_purpose(spec.purpose);
  header.set_urgency(spec.urgency);
  header.set_created_ms(static_cast<uint64_t>(frame.created.count()));
  header.set_expires_ms(static_cast<uint64_t>((frame.created + spec.lifetime).count()));
  header.set_random(random->Take(32));
  return header.SerializeAsString();
}

v1::Section MakeSection(const EnvelopeSpec& spec, const SectionSpec& from,
                        const std::vector<Bytes>& labels, const EnvelopeFrame& frame,
                        SeededBytes* random) {
  v1::SectionMeta meta;
  meta.set_category(from.category);
  meta.set_ground(from.ground);
  for (size_t subject : from.subjects) meta.add_subject_labels(labels.at(subject));
  for (const auto& condition : from.attested) meta.add_attested_conditions(condition);
  if (from.category == "identity-bsn") {
    *meta.mutable_subject_ref() = spec.subjects.at(from.subjects.at(0));
  }
  v1::Section section;
  section.set_meta(meta.SerializeAsString());
  section.set_commitment(random->Take(32));
  section.set_ciphertext(random->Take(kSealedBytes));
  for (size_t i = 0; i < spec.recipients.size(); ++i) {
    const auto& oin = spec.recipients[i].oin;
    if (!from.readers.empty() &&
        std::find(from.readers.begin(), from.readers.end(), oin) == from.readers.end()) {
      continue;
    }
    auto* wrap = section.add_wraps();
    wrap->set_recipient(oin.str());
    wrap->set_recipient_key_set_digest(frame.recipient_key_sets.at(i).str());
    wrap->set_enc(random->Take(32));
    wrap->set_wrapped(random->Take(48));
  }
  return section;
}

}  // namespace

Bytes SeededBytes::Take(size_t size) {
  Bytes out(size, '\0');
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = engine_();
    std::memcpy(out.data() + i, &word, std::min<size_t>(8, size - i));
  }
  return out;
}

void SetValues(v1::Envelope* envelope, SeededBytes* random) {
  std::vector<Digest> values = KnownDigests(*envelope);
  while (values.size() % crypto::kValuesMultiple != 0) {
    values.push_back(*Digest::From(random->Take(32)));
  }
  std::sort(values.begin(), values.end());
  envelope->clear_values();
  for (const auto& value : values) envelope->add_values(value.str());
}

v1::Envelope BuildEnvelope(const EnvelopeSpec& spec, const EnvelopeFrame& frame,
                           SeededBytes* random) {
  std::vector<Bytes> labels;
  for (size_t i = 0; i < spec.subjects.size(); ++i) labels.push_back(random->Take(16));
  v1::Envelope envelope;
  envelope.set_header(HeaderBytes(spec, frame, random));
  envelope.set_routing(RoutingBytes(spec, labels, frame.actor, random));
  std::vector<Bytes> sids;
  for (size_t i = 0; i < spec.sections.size(); ++i) sids.push_back(random->Take(16));
  std::sort(sids.begin(), sids.end());
  for (size_t i = 0; i < spec.sections.size(); ++i) {
    *envelope.add_sections() = MakeSection(spec, spec.sections[i], labels, frame, random);
    envelope.mutable_sections()->rbegin()->set_sid(sids[i]);
  }
  SetValues(&envelope, random);
  envelope.mutable_proof()->set_index(0);
  envelope.mutable_proof()->set_count(1);
  envelope.mutable_proof()->set_signature(random->Take(64));
  return envelope;
}

v1::PartyAxis SectorAxis(const std::string& sector) {
  v1::PartyAxis axis;
  axis.set_sector(sector);
  return axis;
}

v1::PartyAxis FunctionAxis(const std::string& function, const std::string& area) {
  v1::PartyAxis axis;
  axis.mutable_function()->set_function(function);
  axis.mutable_function()->set_area(area);
  return axis;
}

v1::PartyAxis OrganisationAxis(const OrganisationId& organisation) {
  v1::PartyAxis axis;
  axis.set_organisation(organisation.str());
  return axis;
}

v1::SubjectRef Linked(const std::string& name) {
  v1::SubjectRef ref;
  auto* pair = ref.add_pairs();
  pair->set_epoch(1);
  pair->set_value(crypto::Sha256("subject " + name).str());
  return ref;
}

}  // namespace schakel::testing
