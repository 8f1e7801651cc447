#include "clients/sdk/opener.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/seal.h"
#include "broker/crypto/sign.h"
#include "broker/merkle/batch_tree.h"
#include "clients/sdk/files.h"
#include "clients/sdk/opener_internal.h"
#include "clients/sdk/pseudonym_client.h"
#include "policy/engine/content_schema.h"

namespace schakel::sdk {
namespace {

// Errors that say that the delivery is wrong. Any other one (network, disk, configuration) can be
// mended, and the delivery opened later.
bool Condemns(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kInvalidArgument ||
         error.reason == "KEY_SET_INVALID" || error.reason == "BUNDLE_DIGEST_MISMATCH" ||
         error.reason == "BUNDLE_INVALID";
}

}  // namespace

Error Opener::Work::Fail(int step, std::string why) {
  diagnosis = {step, std::move(why)};
  return InvalidArgument("OPEN_FAILED", "", "the delivery is damaged or false; it was not opened");
}

Error Opener::Work::FailOrPass(int step, const Error& error) {
  if (Condemns(error)) return Fail(step, error.reason + ": " + error.message);
  diagnosis = {step, error.reason + ": " + error.message};
  return error;
}

Opener::Opener(Reader reader, const KeyStore& keys, Directory& directory, BundleSource& bundles,
               SeenSignals& seen, ComputePseudonym compute)
    : reader_(std::move(reader)),
      keys_(keys),
      directory_(directory),
      bundles_(bundles),
      seen_(seen),
      compute_(std::move(compute)) {
  SCHAKEL_CHECK(!reader_.bsn_authority || compute_, "a reader with BSN authority recomputes");
}

// Step 2.
Status Opener::CheckRegionAndOnce(Work& work) {
  if (work.header.region() != reader_.region) return work.Fail(2, "region");
  if (Millis(static_cast<int64_t>(work.header.expires_ms())) <= work.delivered) {
    return work.Fail(2, "expired when delivered");
  }
  SCHAKEL_ASSIGN(const auto earlier, seen_.Find(*work.sender, work.id));
  if (earlier && *earlier != work.envelope_digest) {
    return work.Fail(2, "the same id was opened with another content");
  }
  work.redelivery = earlier.has_value();
  return {};
}

// Step 3: of the sender, by digest; of the reader, those that the wraps name.
Status Opener::CheckKeySet(Work& work) {
  const Millis created(static_cast<int64_t>(work.header.created_ms()));
  auto sender = directory_.KeySetAt(*work.sender,
                                    *Digest::From(work.header.sender_key_set_digest()), created);
  if (!sender.ok()) return work.FailOrPass(3, sender.error());
  work.sender_keys = std::move(sender).value();
  for (const auto& section : work.in.sections()) {
    const auto digest = *Digest::From(section.wraps(0).recipient_key_set_digest());
    auto own = keys_.Find(digest);
    if (!own.ok()) return work.FailOrPass(3, own.error());
    if (!own->sealing) return work.Fail(3, "the own key was destroyed after its term");
    // The sender's clock may be behind that of who made the key set.
    if (!own->ValidAt(created) && !own->ValidAt(created + Millis(limits::kCreatedAheadMax))) {
      return work.Fail(3, "the own key set was not valid when the signal was made");
    }
    work.own_keys.push_back(std::move(own).value());
  }
  return {};
}

// Step 4: sd and own wd, membership in values, envelope digest, path, signature.
Status Opener::CheckSignature(Work& work) {
  std::vector<Digest> known;
  for (const auto& section : work.in.sections()) {
    const auto& wrap = section.wraps(0);
    const Digest sd = crypto::SectionDigest({work.header_digest, *SectionId::From(section.sid()),
                                             section.meta(), *Digest::From(section.commitment()),
                                             crypto::Sha256(section.ciphertext())});
    known.push_back(sd);
    known.push_back(crypto::WrapDigest(sd, reader_.oin, wrap.enc(), wrap.wrapped()));
  }
  if (crypto::CheckSomeValues(work.values, known) != crypto::ValuesFault::kNone) {
    return work.Fail(4, "values");
  }
  const auto& proof = work.in.proof();
  const auto path = merkle::PathFrom(proof.path());
  if (!path.ok()) return work.Fail(4, "path");
  const auto root = merkle::BatchRoot(work.envelope_digest, proof.index(), proof.count(), *path);
  if (!root.ok()) return work.Fail(4, "path");
  if (!crypto::VerifyEd25519(work.sender_keys->key_set.signing_key,
                             crypto::BatchMessage(proof.count(), *root), proof.signature())) {
    return work.Fail(4, "signature");
  }
  return {};
}

// Steps 5 to 8.
Status Opener::OpenSections(Work& work) {
  for (int i = 0; i < work.in.sections_size(); ++i) {
    const auto& section = work.in.sections(i);
    const auto& wrap = section.wraps(0);
    const OwnKeySet& own = work.own_keys[static_cast<size_t>(i)];
    SCHAKEL_ASSIGN(
        auto opened,
        crypto::OpenSection({work.header_digest, *work.sender, reader_.oin, own.digest,
                             *SectionId::From(section.sid()), section.meta(), section.commitment(),
                             section.ciphertext(), wrap.enc(), wrap.wrapped()},
                            *own.sealing));
    if (const auto* fault = std::get_if<crypto::OpenFault>(&opened)) {
      return work.Fail(static_cast<int>(*fault), "section " + std::to_string(i));
    }
    work.sections.push_back({*SectionId::From(section.sid()), work.metas[static_cast<size_t>(i)],
                             std::get<crypto::SectionContent>(std::move(opened))});
  }
  return {};
}

// Step 9, by the bundle that the signal was published under.
Status Opener::CheckSchemas(Work& work) {
  auto bundle = bundles_.ByDigest(*Digest::From(work.in.bundle_digest()));
  if (!bundle.ok()) return work.FailOrPass(9, bundle.error());
  work.bundle = std::move(bundle).value();
  const auto& compiled = *work.bundle->compiled;
  for (const auto& section : work.sections) {
    const auto schema = compiled.SchemaId(work.header.signal_type(), section.meta.category());
    if (schema.empty()) return work.Fail(9, "the type has no category " + section.meta.category());
    if (section.content.schema_id != schema || section.content.media_type != "application/json") {
      return work.Fail(9, "schema id or media type of " + section.meta.category());
    }
    const auto mistakes =
        compiled.schemas().Validate(schema, section.content.content.ExposeSecret());
    if (!mistakes.empty()) {
      return work.Fail(9, section.meta.category() + " at " + mistakes.front().field);
    }
  }
  return {};
}

// Step 10.
Status Opener::CheckSubjects(Work& work) {
  if (!reader_.bsn_authority) return {};
  for (const auto& section : work.sections) {
    const auto* category = work.bundle->compiled->FindCategory(section.meta.category());
    if (category == nullptr || category->kind() != v1::BUNDLE_CATEGORY_KIND_IDENTITY_BSN) {
      continue;
    }
    const auto bsn = BsnOf(section.content.content.ExposeSecret());
    if (!bsn) return work.Fail(10, "no single plain bsn in the content");
    auto computed = compute_(*bsn);
    if (!computed.ok() && computed.error().reason != "BSN_INVALID") {
      work.diagnosis = {10, computed.error().reason + ": " + computed.error().message};
      return computed.error();
    }
    if (!computed.ok() || !SameSubject(*computed, section.meta.subject_ref())) {
      work.diagnosis = {10, "the recomputed pseudonym is another"};
      return InvalidArgument("SUBJECT_MISMATCH", "",
                             "content and subject do not belong together; refuse the delivery with "
                             "SUBJECT_MISMATCH");
    }
  }
  return {};
}

Result<OpenedSignal> Opener::Open(const v1::DeliveredSignal& delivered_signal, Millis delivered,
                                  OpenDiagnosis* diagnosis) {
  Work work{delivered_signal, delivered, {}, {}, {}, {}, {}, {}, {}, {}, false, {}, {}, {}, {}};
  constexpr Step kSteps[] = {&Opener::CheckShape,   &Opener::CheckRegionAndOnce,
                             &Opener::CheckKeySet,  &Opener::CheckSignature,
                             &Opener::OpenSections, &Opener::CheckSchemas,
                             &Opener::CheckSubjects};
  for (const Step step : kSteps) {
    const Status done = (this->*step)(work);
    if (done.ok()) continue;
    if (diagnosis != nullptr) *diagnosis = work.diagnosis;
    return done.error();
  }
  SCHAKEL_TRY(seen_.Remember(*work.sender, work.id, work.envelope_digest,
                             Millis(static_cast<int64_t>(work.header.expires_ms()))));
  return OpenedSignal{std::move(work.header), work.id,         *work.sender,
                      work.envelope_digest,   work.redelivery, std::move(work.sections)};
}

std::optional<std::string_view> BsnOf(std::string_view secret_json) {
  constexpr std::string_view kKey = "\"bsn\"";
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t at = secret_json.find(kKey);
  // A second one, or a backslash that could hide one, is refused: readers must agree which counts.
  if (at == std::string_view::npos ||
      secret_json.find(kKey, at + kKey.size()) != std::string_view::npos ||
      secret_json.find('\\') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view rest = secret_json.substr(at + kKey.size());
  const auto skip = [&] {
    const size_t next = rest.find_first_not_of(kSpace);
    rest.remove_prefix(next == std::string_view::npos ? rest.size() : next);
  };
  skip();
  if (!rest.starts_with(':')) return std::nullopt;
  rest.remove_prefix(1);
  skip();
  if (!rest.starts_with('"')) return std::nullopt;
  rest.remove_prefix(1);
  const size_t digits = rest.find_first_not_of("0123456789");
  if (digits == std::string_view::npos || digits < 8 || digits > 9 || rest[digits] != '"') {
    return std::nullopt;
  }
  return rest.substr(0, digits);
}

}  // namespace schakel::sdk
