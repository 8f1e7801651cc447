#include "clients/sdk/composer.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_format.h"
#include "broker/crypto/random.h"
#include "broker/crypto/seal.h"
#include "clients/sdk/composer_internal.h"
#include "clients/sdk/sign_batch.h"

namespace schakel::sdk {
namespace {

v1::Header HeaderOf(const SignalDraft& draft, const Sender& sender, const OwnKeySet& keys,
                    const std::string& region, Millis now, Millis expires) {
  v1::Header header;
  header.set_format_version(1);
  header.set_region(region);
  header.set_signal_id(crypto::NewUuidV7(now));
  header.set_sender(sender.oin.str());
  header.set_sender_key_set_digest(keys.digest.str());
  header.set_signal_type(draft.signal_type);
  header.set_purpose(draft.purpose);
  header.set_urgency(draft.urgency);
  header.set_created_ms(static_cast<uint64_t>(now.count()));
  header.set_expires_ms(static_cast<uint64_t>(expires.count()));
  if (draft.follows) header.set_follows(draft.follows->str());
  if (draft.supersedes) header.set_supersedes(draft.supersedes->str());
  if (sender.last_checkpoint && sender.last_checkpoint->size > 0) {
    header.set_checkpoint_size(sender.last_checkpoint->size);
    header.set_checkpoint_root(sender.last_checkpoint->root.str());
  }
  header.set_random(crypto::RandomBytes(32));
  return header;
}

Status CheckSize(const Bytes& bytes, size_t most, const char* field) {
  if (bytes.size() <= most) return {};
  return InvalidArgument("TOO_LARGE", field,
                         "it has " + std::to_string(bytes.size()) + " bytes, at most " +
                             std::to_string(most) + " are allowed");
}

void FillSection(const crypto::SealedSection& sealed, v1::Section* out) {
  out->set_sid(sealed.sid.str());
  out->set_meta(sealed.meta);
  out->set_commitment(sealed.commitment.str());
  out->set_ciphertext(sealed.ciphertext);
  for (const auto& wrap : sealed.wraps) {
    auto* one = out->add_wraps();
    one->set_recipient(wrap.recipient.str());
    one->set_recipient_key_set_digest(wrap.recipient_key_set.str());
    one->set_enc(wrap.enc);
    one->set_wrapped(wrap.wrapped);
  }
}

}  // namespace

std::vector<SubjectLabel> NewLabels(size_t count) {
  std::vector<SubjectLabel> labels;
  for (size_t i = 0; i < count; ++i) labels.push_back(*SubjectLabel::From(crypto::RandomBytes(16)));
  return labels;
}

void FillRecipient(const PlannedRecipient& recipient, v1::RoutedRecipient* out) {
  out->set_oin(recipient.oin.str());
  if (!recipient.function) return;
  out->mutable_function()->set_function(recipient.function->function);
  out->mutable_function()->set_area(recipient.function->area);
}

v1::SectionMeta MetaOf(const SignalDraft& draft, size_t section,
                       const std::vector<uint16_t>& subjects,
                       const std::vector<SubjectLabel>& labels, const LoadedBundle& bundle) {
  const auto& from = draft.sections[section];
  v1::SectionMeta meta;
  meta.set_category(from.category);
  for (const uint16_t place : subjects) meta.add_subject_labels(labels[place].str());
  meta.set_ground(from.ground);
  for (const auto& condition : from.attested) meta.add_attested_conditions(condition);
  const auto* category = bundle.compiled->FindCategory(from.category);
  if (category != nullptr && category->kind() == v1::BUNDLE_CATEGORY_KIND_IDENTITY_BSN) {
    *meta.mutable_subject_ref() = draft.subjects[subjects.front()];
  }
  return meta;
}

Composer::Composer(Sender sender, std::shared_ptr<const LoadedBundle> bundle, Directory& directory,
                   WrapChoice choice)
    : sender_(std::move(sender)),
      bundle_(std::move(bundle)),
      directory_(directory),
      choice_(choice) {}

Result<ComposedSignal> Composer::Seal(const SignalDraft& draft, const OwnKeySet& keys, Millis now,
                                      v1::Envelope& envelope) {
  SCHAKEL_TRY(CheckDraft(draft));
  SCHAKEL_ASSIGN(auto resolved, Resolve(draft, now));
  const Millis expires = now + resolved.expires_in;
  const auto header = HeaderOf(draft, sender_, keys, bundle_->compiled->region(), now, expires);
  envelope.set_header(header.SerializeAsString());
  SCHAKEL_TRY(CheckSize(envelope.header(), limits::kHeaderBytesMax, "header"));
  const Digest hd = crypto::HeaderDigest(envelope.header());

  v1::Routing routing;
  const auto labels = NewLabels(draft.subjects.size());
  for (const auto& recipient : resolved.plan) FillRecipient(recipient, routing.add_recipients());
  if (draft.case_id) routing.set_case_id(draft.case_id->str());
  for (size_t i = 0; i < draft.subjects.size(); ++i) {
    auto* subject = routing.add_subjects();
    subject->set_label(labels[i].str());
    *subject->mutable_ref() = draft.subjects[i];
  }
  routing.set_actor(sender_.actor);
  routing.set_random(crypto::RandomBytes(16));
  envelope.set_routing(routing.SerializeAsString());
  SCHAKEL_TRY(CheckSize(envelope.routing(), limits::kRoutingBytesMax, "routing"));

  std::vector<Digest> known = {crypto::RoutingDigest(hd, envelope.routing())};
  std::vector<crypto::SealedSection> sealed;
  for (size_t i = 0; i < draft.sections.size(); ++i) {
    const std::string field = "sections[" + std::to_string(i) + "]";
    const auto& section = draft.sections[i];
    std::vector<crypto::SealRecipient> readers;
    std::string why = "NO_RULE";
    for (size_t j = 0; j < resolved.plan.size(); ++j) {
      const auto& planned = resolved.plan[j].sections[i];
      if (planned.wrapped && resolved.key_sets[j]) {
        readers.push_back({resolved.plan[j].oin, resolved.key_sets[j]->digest,
                           resolved.key_sets[j]->key_set.sealing_key});
      } else if (readers.empty() && !planned.reason.empty()) {
        why = planned.reason;
      }
    }
    if (readers.empty()) {
      return MakeError(ErrorCode::kPermissionDenied, why,
                       "no recipient may read the section " + section.category +
                           ", so it was not sealed and nothing was sent",
                       field);
    }
    const Bytes meta =
        MetaOf(draft, i, resolved.section_subjects[i], labels, *bundle_).SerializeAsString();
    SCHAKEL_TRY(CheckSize(meta, limits::kMetaBytesMax, "meta"));
    auto one = crypto::SealSection(
        {hd, sender_.oin, *SectionId::From(crypto::RandomBytes(16)), meta, section.media_type,
         bundle_->compiled->SchemaId(draft.signal_type, section.category),
         section.content.ExposeSecret(), readers});
    if (!one.ok()) return AtField(one.error(), field);
    known.push_back(one->section_digest);
    for (const auto& wrap : one->wraps) known.push_back(wrap.wrap_digest);
    sealed.push_back(std::move(one).value());
  }
  std::sort(sealed.begin(), sealed.end(),
            [](const auto& a, const auto& b) { return a.sid < b.sid; });
  for (const auto& section : sealed) FillSection(section, envelope.add_sections());
  const auto values = crypto::BuildValues(known);
  for (const auto& value : values) envelope.add_values(value.str());
  return ComposedSignal{*SignalId::From(header.signal_id()),
                        {},
                        crypto::EnvelopeDigest(hd, values),
                        now,
                        expires,
                        labels,
                        std::move(resolved.plan)};
}

Result<std::vector<ComposedSignal>> Composer::ComposeBatch(std::span<const SignalDraft> drafts,
                                                           const OwnKeySet& keys, Millis now) {
  if (drafts.empty() || drafts.size() > limits::kBatchEnvelopesMax) {
    return InvalidArgument("TOO_LARGE", "drafts", "a batch has 1 to 64 signals");
  }
  if (!keys.signing || !keys.ValidAt(now) || keys.key_set.oin != sender_.oin) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_MISSING",
                     "the key set is not this sender's, or not valid now");
  }
  std::vector<ComposedSignal> signals;
  std::vector<v1::Envelope> envelopes(drafts.size());
  std::vector<Digest> entries;
  for (size_t i = 0; i < drafts.size(); ++i) {
    auto sealed = Seal(drafts[i], keys, now, envelopes[i]);
    if (!sealed.ok()) {
      return drafts.size() == 1 ? sealed.error()
                                : AtField(sealed.error(), "drafts[" + std::to_string(i) + "]");
    }
    entries.push_back(sealed->envelope_digest);
    signals.push_back(std::move(sealed).value());
  }
  std::vector<v1::Envelope*> together;
  for (auto& envelope : envelopes) together.push_back(&envelope);
  SignTogether(together, entries, *keys.signing);
  size_t total = 0;
  for (size_t i = 0; i < signals.size(); ++i) {
    signals[i].envelope = envelopes[i].SerializeAsString();
    total += signals[i].envelope.size();
    const auto checked = CheckSize(signals[i].envelope, limits::kEnvelopeBytesMax, "sections");
    if (!checked.ok()) return checked.error();
  }
  if (total > limits::kBatchBytesMax) {
    return InvalidArgument("TOO_LARGE", "drafts", "the batch is larger than 4 MiB");
  }
  return signals;
}

Result<ComposedSignal> Composer::Compose(const SignalDraft& draft, const OwnKeySet& keys,
                                         Millis now) {
  SCHAKEL_ASSIGN(auto signals, ComposeBatch(std::span(&draft, 1), keys, now));
  return std::move(signals.front());
}

}  // namespace schakel::sdk
