// A policy bundle becomes the active one. The same digest again changes nothing.
#include "broker/crypto/policy_format.h"
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

void SetActiveBundle(Context& ctx, Bytes bundle, const Digest& digest, const std::string& by,
                     uint64_t record_index) {
  state::v1::StoredBundle stored;
  stored.set_bundle(std::move(bundle));
  stored.set_activated_us(ctx.now_us());
  stored.set_record_index(record_index);
  ctx.Put(Family::kRegistry, keys::Bundle(digest), stored);
  state::v1::Activation activation;
  activation.set_bundle_digest(digest.str());
  activation.set_organisation(by);
  ctx.Put(Family::kRegistry, keys::Activation(ctx.now_us(), record_index), activation);
  ctx.meta().set_active_bundle(digest.str());
}

Result<Answer> Apply(Context& ctx, const ActivatePolicy& command) {
  if (crypto::PolicyDigest(command.bundle) != command.digest) {
    return InvalidArgument("BUNDLE_DIGEST_MISMATCH", "digest", "is not the digest of the bundle");
  }
  if (command.compiled->region() != ctx.meta().region()) {
    return InvalidArgument("REGION_WRONG", "bundle",
                           "the bundle is for another region than " + ctx.meta().region());
  }
  v1::ActivatePolicyResponse response;
  if (ctx.meta().active_bundle() == command.digest.view()) {
    response.set_unchanged(true);
    return Answer(std::move(response));
  }
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_POLICY_ACTIVATION);
  record.set_event_id(ctx.NewEventId());
  record.set_bundle_digest(command.digest.str());
  record.mutable_facts()->set_text(command.compiled->name() + " " + command.compiled->version());
  *response.mutable_receipt() = ctx.AddRecord(std::move(record));
  const auto& caller = ctx.command().caller;
  SetActiveBundle(ctx, command.bundle, command.digest, caller ? caller->organisation.str() : "",
                  response.receipt().index());
  ctx.facts().Remember(command.digest, command.compiled);
  ctx.effects().policy_changed = true;
  return Answer(std::move(response));
}

}  // namespace schakel::machine
